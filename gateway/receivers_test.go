package gateway

import "testing"

// receiver receives over one protocol.
type receiver interface {
	// next gives the next message, which is not settled before settle is called, unless the protocol settles itself.
	next() <-chan fields
	// settle accepts it and returns when the door has heard so.
	settle() error
	// leave ends the receiver in such a way that what the door thinks unsettled is given back at once.
	leave() error
}

// receiverKind is a protocol, and a way to receive over it.
type receiverKind struct {
	name      string
	column    *column
	settles   bool         // its client says when it has dealt with a message
	attached  bool         // it is there between messages too
	unordered bool         // its client does not keep the order of properties
	hears     func(fields) // what it makes of a message beside what its column says; may be nil
	open      func(*testing.T, *cell) receiver
}

var receiverKinds = []receiverKind{
	{
		name: "AMQP", column: &amqpColumn, settles: true, attached: true, unordered: true, hears: withoutSymbols,
		open: newAMQPReceiver,
	},
	mqttReceiverKind("MQTT 3.1.1", 0, &mqtt3Column, newMQTT3Receiver),
	mqttReceiverKind("MQTT 3.1.1", 1, &mqtt3Column, newMQTT3Receiver),
	mqttReceiverKind("MQTT 3.1.1", 2, &mqtt3Column, newMQTT3Receiver),
	mqttReceiverKind("MQTT 5", 0, &mqtt5Column, newMQTT5Receiver),
	mqttReceiverKind("MQTT 5", 1, &mqtt5Column, newMQTT5Receiver),
	mqttReceiverKind("MQTT 5", 2, &mqtt5Column, newMQTT5Receiver),
	{name: "STOMP client-individual", column: &stompColumn, settles: true, attached: true, open: newSTOMPReceiver},
	{name: "STOMP auto", column: &stompColumn, attached: true, open: newAutoSTOMPReceiver},
	{name: "HTTP head", column: &httpColumn, settles: true, open: newHeadReceiver},
	{name: "SSE", column: &jsonColumn, attached: true, unordered: true, open: newEventReceiver},
	{name: "NDJSON", column: &jsonColumn, attached: true, unordered: true, open: newLineReceiver},
	{name: "WebSocket", column: &jsonColumn, settles: true, attached: true, unordered: true, open: newSocketReceiver},
	{name: "WebSocket, settled when written", column: &jsonColumn, attached: true, unordered: true, open: newAutoSocketReceiver},
	coapReceiverKind("CoAP observe", "coap", false),
	coapReceiverKind("CoAP observe with a wildcard, over TCP", "coap+tcp", true),
	{name: "CoAP head", column: &coapColumn, settles: true, open: newCoAPHeadReceiver},
}

// gets is what the receiver should hear of a message.
func (k *receiverKind) gets(m fields) fields {
	m = k.column.gets(m)
	if k.hears != nil {
		k.hears(m)
	}
	return m
}

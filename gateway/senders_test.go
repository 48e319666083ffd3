package gateway

import (
	"maps"
	"testing"
)

// sender sends over one protocol.
type sender interface {
	// send gives, once, what the client was told: nil for yes, and at once if it asked for no answer.
	send(to string, m fields) (told <-chan error)
	// roundTrip returns when the door has dealt with all that the client has sent before.
	roundTrip() error
}

// senderKind is a protocol, and a way to send over it.
type senderKind struct {
	name         string
	column       *column
	says         fields // of every message
	unconfirmed  bool   // it asks for no answer
	namesAddress bool   // a message says where it goes, beside the link
	unordered    bool   // its client does not keep the order of properties
	open         func(*testing.T, *cell) sender
}

var senderKinds = []senderKind{
	{name: "AMQP", column: &amqpColumn, namesAddress: true, unordered: true, open: newAMQPSender},
	{
		name: "AMQP, settled", column: &amqpColumn, says: fields{atMostOnce: true}, unconfirmed: true, unordered: true,
		open: newSettledAMQPSender,
	},
	mqttSenderKind("MQTT 3.1.1", 0, &mqtt3Column, newMQTT3Sender),
	mqttSenderKind("MQTT 3.1.1", 1, &mqtt3Column, newMQTT3Sender),
	mqttSenderKind("MQTT 3.1.1", 2, &mqtt3Column, newMQTT3Sender),
	mqttSenderKind("MQTT 5", 0, &mqtt5Column, newMQTT5Sender),
	mqttSenderKind("MQTT 5", 1, &mqtt5Column, newMQTT5Sender),
	mqttSenderKind("MQTT 5", 2, &mqtt5Column, newMQTT5Sender),
	{name: "STOMP with receipt", column: &stompColumn, open: newSTOMPSender},
	{
		name: "STOMP", column: &stompColumn, says: fields{atMostOnce: true}, unconfirmed: true,
		open: newUnconfirmedSTOMPSender,
	},
	{name: "HTTP", column: &httpColumn, open: newHTTPSender(writeHeaders, "")},
	{
		name: "HTTP, ack=none", column: &httpColumn, says: fields{atMostOnce: true}, unconfirmed: true,
		open: newHTTPSender(writeHeaders, "?ack=none"),
	},
	{name: "HTTP in JSON", column: &jsonColumn, unordered: true, open: newHTTPSender(writeDraft, "")},
	{name: "WebSocket", column: &jsonColumn, unordered: true, open: newSocketSender},
	{name: "CoAP CON", column: &coapColumn, open: newCoAPSender("coap")},
	{
		name: "CoAP NON", column: &coapColumn, says: fields{atMostOnce: true}, unconfirmed: true,
		open: newUnconfirmedCoAPSender,
	},
	{name: "CoAP over TCP", column: &coapColumn, open: newCoAPSender("coap+tcp")},
}

// addressed is a message as the sender would send it to an address.
func (k *senderKind) addressed(m fields, a string) fields {
	m = maps.Clone(m)
	m[address] = a
	if k.namesAddress {
		m[to] = a
	}
	maps.Copy(m, k.says)
	return m
}

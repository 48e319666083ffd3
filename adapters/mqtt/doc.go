// Package mqtt is the door for MQTT 3.1, 3.1.1 and 5: it carries publishes and subscriptions of its clients to the
// router and back.
//
// What belongs to one connection alone (framing, packet ids, flow control, keep-alive) is decided by the pure engine in
// internal/session. This package gives the engine a connection, turns topics into addresses, messages into AMQP and
// back, and outcomes into reason codes.
//
// Promises:
//   - PUBACK and PUBREC say yes only after the router's outcome did, SUBACK only after the route is live.
//   - Of a session that outlives its connection CONNACK, SUBACK, PUBREC and PUBCOMP come after what they say is on disk.
//   - A client id has one connection at a time, and a session is in the hands of one: the latest waits for the former.
//   - A client that publishes faster than its messages are taken is not read from; one that does not read costs what
//     its credit lets out and no more.
//   - A connection has the two goroutines of router/transport, and one more only while its client is let in.
//
// Specifications: MQTT 5.0, https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html, and MQTT 3.1.1,
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html.
package mqtt

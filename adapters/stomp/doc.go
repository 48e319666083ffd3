// Package stomp is the door for STOMP 1.0, 1.1 and 1.2: it carries messages and subscriptions of its clients to the
// router and back.
//
// What belongs to one connection alone (framing, versions, heart-beats, receipts, what an ACK covers) is decided by the
// pure engine in internal/session. This package gives the engine a connection, turns destinations into addresses,
// messages into AMQP and back, and outcomes into RECEIPT and ERROR.
//
// Promises:
//   - RECEIPT says yes only after the router's outcome did; that of SUBSCRIBE after the route is live, that of ACK and
//     COMMIT when they are safe.
//   - A client that sends faster than its messages are taken is not read from; one that does not read costs what its
//     credit lets out and no more.
//   - What a client holds when its connection ends comes back to its node, marked as tried.
//   - A connection has the two goroutines of router/transport, and one more only while its client is let in.
//
// Specification: https://stomp.github.io/stomp-specification-1.2.html.
package stomp

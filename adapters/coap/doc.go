// Package coap is the door for CoAP (RFC 7252) over UDP, DTLS, TCP, TLS and WebSocket: constrained devices send messages
// with POST, observe topics, take messages from a queue one by one under a lock, and find all of it at /.well-known/core.
//
// What belongs to one conversation alone (acknowledgements, retransmission, duplicates, blocks, tokens, signals) is
// decided by the pure sessions in internal/datagram and internal/stream. This package is the client of such a session:
// it turns paths into addresses, messages into AMQP and back, and outcomes into response codes. docs/coap.md describes
// the door to its users.
//
// Promises:
//   - 2.04 to a request that waits is answered only after the outcome Accepted, 2.05 to an observation once its route is
//     live, 2.02 to the DELETE of a lock when the settlement is safe.
//   - A notification of what somebody waits for is confirmable, and settled by its acknowledgement. One that is not
//     delivered comes back to its node, marked as tried.
//   - What a peer may hold is bounded: senders, observations, waiting messages, locks, users that it speaks for.
//   - A session has no goroutine of its own, but while a password is checked; Serve waits for that.
//   - A refusal by a limit names the setting that decides.
//
// RFC numbers in comments are those of https://www.rfc-editor.org.
package coap

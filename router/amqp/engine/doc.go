// Package engine is AMQP 1.0 on one connection, as client or as server: bytes and time in, events and bytes out.
//
// It speaks parts 2 (transport) and 5 (security) of the standard and knows every rule that needs no other connection:
// protocol headers, SASL, frames, heartbeats, sessions and their windows, links and their credit, deliveries and their
// settlement, and the error for each rule that a peer may break. What an address means, who may use it and where a
// message goes is decided by its owner, who listens as a [Handler] and answers with commands (Open, Accept, Grant,
// Send, Settle, ...).
//
// Promises:
//   - Pure: no goroutines, no locks, no clock, no I/O. A [Conn] and all that belongs to it has one owner at a time.
//   - The Handler is called synchronously, from Feed, Advance, Flush, Drain, Lost, and from the commands that end a
//     link, a session or the connection. It may give commands from inside a call, but must not call Feed, Advance or
//     Flush there.
//   - What the Handler gets as []byte, [amqp.RawValue], [*Transfer] or [*frame.State] is borrowed until its method
//     returns, if its comment does not say otherwise.
//   - Each delivery that [Link.Send] took comes to exactly one end; see [Progress].
//   - Nothing is sent beyond the peer's credit, windows and frame size. A peer that goes beyond ours is answered
//     with the condition that the standard gives, for the smallest scope it allows.
//   - Memory is bounded by [Limits], whatever the peer sends. A settled delivery costs no allocation, in or out.
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package engine

// Package amqp is the door for AMQP 1.0: it carries the links of native clients to the router and back.
//
// What belongs to one connection alone (SASL, frames, sessions, windows, settlement) is decided by the pure engine in
// router/amqp/engine. This package gives the engine a connection, turns termini into links of the router, its credit
// into link credit, and outcomes into delivery states. The message itself passes as it is: only its header is written
// anew, when a delivery is not the first or the time to live has run down.
//
// A link that is for somebody else, as the [Network] says, goes on to his connection as it is: see package passage.
//
// Promises:
//   - A delivery is accepted only after the router's outcome says so, an attach only after the route is live.
//   - A sender gets the credit that the node grants; a receiver gets what its credit lets out, and no more.
//   - What is done in a transaction happens with its commit or not at all, also when its link, session or connection ends.
//   - A message of several frames goes on to its consumer while it comes in, where its address stores nothing. A consumer
//     that is slow, or busy, holds back the session that the message comes through, and nothing else.
//   - A connection has the goroutines of router/transport, and one more only while its client is let in.
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package amqp

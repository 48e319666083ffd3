// Package passage joins two AMQP links on two connections into one: what the peer of either says of its link, the peer of
// the other hears. So a client's link goes on to a broker as if the client were connected to it, and whatever the two of
// them can do together (transactions, selectors, durable subscriptions, dynamic addresses) works through us.
//
// The two ends belong to the owners of their connections, and tell each other by mail: a [Desk] is the part of a connection
// that reads it. Nothing else is shared.
//
// Promises:
//   - Passed on are both attaches with all that they say; each delivery with its tag, format, state and flags; its states
//     both ways, settled or not, also those of transactions; credit, exactly; drains, and how they end; detaches, with
//     their reason, and whether the terminus is to be kept. Deliveries stay in order.
//   - A detach is answered when the other peer has answered it. When a connection or session is lost, the other peer is told
//     qd:routed-link-lost.
//   - Messages go on while they come in, piece by piece. What is not written on one connection holds back the session that
//     it comes through on the other, so memory is bounded. The links of a session there have a session of their own here,
//     so that they hold up nobody else.
//   - What a session was given before a message to a coordinator of transactions is written before that.
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package passage

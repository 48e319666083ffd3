// Package router carries messages between links without storing them.
//
// A door (one protocol's adapter) opens a Sender to put messages into an address and a Receiver to take them out; what
// lives at the address is a Node. This package has the nodes of the addresses that store nothing, anycast and
// broadcast; the broker brings those of queues and topics. To the consumers of other machines a network attaches a Way.
//
// Promises:
//   - Every Delivery ends in exactly one Outcome, and a sender hears Accepted only when responsibility has moved.
//   - Nothing is handed to a Receiver beyond the credit that it granted.
//   - Locks are taken in the order node, then leaf. A Producer or Consumer is called with a node's lock held: it puts
//     what it hears into its connection's mailbox and returns; it never settles, writes or takes another lock.
//   - Messages of one Sender reach one Receiver in the order in which they were sent.
//   - A message that is delivered while it comes in, a Stream, never waits in a node; what waits for its consumer is
//     bounded, if its producer stops when it is told to.
package router

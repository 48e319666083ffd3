// Package protocol is the words in which routers of one network speak of the network itself: who they are, which links
// they have, and which addresses somebody consumes from at them. They are those of Apache Qpid Dispatch 1.19, protocol
// version 1, so that its routers and ours can be mixed.
//
// A [Packet] is one such message with the address that it goes to and the annotations that it gathers on its way. Data
// messages carry the same [Annotations]. [Locate] reads the addresses of both, and a [Key] is how routers write an
// address in their tables.
//
// Promises:
//
//   - Pure. No clock, no goroutines, no I/O.
//   - Bounded. What [Parse] gives takes memory in proportion to the message, and no list in it is longer than the
//     limits of this package.
//   - A packet that is passed on keeps its bare message octet for octet, with fields that only its two ends know.
//   - Values are shared: a Message or a Packet is not changed once made.
package protocol

// Package edge decides what an edge router has at its uplinks, and what an interior router tells its edge routers.
//
// An edge router is a part of no topology: it has one connection to an interior router, its uplink, over which all of its
// clients reach the network and are reached. A [Router] decides which of its uplinks is used and which links are on it: one
// to receive for each address that somebody consumes from at the edge, one to send for each that somebody produces for; and
// which proxies the interior is to have, so that links find the containers of link routes at the edge.
// It learns from the interior whether a link to send leads anywhere. A [Tracker] is the other end: it tells each edge
// router whether there are consumers, other than its own, of the addresses that it sends to.
//
// Apache Qpid Dispatch 1.19 speaks the same: the links, the [News] that a tracker sends, and a [Request]. A [Question] is how
// edge routers find out whether links to an address are routed.
//
// Promises:
//
//   - Pure. No clock, no goroutines, no locks, no I/O. A value belongs to one goroutine at a time.
//   - Proportional. What is kept grows with the addresses in use, not with the clients that use them.
//   - What happened on an uplink that is lost, or on a link that is over, is ignored when it is heard of late.
package edge

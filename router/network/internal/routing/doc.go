// Package routing is the control plane of one router of a network: a state machine that learns from the messages of
// other routers who is there, how they are linked and which addresses have consumers where, and tells them the same of
// its own.
//
// How it works, in the words of [protocol]:
//
//   - On each control link a HELLO goes out every second with the ids of all who were heard lately. Two routers that
//     find themselves in each other's HELLO are neighbours, until there was none such for three seconds or the link
//     went down.
//   - A router's neighbours and the costs of the links to them are its link state. A change raises its number and is
//     sent to all at once (LSU), followed by an advertisement (RA). Advertisements are repeated, so that who missed
//     something sees a number ahead of his own and asks for the rest (LSR).
//   - From all link states [topology] finds the routes.
//   - The addresses with local consumers are told likewise: changes at once to all (MAU), everything to one who
//     missed some of them (MAR).
//   - What is for all routers is sent on to every neighbour that it has not passed, once; what is for one is sent on
//     along the route. Neither depends on all routers having the same picture already.
//
// Apache Qpid Dispatch 1.19 speaks the same. It waits for its clock of one second where this acts at once, and for a
// request before it sends its link state; each understands the other.
//
// A [Node] gets inputs (LinkUp, LinkDown, Receive, Announce, Withdraw, Advance), which all take the time that it is now,
// and gives outputs: Send and Change, to be taken with NextSend and NextChange after each input, and Deadline, when to
// call Advance next.
//
// Promises:
//
//   - Pure. No clock, no goroutines, no locks, no I/O, no chance: the same inputs give the same outputs. A Node belongs
//     to one goroutine at a time. [topology.Routes] that it gives away never change.
//   - Bounded. It knows at most MaxRouters routers and MaxAddresses addresses of each.
//   - Nothing that one router says changes what is known of another one.
package routing

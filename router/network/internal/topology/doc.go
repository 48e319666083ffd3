// Package topology turns what routers say about their links into routes: the next hop to each router, what the way
// costs, and for which origins this router lies on the way.
//
// Every router of a network computes this for itself. A message crosses the network in one piece only if all of them
// come to the same trees, so:
//
//   - A tree depends on the graph and its root, never on who computes it or in which order the graph was learnt.
//   - Where two ways cost the same, the one wins whose last router before the destination was reached first, at the
//     lower cost and then with the lower id, compared octet by octet. Qpid Dispatch 1.19 chooses alike, so that
//     both can be mixed in one network.
//   - A link counts in the direction in which it was reported. What a router reported that nobody has heard yet is
//     nothing: others reach it, and no way goes through it.
//
// Promises: pure, without clock, goroutines or locks. A [Graph], [Routes] and [Origins] do not change once made, so that
// goroutines may share them.
package topology

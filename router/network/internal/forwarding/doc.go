// Package forwarding decides where a message goes next: to consumers of this router, to neighbours, or nowhere.
//
// A [Table] knows which routers have consumers of which addresses. It is fed with what [routing] reports, and with its
// routes. A [Message] is what counts of a message: its address, where it came from, and what other routers wrote on it.
// The decisions keep these rules:
//
//   - A message never goes back to a router that it has passed, and never to the neighbour whom it came from.
//   - One for many goes once to each local consumer and once to each neighbour behind whom there are consumers, along the
//     tree of the router where it came into the network. A copy from a neighbour who is not before this router in that
//     tree is a repetition.
//   - One for one goes to a single consumer or neighbour: with closest to a local consumer if there is one with room,
//     else towards the router at the lowest cost; with balanced to where there is the least to do, each unit of cost
//     counted as one message that waits. Those without room are chosen only when nobody has room, and then it waits there.
//
// Promises: pure, without clock, goroutines, locks or chance. Decisions allocate nothing beyond the slices that the caller
// gives. A Table belongs to one goroutine at a time.
package forwarding

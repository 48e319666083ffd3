// Package broker is the tier that stores: the nodes of queues and topics, over an embedded store.
//
// A queue is a pure state machine (internal/queue) that knows messages by number; this package gives it a mutex, takes
// its messages to disk (internal/store) and carries bodies to consumers. A durable subscription is such a queue that
// a topic fills.
//
// Promises:
//   - A sender hears Accepted after fsync: of the queue, or of every durable subscription and the retained message
//     that its message went to.
//   - A message goes to consumers in the order in which it was accepted, and again, marked by its attempts, when a
//     consumer gave it back or the process died while it might have been out.
//   - Nodes have no goroutine. The broker has the store's committer, and a few readers that fetch bodies which are no
//     longer in memory; no lock is held over a read or a write of the disk.
//   - What a queue keeps in memory is 16 bytes a message and a bounded window of bodies.
//
// Locks: a topic's, then a queue's, then leaves.
package broker

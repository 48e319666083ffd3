// Package broker is the tier that stores: the nodes of queues and topics, over an embedded store.
//
// A queue is a pure state machine (internal/queue) that knows messages by number; this package gives it a mutex, takes
// its messages to disk (internal/store), carries bodies to consumers and tells it the time. A subscription is such a
// queue that a topic fills; a volatile one keeps its messages in memory.
//
// Promises:
//   - A sender hears Accepted after fsync: of the queue, or of every durable subscription and the retained message
//     that its message went to.
//   - A transaction is on disk as a whole or not at all, and what it sends is seen by nobody before.
//   - Of each priority, messages go to consumers in the order in which they were accepted, and again, marked by their
//     attempts, when a consumer gave them back or the process died while they might have been out.
//   - A message leaves its queue for the queue of dead or expired messages in one step: it is in one of them.
//   - Nodes have no goroutine. The broker has the store's committer, a clock that sleeps until something is due, and a
//     few readers that fetch bodies which are no longer in memory; no lock is held over a read or a write of the disk.
//   - What a queue keeps in memory is a few bytes a message of its backlog, which are packed, at most 24 of those that are
//     at work or wait for their time (and their due times and keys), and a bounded window of bodies, and one more for
//     each consumer that selects or browses.
//
// Locks: the broker's, then a topic's, then queues' in the order of their numbers, then leaves.
package broker

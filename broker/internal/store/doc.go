// Package store keeps the broker's state on disk, in Pebble: the messages of all queues, what is remembered of each
// queue, the catalogue that gives queues their numbers, and retained messages. It knows neither queues' rules nor
// protocols: values are opaque bytes.
//
// Writing. Changes are gathered in a Batch (Begin ... Commit). All batches that arrive while the disk is busy form
// one group; a single committer writes the group, makes one fsync for all of it and then tells each batch's
// Completer, in the order of the commits. There is no timer: an idle store syncs a lone message at once, a busy one
// shares each sync among all that wait.
//
// Promises:
//   - A batch is atomic: after a power cut all of it is there or none.
//   - Batches reach the disk in the order of their Commit; after a power cut a prefix of that order is there.
//   - Committed(token, nil) is called only after fsync. Every Commit is answered exactly once, by the committer's
//     goroutine, which holds no lock then; the answers come in the order of the commits.
//   - CommitLazy is answered by nobody. It is written to the operating system at once, together with what else is
//     pending, but is not a reason to sync: the next group with a Commit in it, or Close, syncs it too. It thus
//     survives the end of the process and may be lost in a power cut. Right for deleting a message whose consumer
//     does not wait for confirmation: a lost deletion is a redelivery, and that is marked by the lease.
//   - A record carries a CRC-32C over its key and value. A record that does not match is reported as *CorruptError;
//     it is neither handed out nor passed over in silence. So is a block of records in which Pebble finds a bad bit, when
//     messages are recovered or read.
//   - A disk that is almost full keeps new messages out (Admit) and lets everything else go on: a bit of it is left
//     free for deletions and for Pebble's own work, and the space that deletions free is looked for at once. On a disk
//     that is full all the same, because of others, writes wait until it has room, and then go on where they stopped;
//     nothing is answered before, and nothing is lost.
//   - Another write that fails, and any sync, ends the store: what the disk holds is then unknown, and a second sync that
//     succeeds says nothing about what the first one lost. Everything pending and everything later gets the error, and
//     Options.OnFailure is called once. So it is when tables cannot be written in the background. When Pebble itself
//     gives up (its manifest cannot be written, or its log not be closed), the store logs the reason and panics: there is
//     nothing left to serve, and what was acknowledged is on disk.
//
// Where. Groups are entries of a Journal, at positions that rise, and the store reads the state that they make (View). The
// journal is Pebble, or another one that keeps the same promises; who loses it to somebody else is fenced off, which ends the
// store as a failed sync does.
//
// Keys, all numbers big endian so that they sort:
//
//	s <name>                            the store itself: schema version, next queue number, clean stop
//	c <kind> <len> <tenant> <name>      catalogue: queue number and the caller's description
//	q <queue:8>                         metadata of a queue: head, last number, leases
//	q <queue:8> <seq:8>                 a message: its head, and its body unless that is large
//	b <queue:8>                         that the queue has, or had, large bodies
//	b <queue:8> <seq:8>                 a large body
//	h <queue:8> <seq:8>                 what is remembered of a message besides itself
//	i <queue:8> <seq:8>                 who a message was, to know it when it is sent again
//	r <len> <tenant> <topic>            a retained message
//	d <len> <tenant> <len> <client> <name>  what a door remembers of a client
//
// Consumed messages are deleted key by key, with Pebble's single deletes: a message that comes and goes within one
// memtable leaves nothing behind on disk. Metadata carries the head of the queue, so that recovery seeks to the
// first message instead of walking over deletions. What is below a head that has moved far is deleted once more, as a
// range (trim.go), and a store that is almost idle writes out deletions that wait in memory (reclaim.go): so the disk gets
// back what was consumed. What is set aside goes with the range.
package store

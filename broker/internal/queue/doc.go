// Package queue is the state machine of one queue: which messages wait, who holds which, and what happens to a
// message when its holder answers. It has no goroutines, no locks, no clock and no I/O.
//
// A message is known here by its number (Seq) alone; its body stays in the store. The shell around the machine
// feeds in what happened (Append, Stored, Attach, Settle, ...) and carries out what the machine says (Next,
// LeaseWanted). The same inputs in the same order give the same outputs.
//
// Promises:
//   - Numbers rise. A number that reached the disk is never given to another message.
//   - Entries become assignable strictly in the order of their numbers, and only once they are on disk. An entry
//     that comes back (released, failed, holder gone) regains its place: it goes before every higher number.
//   - An entry has at most one holder. Every assignment has its own tag; the tag is never used again by this Queue,
//     and settling a tag that is no longer current changes nothing.
//   - Consumers with credit take turns; nothing is assigned to one without.
//   - No entry above the stored lease is assigned (see lease.go), so after a crash every message that anyone may
//     have seen is known as a redelivery.
//   - Append, Stored, Next and Settle take amortised constant time, a logarithm for entries that came back, and do
//     not allocate once the queue has its working size. A waiting entry costs 16 bytes, at most twice that while
//     the queue grows.
//
// A Queue is owned by one goroutine or guarded by one mutex of its owner.
//
// Where later features enter. Priorities: one `entries` line per priority, tried in order by firstReady; the number
// stays the identity. Delayed delivery and redelivery delay: a state "delayed" beside storing, with a heap by due
// time that an input Advance(now) moves to `returned`; the heap's top is an output Deadline. TTL: a heap by expiry
// that the same Advance turns into removals. Dead letters and the delivery limit: a further Effect that Settle
// answers for Reject, or for Fail on the last attempt, instead of Removed. Overflow dropHead: Append answers the
// numbers it removed instead of ErrFull; like purge and TTL it removes entries above the lease, so the shell must
// store Head with it. Transactions: Append and Settle carry a transaction; entries stay storing, and settled ones
// assigned, until its end is stored. Selectors and groups: hasCredit also sees the entry, and firstReady becomes a
// walk per consumer. A backlog beyond memory: `entries` holds only a window from Head, the shell refills it by
// Restore when its end comes near, and Len and Bytes become counters of their own.
package queue

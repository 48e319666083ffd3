// Package queue is the state machine of one queue: which messages wait, who holds which, and what happens to a
// message when its holder answers. It has no goroutines, no locks, no clock and no I/O.
//
// A message is known here by its number (Seq) and the few facts in Entry; its body stays in the store. The shell around
// the machine feeds in what happened (Append, Stored, Attach, Settle, Advance, ...) and carries out what the machine
// says (Turn, LeaseWanted, Deadline). The same inputs in the same order give the same outputs.
//
// How a message is handed out: Turn proposes a consumer and the entry that it would get; the shell has the body at hand,
// or fetches it, looks at it if the consumer selects, and answers Assign or Pass. Every priority is a line of entries,
// in chunks; in a long line those that nobody works at are packed. Consumers that take every message share one cursor in
// each line; a consumer that selects, browses, or must not get certain entries has cursors of its own, so that what one
// does not want stands in nobody else's way.
//
// Promises:
//   - Numbers rise. A number that reached the disk is never given to another message, if the shell stores Past as it is
//     asked to.
//   - Within a priority, entries become assignable in the order of their numbers, and only once they are on disk. An
//     entry that comes back (released, failed, holder gone) regains its place: it goes before every higher number. Only
//     one that waits for its time lets others pass.
//   - An entry has at most one holder. Every assignment has its own tag; the tag is never used again by this Queue,
//     and settling a tag that is no longer current changes nothing.
//   - Higher priorities go first.
//   - Consumers with credit take turns, those of a higher priority first; nothing is assigned to one without.
//   - An entry that had expired at the latest Advance is not assigned. One that a consumer holds stays his.
//   - No entry above the stored lease of its priority is assigned (see lease.go), so after a crash every message that
//     anyone may have seen is known as a redelivery.
//   - Dead and expired entries stay in the state, out of line, until the shell has moved or dropped them (Remove).
//   - With consumers that take every message, Append, Stored, Turn, Assign and Settle take amortised constant time, a
//     logarithm for entries that came back or are in the middle of a long line, and do not allocate while the queue is
//     kept up with. Other access to a packed entry, as when it expires or is removed, unpacks its chunk of 1,024.
//   - A backlog is packed: of one size, a message costs a fraction of a byte; of any size, or with a time to live, two
//     or three bytes. Looking through it unpacks nothing.
//   - What cannot be packed costs 16 bytes, 8 more with a time to live: some ten chunks of each line, which consumers and
//     producers work at, every chunk with an entry that is being stored, is held or waits for its time, and lines with
//     last-value keys. A due time costs 16 bytes more and a logarithm, a key its map entries, priority and group nothing.
//   - What is remembered is bounded by what is in the queue and who is attached: a line has few slots or at most four
//     times as many as entries, entries that came back are remembered at most about twice by each set of cursors, groups
//     share 255 places, and what a consumer is not to get again is forgotten when it leaves.
//
// A Queue is owned by one goroutine or guarded by one mutex of its owner.
package queue

// Package management answers requests of the AMQP management protocol as the Qpid Dispatch Router speaks it, so that its
// tools, qdstat and qdmanage, find what they look for.
//
// What is managed are entities: each is of an entity type, and has attributes. [Answer] takes a request and gives the
// answer; what it tells it asks a [Model], which is of one tenant. The fields of the structs here are the attributes, and
// their tags say what the schema says: what is told and what is declared cannot differ.
//
// Promises:
//   - Nothing here starts a goroutine, locks, waits or does any I/O, but for what a Model does.
//   - Every request gets an answer, whatever is in it, and no answer is larger than there is room for. An answer is whole:
//     what does not fit is refused, with a word on paging.
//   - What a request does not have the right to see or change it cannot tell apart from anything else: it hears 403.
//
// The protocol is the working draft 9 of "AMQP Management Version 1.0" of OASIS, as far as Dispatch follows it:
// https://www.oasis-open.org/committees/download.php/54441/AMQP%20Management%20v1.0%20WD09
package management

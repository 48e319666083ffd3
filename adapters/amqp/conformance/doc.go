// Package conformance holds conversations with an AMQP 1.0 container, one for each rule of parts 2 (transport), 3
// (messaging), 4 (transactions) and 5 (security) of the standard that a container can break. They are tests:
//
//	go test ./adapters/amqp/conformance                    our own door, started by the test
//	go test ./adapters/amqp/conformance -addr host:port    any other container
//
// Each scenario uses queues of its own, which the container has to make when they are first used: their addresses begin
// with what -queue says, and numbers follow. docs/conformance.md has the results, ours and those of other containers.
//
// Promises:
//   - A scenario is one conversation on connections of its own, and needs nothing that another has left.
//   - The client checks whatever it reads: the size of frames, their channels and what is in them.
//   - Nothing waits for time to pass, except for heartbeats, what expires, and what must not come.
//
// Which rules there are, and which scenarios look at each, is listed in testdata/rules.txt.
//
// Numbers in front of names are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package conformance

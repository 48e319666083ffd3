// Package federation is what messages and links carry that go from one network of Manifolds to another: where a message
// has been, so that it does not go round in circles, and what it is, so that one that is sent again is known.
//
// All of it is in annotations [3.2.3] and in the properties of an attach [2.7.3], which other brokers pass on or ignore.
// The bare message is never touched. The package is pure: no goroutines, no clock, no I/O.
//
//	x-opt-manifold-trace   list of strings: the tags of the networks that the message has left, the first first
//	x-opt-manifold-to      string: the address that it was published to, between two Manifolds where a link has several
//	x-opt-manifold-id      binary: what a queue that has it on disk calls a message that has no message-id
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package federation

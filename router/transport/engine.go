package transport

import "time"

// Engine is a protocol engine, or a door's connection around one: bytes and time in, bytes out.
type Engine interface {
	// Feed takes bytes from the peer; p is borrowed until it returns. With an empty p it goes on with what it kept
	// back while it was not Ready. An error ends the connection once what is left to Flush has been written. Where it
	// waits for anything it does so by Errands.Aside.
	Feed(now time.Time, p []byte) error
	// Ready tells whether Feed would take more. While it is false nothing is read, which holds the peer back.
	Ready() bool
	// Advance lets time pass; it is called when Deadline has come.
	Advance(now time.Time) error
	// Deadline is when Advance wants to be called; zero for never.
	Deadline() time.Time
	// Flush appends what is to be written and forgets it. It stops soon after FlushSize bytes, so that memory stays
	// bounded; when it appends less, there is no more for now.
	Flush(dst []byte) []byte
	// Closed tells that the conversation is over: once Flush has nothing more, the connection is closed.
	Closed() bool
	// Drain says that the process is stopping: the engine says goodbye in its protocol and becomes Closed when it has
	// finished what it owes.
	Drain(now time.Time)
}

// FlushSize is about how much one call of Flush appends at most, in bytes.
const FlushSize = 64 << 10

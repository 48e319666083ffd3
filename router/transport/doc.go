// Package transport drives a pure protocol engine over a network connection: it owns the goroutines, the timer, the
// buffers and the backpressure, so that an engine has none of them.
//
// Promises:
//   - An engine's methods are called one at a time, under the connection's lock.
//   - A connection has two goroutines at most, a reader and a writer, and Serve returns after both have ended. An idle
//     one has only its reader.
//   - A reader that was given little writes for the connections that its bytes have woken: a message that comes alone
//     wakes no other goroutine on its way. One that waits for something, by Errands.Aside, keeps nobody waiting but its own
//     connection.
//   - An idle connection holds no buffer. All that an engine has to say at one moment goes out in one write.
//   - Nothing is read while the engine is not Ready, and a peer that takes nothing of what is written to it is cut off
//     after the write timeout.
//   - What was written last reaches a peer that still sends: a socket is hung up first, and closed a while later.
package transport

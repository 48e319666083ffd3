// Package client is the command line as a client: `manifold send` and `manifold receive`, over AMQP 1.0.
//
// It talks to any server of that protocol. Promises:
//   - Sending succeeds only if every message was accepted; any other outcome is an error that says what became of it.
//     Who asks for no outcome (--settled) hears only what goes wrong on the way.
//   - Receiving settles a message after it has been written out, and gives back what it was sent and did not write.
//   - What goes wrong is said in a sentence, and never contains a password.
package client

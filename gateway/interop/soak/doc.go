// Package soak kills a working gateway with SIGKILL, again and again for as long as it is told to, and looks for messages
// that were lost, made up, or repeated without a mark. `make soak` runs it; its tests are behind the build tag interop.
//
// Clients of every protocol publish to queues and topics and consume from them; some reject what they get, so that it
// becomes dead letters, and some move messages from one queue to another in transactions. A ledger knows of each message
// what its publisher was told, where it was seen, and which settlements were confirmed. After the last kill everything is
// consumed, and then the ledger must have no account open.
//
// The environment sets how it goes: MANIFOLD_SOAK how long (1m), MANIFOLD_KILLS how many kills a minute (5),
// MANIFOLD_SEED at which instants. The one client that has to be installed is Qpid Proton for Python, for transactions
// over AMQP; INTEROP_PARTIAL=1 leaves it out.
package soak

// Package stat shows what goes on in a gateway: `manifold stat` once, `manifold top` again and again.
//
// It asks $management over AMQP 1.0, as qdstat does, and so it can be pointed at a Qpid Dispatch Router as well. Promises:
//   - It only reads.
//   - What it shows as a table is for people; what it shows as JSON, YAML or CSV has the names of the attributes and plain
//     numbers, and is for programs.
//   - What goes wrong is said in a sentence, and never contains a password.
package stat

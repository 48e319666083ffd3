// Package frame holds the frames of AMQP 1.0: their headers, the performatives in them, and the values that
// performatives carry, such as termini, delivery states and errors. Each type turns itself into bytes and back.
//
// Promises:
//   - Pure and stateless, on the codec of package amqp.
//   - Read is tolerant of fields left out at the end of a list [1.4], and strict about mandatory fields and types: what
//     it refuses is a [*amqp.DecodeError].
//   - What Read returns as []byte or [amqp.RawValue] is borrowed from the input. Strings are copies.
//   - The zero value of a field that is not mandatory means that it is absent, unless its comment says otherwise.
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package frame

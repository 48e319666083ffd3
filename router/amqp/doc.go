// Package amqp is the AMQP 1.0 codec: it turns the types and the message format of the standard into bytes and back.
//
// It has three layers, each usable alone:
//
//   - values: the Append functions write one value in its smallest encoding, a [Decoder] reads values back
//     (part 1 of the standard, "Types");
//   - composites: [ListReader] and [ListWriter] handle the fields of a described list, [MapView] and [MapWriter]
//     the entries of a map, all without building Go maps or slices;
//   - messages: a [Message] is one encoded message whose sections are found when asked for
//     (part 3, "Messaging", section 3.2).
//
// Promises:
//
//   - Pure. No input or output, no clock, no goroutines, no locks, no state outside the values you hold.
//   - Bounded. No input makes a decoder use memory out of proportion to its length, nest deeper than [MaxDepth]
//     or panic. A peer's mistake is a [*DecodeError].
//   - Borrowed bytes. Whatever a decoder or a message returns as []byte, [RawValue], [MapView] or [Array] points into
//     the input and must not be changed; it is valid as long as the input is left alone. A [Message] is immutable for
//     good, so that goroutines may share it.
//   - Byte exact. The bare message (properties, application properties, body) is never decoded and encoded again; only
//     the sections in front of it are rewritten.
//
// Numbers in square brackets, such as [1.6.14], are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package amqp

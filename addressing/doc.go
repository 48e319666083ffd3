// Package addressing says what an address is, which addresses a filter selects, and what is declared about them.
//
// An [Address] names one place in a tenant's address space. A [Filter] selects addresses with wildcards. A
// [Definition] declares the [Kind] and the settings of the addresses that its name covers, a [Space] finds the
// definition of an address, and an [Index] finds every value (a subscription, say) whose filter matches an address.
//
// Promises:
//
//   - Everything here is pure: no goroutines, no locks, no clock, no I/O, and only the standard library.
//   - Text goes through unchanged. Addresses are compared byte for byte: no case folding, no Unicode normalization,
//     no "." or "..". What a parser returns may share the memory of the string that it was given.
//   - Address, Filter, Kind and Distribution are comparable values. A Space never changes and may be shared by
//     goroutines. An Index may be read by many goroutines while nobody changes it.
//   - Hostile text costs linear time. A filter holds at most [MaxLevels] levels and [MaxWildcards] one-level
//     wildcards, and one more filter in an Index makes a lookup visit at most two more nodes, whatever its text.
//
// One rule holds everywhere: a filter that begins with a wildcard does not select an address that begins with '$'
// (MQTT 5.0 section 4.7.2), so that subscribing to everything does not show the server's own addresses.
package addressing

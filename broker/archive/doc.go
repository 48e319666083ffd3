// Package archive looks after a data directory while no gateway uses it: it checks and counts what is there, writes it
// out as lines of text, and reads such lines into a new directory.
//
// Promises:
//   - Check, Stats and Export change nothing, and do not begin while a gateway has the directory.
//   - What cannot be trusted is named, one by one, and what can be is not lost with it.
//   - Import takes all or nothing: until every line was read, and what the last says of them all is true, the directory
//     is of no use to a gateway.
//
// An export is text. The first line is "manifold-export", the version of the format and the schema of the store. Each
// of the others is a record, in the order of the keys: its kind, which is for people, its key in hexadecimal, its flags,
// its value in base64 or "-" for none, and the CRC-32C of the line up to there in hexadecimal. The last is "end", the
// number of records and the CRC-32C of all the lines before it. Words are set apart by one space.
package archive

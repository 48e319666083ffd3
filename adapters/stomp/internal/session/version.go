package session

import (
	"strings"
	"unicode/utf8"
)

// Version is a version of STOMP.
type Version byte

// The versions, in their order.
const (
	V10 Version = iota + 1
	V11
	V12
)

// versions are all that are spoken, as CONNECT and ERROR list them.
const versions = "1.0,1.1,1.2"

// String gives the version as CONNECTED has it.
func (v Version) String() string { return [...]string{"", "1.0", "1.1", "1.2"}[v] }

// negotiate picks the highest version that both sides speak; ok is false when there is none. A client that lists none
// speaks 1.0 (STOMP 1.2, "Protocol Negotiation").
func negotiate(accepted string, listed bool) (v Version, ok bool) {
	if !listed {
		return V10, true
	}
	for version := range strings.SplitSeq(accepted, ",") {
		for known := V10; known <= V12; known++ {
			if strings.TrimSpace(version) == known.String() {
				v = max(v, known)
			}
		}
	}
	return v, v != 0
}

// checkHeader refuses a header line of the client that this version does not allow: its escapes have to be defined
// (STOMP 1.2, "Value Encoding"), and texts are UTF-8. CONNECT and STOMP 1.0 have no escapes, there a backslash is itself.
func (v Version) checkHeader(line []byte) *Refusal {
	if !utf8.Valid(line) {
		return refuse(Malformed, "a header is not UTF-8")
	}
	for i := 0; v.escapes() && i < len(line); i++ {
		if line[i] != '\\' {
			continue
		}
		if i++; i == len(line) || !v.defines(line[i]) {
			return refuse(Malformed, "a header has an escape that STOMP %v does not define", v)
		}
	}
	return nil
}

// escapes tells whether headers of this version have escapes; those of CONNECT, before there is a version, have none.
func (v Version) escapes() bool { return v >= V11 }

// defines tells whether a backslash before c is an escape.
func (v Version) defines(c byte) bool {
	return c == 'n' || c == 'c' || c == '\\' || c == 'r' && v >= V12
}

// appendHeader appends a header line. One that this version cannot write is left out.
func (v Version) appendHeader(dst []byte, name, value string) []byte {
	if !v.canWrite(name, value) {
		return dst
	}
	if !v.escapes() {
		return append(append(append(append(dst, name...), ':'), value...), '\n')
	}
	dst = append(v.appendEscaped(dst, name), ':')
	return append(v.appendEscaped(dst, value), '\n')
}

// canWrite tells whether a header can be written. No version can write NUL, with which many clients end a frame.
func (v Version) canWrite(name, value string) bool {
	if name == "" || strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0 {
		return false
	}
	return v.escapes() || !strings.ContainsAny(name, "\r\n:") && !strings.ContainsAny(value, "\r\n")
}

// appendEscaped appends a text as this version writes it in headers. STOMP 1.1 has no escape for CR, which is no end of a
// line there.
func (v Version) appendEscaped(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			dst = append(dst, `\\`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == ':':
			dst = append(dst, `\c`...)
		case c == '\r' && v >= V12:
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

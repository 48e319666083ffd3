package http

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// Text in the Manifold headers is UTF-8 of which everything but visible ASCII and inner spaces is percent-encoded, and
// so is '%' itself. RFC 9110 section 5.5 gives other octets no agreed meaning and lets spaces at the ends get lost.

// escapeText gives the header form of a text.
func escapeText(s string) string {
	if strings.Trim(s, " ") != s {
		return escape(s, func(c byte) bool { return c != ' ' && inText(c) })
	}
	for i := range len(s) {
		if !inText(s[i]) {
			return escape(s, inText)
		}
	}
	return s
}

func inText(c byte) bool { return c >= ' ' && c < 0x7F && c != '%' }

// inPair tells which characters a property's name and value may show: ',' separates properties and '=' ends a name.
func inPair(c byte) bool { return c > ' ' && c < 0x7F && c != '%' && c != ',' && c != '=' && c != '"' }

// escape percent-encodes each byte that keep refuses (RFC 3986 section 2.1).
func escape(s string, keep func(byte) bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 2*8)
	for i := range len(s) {
		if c := s[i]; keep(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&0xF]})
		}
	}
	return b.String()
}

// unescapeText reads the header form of a text; name is the header's, for the error.
func unescapeText(name, s string) (string, error) {
	text, err := url.PathUnescape(s)
	if err != nil {
		return "", router.Errorf(router.Malformed, "header %s: %v; write '%%' as %%25", name, err)
	}
	if !utf8.ValidString(text) {
		return "", router.Errorf(router.Malformed, "header %s: not UTF-8", name)
	}
	return text, nil
}

// Prefixes of message ids that are not strings [3.2.11 to 3.2.13 of AMQP 1.0 part 3]. A string that begins with one of
// them is told apart by a prefix of its own.
const (
	prefixUlong  = "ulong:"
	prefixUUID   = "uuid:"
	prefixBinary = "binary:" // unpadded base64url (RFC 4648 section 5)
	prefixString = "string:"
)

// formatID writes a message id or correlation id as text, without loss of its type.
func formatID(id any) string {
	switch id := id.(type) {
	case string:
		for _, p := range [...]string{prefixUlong, prefixUUID, prefixBinary, prefixString} {
			if strings.HasPrefix(id, p) {
				return prefixString + id
			}
		}
		return id
	case uint64:
		return prefixUlong + strconv.FormatUint(id, 10)
	case amqp.UUID:
		return prefixUUID + id.String()
	case []byte:
		return prefixBinary + base64.RawURLEncoding.EncodeToString(id)
	}
	return ""
}

// parseID reads what formatID wrote; empty text is no id.
func parseID(name, s string) (any, error) {
	if s == "" {
		return nil, nil
	}
	prefix, rest, _ := strings.Cut(s, ":")
	var id any
	var err error
	switch prefix + ":" {
	case prefixUlong:
		id, err = strconv.ParseUint(rest, 10, 64)
	case prefixUUID:
		id, err = parseUUID(rest)
	case prefixBinary:
		id, err = base64.RawURLEncoding.Strict().DecodeString(rest)
	case prefixString:
		id = rest
	default:
		id = s
	}
	if err != nil {
		return nil, router.Errorf(router.Malformed, "header %s: what follows %s: is not one", name, prefix)
	}
	return id, nil
}

// parseUUID reads the form of RFC 9562 section 4.
func parseUUID(s string) (id amqp.UUID, err error) {
	digits := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(digits) != 32 {
		return id, hex.ErrLength
	}
	if _, err = hex.Decode(id[:], []byte(digits)); err == nil && id.String() != strings.ToLower(s) {
		err = hex.ErrLength
	}
	return id, err
}

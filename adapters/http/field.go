package http

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
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

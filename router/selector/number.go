package selector

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errTooLarge is what is wrong with a number beyond the largest ulong or double.
var errTooLarge = errors.New("number is too large")

// scanNumber reads a number as Java writes it.
func (s *scanner) scanNumber(t *token) error {
	rest := s.text[s.off:]
	n, literal, err := readNumber(rest)
	if err != nil {
		return syntaxError(t.offset, "%v", err)
	}
	s.off += n
	if r, _ := utf8.DecodeRuneInString(rest[n:]); n < len(rest) && (isIdentifierPart(r) || r == '.') {
		return syntaxError(s.off, "%q right after a number", r)
	}
	t.kind, t.literal = number, literal
	return nil
}

// readNumber returns the number at the start of text and its length.
func readNumber(text string) (n int, v value, err error) {
	if len(text) > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		return readHexadecimal(text)
	}
	n = digits(text)
	if strings.HasPrefix(text[n:], ".") {
		n += 1 + digits(text[n+1:])
	}
	n += exponent(text[n:])
	written := text[:n]
	integer := !strings.ContainsAny(written, ".eE")
	switch suffix := text[n:min(n+1, len(text))]; {
	case suffix == "d" || suffix == "D":
		v, err = parseDecimal(written, 64)
		return n + 1, v, err
	case suffix == "f" || suffix == "F":
		v, err = parseDecimal(written, 32)
		return n + 1, v, err
	case integer && (suffix == "l" || suffix == "L"):
		v, err = parseInteger(written)
		return n + 1, v, err
	case integer:
		v, err = parseInteger(written)
	default:
		v, err = parseDecimal(written, 64)
	}
	return n, v, err
}

// digits counts the digits at the start of text.
func digits(text string) int { return len(text) - len(strings.TrimLeft(text, "0123456789")) }

// exponent gives the length of the exponent at the start of text, 0 if there is none.
func exponent(text string) int {
	if text == "" || text[0] != 'e' && text[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(text) && (text[n] == '+' || text[n] == '-') {
		n++
	}
	if size := digits(text[n:]); size > 0 {
		return n + size
	}
	return 0
}

func parseInteger(written string) (value, error) {
	base := 10
	if len(written) > 1 && written[0] == '0' {
		base = 8
		if strings.ContainsAny(written, "89") {
			return value{}, errors.New("octal number has a digit 8 or 9")
		}
	}
	n, err := strconv.ParseUint(written, base, 64)
	if err != nil {
		return value{}, errTooLarge
	}
	return unsignedOf(n), nil
}

func parseDecimal(written string, bits int) (value, error) {
	f, err := strconv.ParseFloat(written, bits)
	if err != nil {
		return value{}, errTooLarge
	}
	return approximateOf(f), nil
}

// readHexadecimal reads a hexadecimal number. Without a suffix, its digits may be those of a binary too, and are only
// that if there are too many for a number.
func readHexadecimal(text string) (n int, v value, err error) {
	const prefix = len("0x")
	n = len(text) - len(strings.TrimLeft(text[prefix:], "0123456789abcdefABCDEF"))
	written := text[prefix:n]
	if written == "" {
		return n, value{}, errors.New("hexadecimal number has no digits")
	}
	integer, tooLarge := strconv.ParseUint(written, 16, 64)
	v = unsignedOf(integer)
	if n < len(text) && (text[n] == 'l' || text[n] == 'L') {
		n++
	} else if octets, err := hex.DecodeString(written); err == nil && tooLarge != nil {
		return n, textOf(octets), nil
	} else if err == nil {
		v.octets = octets
	}
	if tooLarge != nil {
		return n, value{}, errTooLarge
	}
	return n, v, nil
}

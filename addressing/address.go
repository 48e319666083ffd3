package addressing

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// Bounds of an address and of the canonical text of a filter.
const (
	// MaxLength is the most bytes of text: what the two-byte length of an MQTT string can say
	// (MQTT 5.0 section 1.5.4).
	MaxLength = 65535
	// MaxLevels is the most levels; "a/b" has two.
	MaxLevels = 128
)

// Address names one place in a tenant's address space: levels separated by '/', exactly as they were written.
// A level may be empty and may contain spaces, dots and '*'; it is never "+" or "#" alone, because those two stand
// for wildcards inside a [Filter].
//
// An Address comes from [ParseAddress]. Converting unchecked text is a mistake of the program: the other functions
// of this package rely on the rules of ParseAddress.
type Address string

// ParseAddress checks that s can be an address and returns it unchanged. It must be 1 to [MaxLength] bytes of valid
// UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F) and noncharacters, in at most [MaxLevels]
// levels, none of which is "+" or "#" alone. The error does not repeat the text, which may be long and hostile.
//
// The rules are those of MQTT topic names (MQTT 5.0 sections 1.5.4 and 4.7.3), except that '+' and '#' inside a
// longer level are allowed here and left to the MQTT adapter to refuse.
func ParseAddress(s string) (Address, error) {
	if err := checkText(s); err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	number := 0
	for level := range Address(s).Levels() {
		number++
		if isWildcard(level) {
			return "", fmt.Errorf("address: level %d is %q, which only a filter may contain", number, level)
		}
	}
	return Address(s), nil
}

// String returns the address as it was written.
func (a Address) String() string { return string(a) }

// Levels yields the levels of a from the left, without allocating. "a//b" has the levels "a", "" and "b".
func (a Address) Levels() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := levelsOf(string(a)); ; {
			level, ok := rest.next()
			if !ok || !yield(level) {
				return
			}
		}
	}
}

// levels is what is left of an address or of a filter on a walk from the left. An empty last level and the end
// differ only in more.
type levels struct {
	text string
	more bool
}

// levelsOf starts a walk over text. Empty text has no level.
func levelsOf(text string) levels { return levels{text: text, more: text != ""} }

// next takes the leftmost level off; ok is false at the end.
func (l *levels) next() (level string, ok bool) {
	if !l.more {
		return "", false
	}
	if i := strings.IndexByte(l.text, '/'); i >= 0 {
		level, l.text = l.text[:i], l.text[i+1:]
		return level, true
	}
	level, l.text, l.more = l.text, "", false
	return level, true
}

// checkText checks what addresses and filters have in common: length, characters, and the number of levels.
func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("empty")
	case len(s) > MaxLength:
		return fmt.Errorf("%d bytes, more than %d", len(s), MaxLength)
	case strings.Count(s, "/") >= MaxLevels:
		return fmt.Errorf("more than %d levels", MaxLevels)
	}
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7F {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return fmt.Errorf("invalid UTF-8 at byte %d", i)
		case r <= 0x1F || r >= 0x7F && r <= 0x9F:
			return fmt.Errorf("control character %U at byte %d", r, i)
		case r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE:
			return fmt.Errorf("noncharacter %U at byte %d", r, i)
		}
		i += size
	}
	return nil
}

package addressing

import (
	"errors"
	"fmt"
	"strings"
)

// MaxWildcards is the most one-level wildcards of a filter. Nothing sensible needs more, and each of them lets a
// lookup in an [Index] branch once more.
const MaxWildcards = 16

// The wildcards of the canonical text. No level of an address can be equal to one of them, whereas the '*' of the
// house syntax is a legal level of an MQTT topic name.
const (
	oneLevel = "+" // exactly one level, which may be empty
	restMark = "#" // the rest: zero or more levels; only as the last level
)

// Filter selects addresses: literal levels, one-level wildcards, and possibly a last wildcard for the rest, which
// stands for zero or more levels, so that "a/#" also selects "a". A filter that begins with a wildcard does not
// select addresses that begin with '$'.
//
// It has two notations. In the house syntax of configurations, AMQP and HTTP ([ParseFilter]) '*' stands for one
// level; in MQTT ([ParseMQTTFilter]) '+' does. In both '#' stands for the rest. Filters that were written
// differently but select level by level the same are equal. The zero Filter selects nothing. Definitions may be named in a
// third notation, which is that of Qpid Dispatch ([ParseTokens]).
type Filter struct {
	text string // canonical: MQTT's wildcards, literal levels as in an Address
}

// ParseFilter reads the house syntax: a level "*" stands for one level, a last level "#" for the rest. Inside a
// longer level both are ordinary characters. The literal level "*" is written `\*`, the literal level `\*` is
// written `\\*`, and so on. What is left must follow the rules of [ParseAddress], and there are at most
// [MaxWildcards] levels "*".
func ParseFilter(s string) (Filter, error) {
	text, err := fromHouse(s)
	if err != nil {
		return Filter{}, fmt.Errorf("filter: %w", err)
	}
	return newFilter(text)
}

// ParseMQTTFilter reads an MQTT topic filter: a level "+" stands for one level, a last level "#" for the rest, and a
// level "*" is literal. Either wildcard inside a longer level is refused (MQTT 5.0 sections 4.7.1.2 and 4.7.1.3).
// Otherwise the bounds are those of [ParseFilter]. A prefix "$share/group/" is for the caller to take off first.
func ParseMQTTFilter(s string) (Filter, error) {
	rest := levelsOf(s)
	for number := 1; ; number++ {
		level, ok := rest.next()
		if !ok {
			return newFilter(s)
		}
		if !isWildcard(level) && strings.ContainsAny(level, oneLevel+restMark) {
			return Filter{}, fmt.Errorf("filter: level %d contains a wildcard, which must be a level of its own", number)
		}
	}
}

// Filter returns the filter that selects a and nothing else.
func (a Address) Filter() Filter { return Filter{text: string(a)} }

// Literal returns the one address that f selects; ok is false if f contains a wildcard or is zero.
func (f Filter) Literal() (a Address, ok bool) {
	if f.IsZero() || f.IsTokens() {
		return "", false
	}
	if strings.ContainsAny(f.text, oneLevel+restMark) {
		for level := range Address(f.text).Levels() {
			if isWildcard(level) {
				return "", false
			}
		}
	}
	return Address(f.text), true
}

// IsZero tells whether f is the zero Filter, which no parser returns.
func (f Filter) IsZero() bool { return f.text == "" }

// String returns the house syntax, which [ParseFilter] turns into the same filter again; of a filter of tokens what
// UnmarshalText reads. It is empty for the zero Filter.
func (f Filter) String() string {
	if f.IsTokens() {
		return TokensPrefix + f.text[len(tokensMark):]
	}
	if !strings.ContainsAny(f.text, oneLevel+"*") {
		return f.text
	}
	text, _ := rewrite(f.text, func(level string) (string, error) {
		switch {
		case level == oneLevel:
			return "*", nil
		case isEscapedStar(level):
			return `\` + level, nil
		}
		return level, nil
	})
	return text
}

// MarshalText returns the house syntax.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// ReadFilter reads what a configuration says: the house syntax as [ParseFilter] does, and what follows "tokens:" as
// [ParseTokens] does.
func ReadFilter(s string) (Filter, error) {
	if written, ok := strings.CutPrefix(s, TokensPrefix); ok {
		return ParseTokens(written)
	}
	return ParseFilter(s)
}

// UnmarshalText reads a filter as ReadFilter does.
func (f *Filter) UnmarshalText(text []byte) error {
	parsed, err := ReadFilter(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}

// fromHouse turns the house syntax into canonical text; newFilter checks what it does not.
func fromHouse(s string) (string, error) {
	if !strings.ContainsAny(s, oneLevel+"*") {
		return s, nil
	}
	number := 0
	return rewrite(s, func(level string) (string, error) {
		number++
		switch {
		case number > MaxLevels:
			return "", fmt.Errorf("more than %d levels", MaxLevels)
		case level == oneLevel:
			return "", fmt.Errorf(`level %d is "+"; write "*" for one level`, number)
		case level == "*":
			return oneLevel, nil
		case isEscapedStar(level):
			return level[1:], nil
		}
		return level, nil
	})
}

// newFilter checks canonical text and makes it a filter.
func newFilter(text string) (Filter, error) {
	if err := checkText(text); err != nil {
		return Filter{}, fmt.Errorf("filter: %w", err)
	}
	wildcards := 0
	for rest := levelsOf(text); ; {
		level, ok := rest.next()
		switch {
		case !ok && wildcards > MaxWildcards:
			return Filter{}, fmt.Errorf("filter: %d one-level wildcards, more than %d", wildcards, MaxWildcards)
		case !ok:
			return Filter{text: text}, nil
		case level == oneLevel:
			wildcards++
		case level == restMark && rest.more:
			return Filter{}, errors.New(`filter: "#" stands for the rest and must be the last level`)
		}
	}
}

// rewrite returns text with every level changed, or the first error of change.
func rewrite(text string, change func(level string) (string, error)) (string, error) {
	var b strings.Builder
	b.Grow(len(text) + 1)
	for rest := levelsOf(text); ; {
		level, ok := rest.next()
		if !ok {
			return b.String(), nil
		}
		level, err := change(level)
		if err != nil {
			return "", err
		}
		b.WriteString(level)
		if rest.more {
			b.WriteByte('/')
		}
	}
}

// isWildcard tells whether a level of canonical text is a wildcard.
func isWildcard(level string) bool { return level == oneLevel || level == restMark }

// isEscapedStar tells whether a level is a '*' after any number of backslashes. Such literal levels carry one more
// backslash in the house syntax.
func isEscapedStar(level string) bool { return strings.TrimLeft(level, `\`) == "*" }

package selector

import (
	"slices"
	"unicode/utf8"
)

// pattern is what LIKE compares with: characters, anyOne for an underscore and anyRun for a percent sign.
type pattern []rune

const (
	anyOne rune = -1 - iota
	anyRun
)

// parsePattern reads a pattern. The escape character, if it is not 0, takes the meaning from the character after it;
// ok is false if there is none.
func parsePattern(s string, escape rune) (p pattern, ok bool) {
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
		case r == escape && escape != 0:
			escaped = true
			continue
		case r == '_':
			r = anyOne
		case r == '%':
			r = anyRun
		}
		if r != anyRun || len(p) == 0 || p[len(p)-1] != anyRun {
			p = append(p, r)
		}
	}
	return slices.Clip(p), !escaped
}

// matches compares a whole text with the pattern. The characters that a run stands for are as few as possible; when
// the rest does not fit, only the latest run is made longer, as a longer earlier one could not help. So each character
// of the text is looked at no more often than the pattern is long.
func (p pattern) matches(octets []byte) bool {
	const none = -1
	at, run, resume := 0, none, 0 // next of the pattern; the latest run; where the text goes on after it
	for i := 0; i < len(octets); {
		r, size := utf8.DecodeRune(octets[i:])
		switch {
		case at < len(p) && p[at] == anyRun:
			run, resume = at, i
			at++
		case at < len(p) && (p[at] == anyOne || p[at] == r):
			at++
			i += size
		case run != none:
			_, size := utf8.DecodeRune(octets[resume:])
			resume += size
			at, i = run+1, resume
		default:
			return false
		}
	}
	return at == len(p) || at == len(p)-1 && p[at] == anyRun
}

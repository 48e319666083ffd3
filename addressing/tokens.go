package addressing

import (
	"errors"
	"fmt"
	"strings"
)

// A filter of tokens is the notation of Qpid Dispatch's configurations, for the names of definitions. Its tokens, and those of
// an address, are parted by '.' or by '/', which is the same to it: "a.*" selects both "a.b" and "a/b". "*" is one token, "#" any number of
// them, and stands anywhere. Among definitions it is less specific than every filter of the other notations.
const (
	tokensMark   = "\x01"    // begins its canonical text; no other filter and no address has it
	TokensPrefix = "tokens:" // begins its written form
	anyTokens    = tokensMark + restMark
)

// MaxRests is the most "#" of a filter of tokens. Each of them multiplies the ways to look for a match.
const MaxRests = 4

// ParseTokens reads a filter of tokens, without its prefix. The bounds are those of [ParseFilter]; there are at most
// [MaxRests] tokens "#". Separators at the beginning and the end mean nothing.
func ParseTokens(s string) (Filter, error) {
	text := strings.Trim(strings.ReplaceAll(s, ".", "/"), "/")
	if err := checkText(text); err != nil {
		return Filter{}, fmt.Errorf("filter of tokens: %w", err)
	}
	wildcards, rests := 0, 0
	for token := range Address(text).Levels() {
		switch token {
		case "":
			return Filter{}, errors.New("filter of tokens: two separators with nothing between")
		case "*":
			wildcards++
		case restMark:
			rests++
		}
	}
	switch {
	case wildcards > MaxWildcards:
		return Filter{}, fmt.Errorf(`filter of tokens: %d tokens "*", more than %d`, wildcards, MaxWildcards)
	case rests > MaxRests:
		return Filter{}, fmt.Errorf(`filter of tokens: %d tokens "#", more than %d`, rests, MaxRests)
	}
	return Filter{text: tokensMark + text}, nil
}

// IsTokens tells whether f is a filter of tokens.
func (f Filter) IsTokens() bool { return strings.HasPrefix(f.text, tokensMark) }

// tokens starts a walk over a filter of tokens.
func (f Filter) tokens() levels { return levelsOf(f.text[len(tokensMark):]) }

// tokensOf starts a walk over the tokens of an address.
func tokensOf(a Address) levels {
	return levelsOf(strings.TrimPrefix(strings.ReplaceAll(string(a), ".", "/"), "/"))
}

// matchesTokens tells whether a filter of tokens selects an address.
func matchesTokens(pattern, address levels) bool {
	for {
		want, wanted := pattern.next()
		if want == restMark {
			return matchesRest(pattern, address)
		}
		have, had := address.next()
		switch {
		case !wanted || !had:
			return wanted == had
		case want != "*" && want != have:
			return false
		}
	}
}

// matchesRest tells whether what follows a "#" selects the end of an address, after any number of tokens.
func matchesRest(pattern, address levels) bool {
	if !pattern.more {
		return true
	}
	for {
		if matchesTokens(pattern, address) {
			return true
		}
		if _, ok := address.next(); !ok {
			return false
		}
	}
}

// tokenIndex finds the most specific of many filters of tokens.
type tokenIndex struct {
	root tokenNode
	any  bool // there is one
}

// tokenNode stands for the tokens on the way to it.
type tokenNode struct {
	literal  map[string]*tokenNode
	one, any *tokenNode // after "*" and "#"
	value    int        // counted from 1; 0 is none
}

// add puts a value under a filter of tokens.
func (x *tokenIndex) add(f Filter, v int) {
	x.any = true
	n := &x.root
	for rest := f.tokens(); ; {
		token, ok := rest.next()
		if !ok {
			n.value = v + 1
			return
		}
		n = n.child(token)
	}
}

// child gives the node that a token leads to, making it if needed.
func (n *tokenNode) child(token string) *tokenNode {
	place := map[string]**tokenNode{"*": &n.one, restMark: &n.any}[token]
	if place == nil {
		if n.literal == nil {
			n.literal = make(map[string]*tokenNode)
		}
		if n.literal[token] == nil {
			n.literal[token] = new(tokenNode)
		}
		return n.literal[token]
	}
	if *place == nil {
		*place = new(tokenNode)
	}
	return *place
}

// best gives the value of the most specific filter that selects an address: token by token from the left a literal one
// goes before "*", and that before "#".
func (x *tokenIndex) best(a Address) (v int, ok bool) {
	if !x.any {
		return 0, false
	}
	s := tokenSearch{}
	v = s.best(&x.root, tokensOf(a))
	return v - 1, v > 0
}

// tokenSearch remembers where it looked in vain, so that it looks nowhere twice.
type tokenSearch struct {
	vain map[tokenPlace]bool
}

// tokenPlace is a node with what is left of an address.
type tokenPlace struct {
	node *tokenNode
	left int // bytes
	more bool
}

// best gives the value below a node for what is left of an address; 0 for none.
func (s *tokenSearch) best(n *tokenNode, left levels) int {
	at := tokenPlace{n, len(left.text), left.more}
	if n == nil || s.vain[at] {
		return 0
	}
	after := left
	token, ok := after.next()
	v := 0
	if ok {
		if v = s.best(n.literal[token], after); v == 0 {
			v = s.best(n.one, after)
		}
	} else {
		v = n.value
	}
	if v == 0 {
		v = s.rest(n.any, left)
	}
	if v == 0 {
		if s.vain == nil {
			s.vain = make(map[tokenPlace]bool)
		}
		s.vain[at] = true
	}
	return v
}

// rest gives the value below a node that "#" leads to, which takes none of the tokens, or one, and so on.
func (s *tokenSearch) rest(n *tokenNode, left levels) int {
	if n == nil {
		return 0
	}
	for {
		if v := s.best(n, left); v > 0 {
			return v
		}
		if _, ok := left.next(); !ok {
			return n.value
		}
	}
}

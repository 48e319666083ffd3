package addressing

import "iter"

// Matches tells whether f selects a. It takes time linear in their length and allocates nothing, unless f is a filter of
// tokens.
func (f Filter) Matches(a Address) bool {
	if a == "" || partedByDollar(string(a), f.text) {
		return false
	}
	if f.IsTokens() {
		return matchesTokens(f.tokens(), tokensOf(a))
	}
	for pattern, address := levelsOf(f.text), levelsOf(string(a)); ; {
		want, wanted := pattern.next()
		if want == restMark {
			return true
		}
		have, had := address.next()
		if !wanted || !had {
			return wanted == had
		}
		if want != oneLevel && want != have {
			return false
		}
	}
}

// Overlaps tells whether some address is selected by both f and g. It takes linear time. A filter of tokens overlaps only
// those that are literal.
func (f Filter) Overlaps(g Filter) bool {
	if f.IsTokens() || g.IsTokens() {
		return f.Within(g) || g.Within(f)
	}
	if f.IsZero() || g.IsZero() || partedByDollar(f.text, g.text) || partedByDollar(g.text, f.text) {
		return false
	}
	shortest := -1 // the bytes of the shortest common address; there is one '/' less than levels
	for level, ok := range meet(f, g) {
		if !ok {
			return false
		}
		shortest++
		if !isWildcard(level) {
			shortest += len(level)
		}
	}
	return shortest <= MaxLength
}

// Within tells whether g selects every address that f selects. The zero Filter is within nothing, so that a right
// that was never granted covers nothing, and a filter that was never given is not covered. It takes linear time. Of a filter
// of tokens it is only known that literal ones may be within it, and that it is within one that selects everything.
func (f Filter) Within(g Filter) bool {
	if f.IsTokens() || g.IsTokens() {
		a, literal := f.Literal()
		return f == g || literal && g.Matches(a) || !f.IsZero() && (g.text == restMark || g.text == anyTokens)
	}
	if f.IsZero() || g.IsZero() || partedByDollar(f.text, g.text) {
		return false
	}
	for inner, outer := f.spelledOut(), levelsOf(g.text); ; {
		gl, gok := outer.next()
		if gl == restMark {
			return true
		}
		fl, fok := inner.next()
		switch {
		case !fok || !gok:
			return fok == gok
		case fl == restMark: // may end here, or go on longer than g
			return false
		case gl != oneLevel && gl != fl:
			return false
		}
	}
}

// meet yields, level by level, what the shortest addresses that f and g have in common look like: a literal level,
// or a wildcard where any level will do. Where the filters part it yields false and ends.
func meet(f, g Filter) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		var fl, gl string
		for left, right := f.spelledOut(), g.spelledOut(); ; {
			fok, gok := advance(&left, &fl), advance(&right, &gl)
			if (!fok || fl == restMark) && (!gok || gl == restMark) {
				return
			}
			level, ok := common(fl, gl)
			ok = ok && fok && gok
			if !yield(level, ok) || !ok {
				return
			}
		}
	}
}

// spelledOut starts a walk over f in which the rest stands for zero levels or more without exception. "#" and "/#"
// are exceptions, because with zero levels they would select the empty text, which is no address; they select the
// same as "+/#" and "/+/#".
func (f Filter) spelledOut() levels {
	switch f.text {
	case restMark:
		return levelsOf(oneLevel + "/" + restMark)
	case "/" + restMark:
		return levelsOf("/" + oneLevel + "/" + restMark)
	}
	return levelsOf(f.text)
}

// advance moves level to the next one of a filter, and stays at the rest once it is reached.
func advance(l *levels, level *string) (ok bool) {
	if *level == restMark {
		return true
	}
	*level, ok = l.next()
	return ok
}

// common returns the level that both of two levels of filters select: a literal one if either is literal. ok is
// false if there is none.
func common(f, g string) (level string, ok bool) {
	if isWildcard(f) {
		return g, true
	}
	return f, isWildcard(g) || f == g
}

// partedByDollar tells whether a first level with '$' keeps text, an address or a filter, apart from the filter g
// (MQTT 5.0 section 4.7.2).
func partedByDollar(text, g string) bool { return isHidden(text) && beginsWithWildcard(g) }

// isHidden tells whether an address or a filter begins with '$'.
func isHidden(text string) bool { return text != "" && text[0] == '$' }

// beginsWithWildcard tells whether the first level of canonical text is a wildcard.
func beginsWithWildcard(text string) bool {
	return text != "" && isWildcard(text[:1]) && (len(text) == 1 || text[1] == '/')
}

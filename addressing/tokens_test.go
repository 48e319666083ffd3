package addressing

import (
	"slices"
	"strings"
	"testing"
)

func TestTokensSelect(t *testing.T) {
	for pattern, c := range map[string]struct{ selected, others []Address }{
		"a.b":       {[]Address{"a.b", "a/b", "/a/b"}, []Address{"a", "a/b/c", "ab"}},
		"a/*":       {[]Address{"a.b", "a/b"}, []Address{"a", "a/b/c"}},
		"a.#":       {[]Address{"a", "a.b", "a/b.c"}, []Address{"b", "ab"}},
		"#":         {[]Address{"a", "a.b", "$x"}, nil},
		"#.b.c":     {[]Address{"b.c", "a/b/c", "b.b.b.c"}, []Address{"c", "b.c.d"}},
		"a.*.#.d":   {[]Address{"a.b.d", "a/b/c/d", "a/d/d"}, []Address{"a.d", "a.b.d.e"}},
		"a.#.b.#.c": {[]Address{"a.b.c", "a.x.b.y.c", "a.b.b.c.c"}, []Address{"a.c", "a.b"}},
	} {
		f, err := ParseTokens(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range c.selected {
			if !f.Matches(a) {
				t.Errorf("%s does not select %s", pattern, a)
			}
		}
		for _, a := range c.others {
			if f.Matches(a) {
				t.Errorf("%s selects %s", pattern, a)
			}
		}
		var again Filter
		if err := again.UnmarshalText([]byte(f.String())); err != nil || again != f {
			t.Errorf("%s is read as %s: %v", f, again, err)
		}
		if _, literal := f.Literal(); literal {
			t.Errorf("%s is literal", f)
		}
	}
}

func TestMostSpecificTokensWin(t *testing.T) {
	names := []string{"a.b.c.d", "#.b.c.d", "a/*/#/d", "*/b/c/d", "a.x.d", "a.*.d", "#"}
	var defs []Definition
	for _, name := range names {
		f, err := ParseTokens(name)
		if err != nil {
			t.Fatal(err)
		}
		defs = append(defs, Definition{Name: f, Kind: Anycast})
	}
	house, _ := ParseFilter("house/*")
	s, err := NewSpace(append(defs, Definition{Name: house, Kind: Queue}))
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[Address]string{
		"a.b.c.d": "tokens:a/b/c/d", "a/b/c/d": "tokens:a/b/c/d", "x.b.c.d": "tokens:*/b/c/d", "y/x/b/c/d": "tokens:#/b/c/d",
		"b.c.d": "tokens:#/b/c/d", "a.x.d": "tokens:a/x/d", "a.y.d": "tokens:a/*/d", "a.y.z.d": "tokens:a/*/#/d",
		"q": "tokens:#", "house/x": "house/*", "house.x": "tokens:#",
	} {
		if d, ok := s.Lookup(a); !ok || d.Name.String() != want {
			t.Errorf("%s falls under %v, want %s", a, d, want)
		}
		if found := slices.Collect(s.Overlapping(a.Filter())); len(found) != 1 || found[0].Name.String() != want {
			t.Errorf("%s overlaps %v, want %s", a, found, want)
		}
	}
	if s.Len() != len(names)+1 {
		t.Errorf("%d definitions", s.Len())
	}
}

func TestTokensAreBounded(t *testing.T) {
	for _, s := range []string{"", ".", "a..b", "#.#.#.#.#", strings.Repeat("*.", MaxWildcards) + "*", strings.Repeat("a.", MaxLevels) + "a", "a\x01"} {
		if f, err := ParseTokens(s); err == nil {
			t.Errorf("%q is read as %s", s, f)
		}
	}
}

// TestHostileTokensAreSearchedOnce has patterns that could be tried in very many ways.
func TestHostileTokensAreSearchedOnce(t *testing.T) {
	var x tokenIndex
	for i, last := range []string{"b", "c", "d"} {
		f, err := ParseTokens("#.a.#.a.#.a.#." + last)
		if err != nil {
			t.Fatal(err)
		}
		x.add(f, i)
	}
	if v, ok := x.best(Address(strings.Repeat("a/", MaxLevels-1) + "x")); ok {
		t.Errorf("found %d", v)
	}
	if v, ok := x.best(Address(strings.Repeat("a/", MaxLevels-1) + "d")); !ok || v != 2 {
		t.Errorf("found %d, %t", v, ok)
	}
}

func TestRightsAndTokens(t *testing.T) {
	tokens, _ := ParseTokens("a.#")
	all, _ := ParseFilter("#")
	other, _ := ParseFilter("a/#")
	if !Address("a.b").Filter().Within(tokens) || !tokens.Within(all) || tokens.Within(other) || other.Within(tokens) {
		t.Error("what is within a filter of tokens is wrong")
	}
	if !tokens.Overlaps(Address("a").Filter()) || tokens.Overlaps(Address("b").Filter()) || tokens.Overlaps(other) {
		t.Error("what overlaps a filter of tokens is wrong")
	}
	var x Index[int]
	if x.Add(tokens, 1) || x.Remove(tokens, 1) {
		t.Error("an index takes filters of tokens")
	}
}

func FuzzTokens(f *testing.F) {
	f.Add("a.*.#.d", "a/b/c/d")
	f.Fuzz(func(t *testing.T, pattern, address string) {
		p, err := ParseTokens(pattern)
		if err != nil {
			return
		}
		a, err := ParseAddress(address)
		if err != nil {
			return
		}
		var x tokenIndex
		x.add(p, 0)
		if _, ok := x.best(a); ok != p.Matches(a) {
			t.Fatalf("%s and %s: found %t", p, a, ok)
		}
	})
}

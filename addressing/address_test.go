package addressing_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
)

func TestAddressIsKeptAsWritten(t *testing.T) {
	for name, s := range map[string]string{
		"one level":                   "a",
		"several levels":              "site/7/pump",
		"only a separator":            "/",
		"only separators":             "//",
		"an empty level inside":       "a//b",
		"an empty first level":        "/a",
		"an empty last level":         "a/",
		"spaces and dots":             " a b/./../c.d ",
		"a star level":                "a/*/b",
		"wildcards in longer levels":  "c++/c#/#1",
		"a reserved first level":      "$SYS/broker",
		"letters of other scripts":    "größe/温度/🚰",
		"the replacement character":   "a/\uFFFD",
		"a zero width no-break space": "\uFEFFa",
		"the longest text":            strings.Repeat("x", addressing.MaxLength),
		"the most levels":             strings.Repeat("/", addressing.MaxLevels-1),
	} {
		a, err := addressing.ParseAddress(s)
		if err != nil || a.String() != s {
			t.Errorf("%s: got %.40q, %v", name, a, err)
		}
	}
}

func TestAddressIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, reason string }{
		"empty":                  {"", "empty"},
		"too long":               {strings.Repeat("x", addressing.MaxLength+1), "65536 bytes"},
		"too many levels":        {strings.Repeat("/", addressing.MaxLevels), "more than 128 levels"},
		"NUL":                    {"a\x00b", "U+0000"},
		"a line break":           {"a\nb", "U+000A at byte 1"},
		"DEL":                    {"\x7F", "U+007F"},
		"a C1 control":           {"a/\u0085", "U+0085"},
		"a noncharacter":         {"\uFDD0", "U+FDD0"},
		"a plane's last":         {"\U0010FFFF", "U+10FFFF"},
		"a broken sequence":      {"a/\xC3", "invalid UTF-8 at byte 2"},
		"an encoded surrogate":   {"\xED\xA0\x80", "invalid UTF-8"},
		"an overlong slash":      {"\xC0\xAF", "invalid UTF-8"},
		"a one-level wildcard":   {"a/+/b", `level 2 is "+"`},
		"the rest":               {"a/#", `level 2 is "#"`},
		"the rest on its own":    {"#", `level 1 is "#"`},
		"the rest in the middle": {"/#/", `level 2 is "#"`},
	} {
		if a, err := addressing.ParseAddress(c.text); err == nil || !strings.Contains(err.Error(), c.reason) || a != "" {
			t.Errorf("%s: got %.40q, %v; want an error with %q", name, a, err, c.reason)
		}
	}
}

func TestLevelsAreWalkedFromTheLeft(t *testing.T) {
	for s, want := range map[addressing.Address][]string{
		"":      nil,
		"a":     {"a"},
		"a/b":   {"a", "b"},
		"/":     {"", ""},
		"a//b/": {"a", "", "b", ""},
	} {
		if got := slices.Collect(s.Levels()); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	for level := range addressing.Address("a/b/c").Levels() {
		if level == "b" {
			break // the walk must stop when its reader does
		}
	}
}

func TestParsingAndWalkingAnAddressAllocateNothing(t *testing.T) {
	bytes := 0
	allocs := testing.AllocsPerRun(100, func() {
		a, _ := addressing.ParseAddress("site/7/größe/pump")
		for level := range a.Levels() {
			bytes += len(level)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a/b", "/", "//", "+", "a/#", "a#/+b", "$SYS/x", "a/*", "\x00", "\xC3", "\uFFFE", " "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := addressing.ParseAddress(s)
		if err != nil {
			return
		}
		if a.String() != s || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Fatalf("%q was let in as %q", s, a)
		}
		if levels := strings.Split(s, "/"); !slices.Equal(slices.Collect(a.Levels()), levels) ||
			len(levels) > addressing.MaxLevels || slices.Contains(levels, "+") || slices.Contains(levels, "#") {
			t.Fatalf("%q was let in with the levels %q", s, levels)
		}
		filter := a.Filter()
		if literal, ok := filter.Literal(); !ok || literal != a || !filter.Matches(a) {
			t.Fatalf("the filter of %q is %q", a, filter)
		}
		if again, err := addressing.ParseFilter(filter.String()); err == nil && again != filter {
			t.Fatalf("the filter of %q reads back as %q", a, again)
		} else if err != nil {
			t.Fatalf("the filter of %q does not read back: %v", a, err)
		}
	})
}

package addressing_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func TestBothNotationsMakeTheSameFilter(t *testing.T) {
	for _, c := range []struct{ house, mqtt string }{
		{"a", "a"},
		{"#", "#"},
		{"*", "+"},
		{"a/*/c", "a/+/c"},
		{"a/#", "a/#"},
		{"*/#", "+/#"},
		{"/", "/"},
		{"/*", "/+"},
		{"*/", "+/"},
		{"a//#", "a//#"},
		{"a*/b", "a*/b"},
		{`\*`, "*"},
		{`a/\*/*`, "a/*/+"},
		{`\\*`, `\*`},
		{`\a/\`, `\a/\`},
		{`\**`, `\**`},
	} {
		f, g := houseFilter(t, c.house), mqttFilter(t, c.mqtt)
		if f != g || f.String() != c.house || g.String() != c.house {
			t.Errorf("%q and %q: got %q and %q", c.house, c.mqtt, f, g)
		}
	}
}

func TestFilterIsRefused(t *testing.T) {
	tooMany := strings.Repeat("*/", addressing.MaxWildcards) + "*"
	for name, c := range map[string]struct{ text, reason string }{
		"empty":                     {"", "empty"},
		"the MQTT wildcard":         {"a/+", `level 2 is "+"; write "*"`},
		"the rest before the end":   {"a/#/b", "last level"},
		"the rest before a slash":   {"#/", "last level"},
		"a control character":       {"a/\x07", "U+0007"},
		"too many wildcards":        {tooMany, "17 one-level wildcards, more than 16"},
		"too many levels":           {strings.Repeat("/", addressing.MaxLevels), "more than 128 levels"},
		"too many levels and stars": {"*" + strings.Repeat("/", addressing.MaxLevels), "more than 128 levels"},
		"too long":                  {strings.Repeat("x", addressing.MaxLength+1), "65536 bytes"},
	} {
		f, err := addressing.ParseFilter(c.text)
		if err == nil || !strings.Contains(err.Error(), c.reason) || !f.IsZero() {
			t.Errorf("%s: got %.40q, %v; want an error with %q", name, f, err, c.reason)
		}
	}
}

func TestMQTTFilterIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, reason string }{
		"empty":                      {"", "empty"},
		"a plus in a longer level":   {"a/b+", "level 2 contains a wildcard"},
		"a hash in a longer level":   {"a#", "level 1 contains a wildcard"},
		"two wildcards in one level": {"a/+#", "level 2 contains a wildcard"},
		"the rest before the end":    {"a/#/b", "last level"},
		"too many wildcards":         {strings.Repeat("+/", addressing.MaxWildcards) + "+", "more than 16"},
	} {
		f, err := addressing.ParseMQTTFilter(c.text)
		if err == nil || !strings.Contains(err.Error(), c.reason) || !f.IsZero() {
			t.Errorf("%s: got %.40q, %v; want an error with %q", name, f, err, c.reason)
		}
	}
}

func TestMQTTFilterSelects(t *testing.T) {
	for _, c := range []struct {
		filter, address string
		want            bool
	}{
		{"a", "a", true},
		{"a", "A", false},
		{"a", "a/", false},
		{"a/#", "a", true},
		{"a/#", "a/", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"#", "/", true},
		{"+/#", "a", true},
		{"+", "/a", false},
		{"+/a", "/a", true},
		{"/+", "/a", true},
		{"+/+", "/", true},
		{"+/+", "//", false},
		{"/", "/", true},
		{"//", "//", true},
		{"a/+/b", "a//b", true},
		{"a//b", "a/b", false},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/*", "a/*", true},
		{"a/*", "a/b", false},
		{"a/+", "a/*", true},
		{"a b/+", "a b/c d", true},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/#", "$SYS", true},
		{"$SYS/+", "$SYS/x", true},
		{"a/#", "a/$x", true},
		{"/#", "/$x", true},
		{"#", "", false},
		{"/#", "", false},
	} {
		f := mqttFilter(t, c.filter)
		if got := f.Matches(addressing.Address(c.address)); got != c.want {
			t.Errorf("%q on %q: got %v", c.filter, c.address, got)
		}
		var x addressing.Index[int]
		x.Add(f, 1)
		if got := x.Match(addressing.Address(c.address), nil); (len(got) == 1) != c.want {
			t.Errorf("an index of %q on %q: got %v", c.filter, c.address, got)
		}
	}
}

func TestFiltersOverlapAndContain(t *testing.T) {
	long := strings.Repeat("x", addressing.MaxLength-2)
	for _, c := range []struct {
		f, g             string
		overlaps, within bool
	}{
		{"a", "a", true, true},
		{"a", "b", false, false},
		{"a", "*", true, true},
		{"*", "a", true, false},
		{"a/b", "a/#", true, true},
		{"a", "a/#", true, true},
		{"a/#", "a", true, false},
		{"a/#", "a/*", true, false},
		{"a/*/#", "a/#", true, true},
		{"a/#", "a/*/#", true, false},
		{"#", "*/#", true, true}, // every address has a first level
		{"/#", "/*/#", true, true},
		{"/#", "*", false, false}, // the empty text is no address
		{"*/b", "a/*", true, false},
		{"*/b/c", "a/#", true, false},
		{"*/b", "*/c", false, false},
		{"$SYS/x", "#", false, false},
		{"$SYS/#", "*/x", false, false},
		{"*/x", "$SYS/#", false, false},
		{"$SYS/x", "$SYS/*", true, true},
		{long + "/*", "*/" + long, false, false}, // the common address would be too long
	} {
		f, g := houseFilter(t, c.f), houseFilter(t, c.g)
		if got := f.Overlaps(g); got != c.overlaps {
			t.Errorf("%.20q overlaps %.20q: got %v", c.f, c.g, got)
		}
		if got := f.Within(g); got != c.within {
			t.Errorf("%.20q within %.20q: got %v", c.f, c.g, got)
		}
	}
}

func TestZeroFilterSelectsNothing(t *testing.T) {
	var zero addressing.Filter
	all := houseFilter(t, "#")
	_, literal := zero.Literal()
	if !zero.IsZero() || zero.Matches("a") || zero.Matches("") || literal || zero.String() != "" {
		t.Errorf("the zero filter is %q", zero)
	}
	if zero.Overlaps(all) || all.Overlaps(zero) || zero.Within(all) || all.Within(zero) || zero.Within(zero) {
		t.Error("the zero filter has something in common with another")
	}
}

func TestOnlyFiltersWithoutWildcardAreLiteral(t *testing.T) {
	for s, want := range map[string]bool{"a/b": true, "/": true, `a/\*`: true, "c++/#1": true, "a/*": false, "#": false} {
		a, ok := houseFilter(t, s).Literal()
		if ok != want || ok && a.Filter().String() != s {
			t.Errorf("%q: got %q, %v", s, a, ok)
		}
	}
}

func TestFilterIsWrittenAndReadAsText(t *testing.T) {
	var got struct{ Name addressing.Filter }
	if err := json.Unmarshal([]byte(`{"Name":"a/*/#"}`), &got); err != nil || got.Name != mqttFilter(t, "a/+/#") {
		t.Errorf("got %q, %v", got.Name, err)
	}
	if text, err := json.Marshal(got); err != nil || string(text) != `{"Name":"a/*/#"}` {
		t.Errorf("got %s, %v", text, err)
	}
	if err := json.Unmarshal([]byte(`{"Name":"a/+"}`), &got); err == nil {
		t.Error("a wrong filter was read")
	}
}

func TestComparingFiltersAllocatesNothing(t *testing.T) {
	f, g, a := houseFilter(t, "a/*/c/#"), houseFilter(t, "*/b/#"), addressing.Address("a/b/c/d")
	if allocs := testing.AllocsPerRun(100, func() { f.Matches(a); f.Overlaps(g); f.Within(g); f.Literal() }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"a/*/#", "#", "*", "+", `\*`, `\\*/a`, "/", "a//#", "#/", "\x00", "$a/*", "a+/b#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if house, err := addressing.ParseFilter(s); err == nil {
			if house.String() != s {
				t.Fatalf("%q became %q", s, house)
			}
			checkReadsBack(t, house)
		}
		if mqtt, err := addressing.ParseMQTTFilter(s); err == nil {
			checkReadsBack(t, mqtt)
		}
	})
}

func checkReadsBack(t *testing.T, f addressing.Filter) {
	t.Helper()
	if again, err := addressing.ParseFilter(f.String()); err != nil || again != f {
		t.Fatalf("%q reads back as %q, %v", f, again, err)
	}
	if !f.Within(f) || !f.Overlaps(f) {
		t.Fatalf("%q is not within itself", f)
	}
}

func FuzzMatchesAgreesWithIndex(f *testing.F) {
	f.Add("a/+\na/#\n+/b\n#", "a/b")
	f.Add("+//x\n+/\n/#\n+", "/")
	f.Add("$a/+\n+/b\na//b\na/+/b", "$a/b")
	f.Fuzz(func(t *testing.T, list, text string) {
		a, err := addressing.ParseAddress(text)
		if err != nil {
			return
		}
		var x addressing.Index[string]
		want := 0
		for line := range strings.SplitSeq(list, "\n") {
			g, err := addressing.ParseMQTTFilter(line)
			if err == nil && x.Add(g, line) && g.Matches(a) {
				want++
			}
		}
		if got := x.Match(a, nil); len(got) != want {
			t.Fatalf("%q on %q: got %q, want %d", list, a, got, want)
		}
	})
}

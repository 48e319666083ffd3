package rewrite

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
)

var ann = Who{User: "ann", Client: "c1", Tenant: "acme"}

func parse(t interface{ Fatal(...any) }, match, to string) *Rule {
	r, err := Parse(match, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNamesAreRewrittenByTheirRuleAndBack(t *testing.T) {
	for _, c := range []struct{ match, to, topic, want string }{
		{"devices/+/up", "telemetry/$1", "devices/7/up", "telemetry/7"},
		{"devices/+/up", "telemetry/$1", "devices/+/up", "telemetry/+"},
		{"devices/+/up", "telemetry/$1", "devices//up", "telemetry/"},
		{"devices/+/up", "telemetry/$1", "devices/7/down", ""},
		{"devices/+/up", "telemetry/$1", "devices/7", ""},
		{"devices/+/up", "telemetry/$1", "devices/7/up/x", ""},
		{"devices/+/up", "telemetry/$1", "devices/#", ""},
		{"devices/+/up", "telemetry/$1", "+/7/up", ""},
		{"+/+/#", "a/$2/$1/#", "x/y", "a/y/x"},
		{"+/+/#", "a/$2/$1/#", "x/y/", "a/y/x/"},
		{"+/+/#", "a/$2/$1/#", "x/y/z/+/#", "a/y/x/z/+/#"},
		{"+/+/#", "a/$2/$1/#", "x/#", ""},
		{"+/#", "a/$1/#", "$SYS/x", ""},
		{"old/#", "#", "old/x/y", "x/y"},
		{"old/#", "#", "old", ""},
		{"old/#", "#", "old/", ""},
		{"old/#", "#", "old/$SYS", ""},
		{"$aws/things/+/shadow/#", "shadow/$1/#", "$aws/things/7/shadow/get", "shadow/7/get"},
		{"t", "telemetry/$user", "t", "telemetry/ann"},
		{"t/$tenant/+", "telemetry/$1", "t/acme/7", "telemetry/7"},
		{"t/$tenant/+", "telemetry/$1", "t/other/7", ""},
		{"t/$tenant/+", "telemetry/$1", "t/+/7", ""},
		{"me/#", "$client/#", "me/x", "c1/x"},
	} {
		r := parse(t, c.match, c.to)
		got, ok := r.Inward(c.topic, ann)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s to %s: %s becomes %q, %v, want %q", c.match, c.to, c.topic, got, ok, c.want)
		}
		if !ok {
			continue
		}
		if back, ok := r.Outward(got, ann); !ok || back != c.topic {
			t.Errorf("%s to %s: %s becomes %q, %v, want %q", c.to, c.match, got, back, ok, c.topic)
		}
	}
}

func TestWhoseNameIsNoLevelHasNoVariable(t *testing.T) {
	r := parse(t, "t", "telemetry/$user")
	for _, user := range []string{"", "#", "+", "a/b", "$SYS"} {
		if got, ok := r.Inward("t", Who{User: user}); ok {
			t.Errorf("%q: t becomes %s", user, got)
		}
	}
}

func TestFirstRuleCounts(t *testing.T) {
	rules := Rules{parse(t, "a/b", "first"), parse(t, "a/+", "second/$1")}
	for topic, want := range map[string]string{"a/b": "first", "a/c": "second/c", "a/+": "second/+", "b": "b"} {
		if got, _ := rules.Inward(topic, ann); got != want {
			t.Errorf("%s becomes %s, want %s", topic, got, want)
		}
	}
}

func TestRuleThatCouldNotBeNamedBackIsRefused(t *testing.T) {
	for _, c := range []struct{ match, to, want string }{
		{"", "a", "a rule has both match and to"},
		{"a", "", "a rule has both match and to"},
		{"a/b#", "a", `match "a/b#": filter: level 2 contains a wildcard, which must be a level of its own`},
		{"a/#/b", "a", `match "a/#/b": filter: "#" stands for the rest and must be the last level`},
		{"a/+", "b", `to "b": $1 is there 0 times, not once`},
		{"a/+", "b/$1/$1", `to "b/$1/$1": $1 is there 2 times, not once`},
		{"a/+", "b/$1/$2", `to "b/$1/$2": there is no $2: match has 1 levels "+"`},
		{"a/+", "b/+", `to "b/+": "+" is written $1, $2 and so on here`},
		{"a/#", "b", `to "b": "#" has to be the last level of both or of neither`},
		{"a", "b/#", `to "b/#": "#" has to be the last level of both or of neither`},
		{"a", "b/$usr", `to "b/$usr": "$usr" is none of $1 to $16, $user, $client, $tenant`},
		{"a/+", "b/$0", `to "b/$0": "$0" is none of $1 to $16, $user, $client, $tenant`},
	} {
		if _, err := Parse(c.match, c.to); err == nil || err.Error() != c.want {
			t.Errorf("%s to %s:\ngot  %v\nwant %s", c.match, c.to, err, c.want)
		}
	}
}

// names draws a text of levels from few names, so that they meet.
func names(rt *rapid.T, label string, some ...string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(some), 1, 5).Draw(rt, label), "/")
}

// drawRule draws a rule, captures in any order among other levels.
func drawRule(rt *rapid.T) *Rule {
	match := names(rt, "match", "a", "b", "+", "+", "$user")
	to := rapid.Permutation(captureLevels(strings.Count(match, "+"))).Draw(rt, "captures")
	to = append(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "a", "", "$tenant"}), 1, 3).Draw(rt, "before"), to...)
	if rapid.Bool().Draw(rt, "rest") {
		match, to = match+"/#", append(to, "#")
	}
	r, err := Parse(match, strings.Join(to, "/"))
	if err != nil {
		rt.Skip(err) // an empty text
	}
	return r
}

func captureLevels(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "$" + string(rune('1'+i))
	}
	return all
}

func TestRulesAreOneToOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRule(rt)
		topic := names(rt, "topic", "a", "b", "", "ann", "+", "$x")
		if address, ok := r.Inward(topic, ann); ok {
			if back, ok := r.Outward(address, ann); !ok || back != topic {
				rt.Fatalf("%s to %s: %q becomes %q becomes %q, %v", r.Match(), r.To(), topic, address, back, ok)
			}
		}
	})
}

// TestRenamedFilterSelectsTheSame: of what a rule names, a filter selects the same before and after, and all that it
// selects after has a name before.
func TestRenamedFilterSelectsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRule(rt)
		asked := names(rt, "filter", "a", "b", "", "ann", "+", "+")
		if rapid.Bool().Draw(rt, "all the rest") {
			asked += "/#"
		}
		renamed, ok := r.Inward(asked, ann)
		before, err := addressing.ParseMQTTFilter(asked)
		if !ok || err != nil {
			return
		}
		after, err := addressing.ParseMQTTFilter(renamed)
		if err != nil {
			rt.Fatalf("%q became %q: %v", asked, renamed, err)
		}
		topic := names(rt, "topic", "a", "b", "ann", "c")
		if address, ok := r.Inward(topic, ann); ok {
			if before.Matches(addressing.Address(topic)) != after.Matches(addressing.Address(address)) {
				rt.Fatalf("%s to %s: %q selects %q: %v, but %q selects %q: %v", r.Match(), r.To(), asked, topic,
					before.Matches(addressing.Address(topic)), renamed, address, after.Matches(addressing.Address(address)))
			}
		}
		address := names(rt, "address", "a", "b", "x", "ann", "acme")
		if !after.Matches(addressing.Address(address)) {
			return
		}
		if back, ok := r.Outward(address, ann); !ok || !before.Matches(addressing.Address(back)) {
			rt.Fatalf("%s to %s: %q, renamed from %q, selects %q, which becomes %q, %v", r.Match(), r.To(), renamed, asked,
				address, back, ok)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("devices/+/up/#", "telemetry/$1/#", "devices/7/up/x")
	f.Add("t/$tenant/+", "telemetry/$1", "t/acme/7")
	f.Add("old/#", "#", "old")
	f.Fuzz(func(t *testing.T, match, to, topic string) {
		r, err := Parse(match, to)
		if err != nil {
			return
		}
		address, ok := r.Inward(topic, ann)
		if !ok {
			return
		}
		if back, ok := r.Outward(address, ann); !ok || back != topic {
			t.Errorf("%q to %q: %q becomes %q becomes %q, %v", match, to, topic, address, back, ok)
		}
	})
}

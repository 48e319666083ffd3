package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// evidence is a demand on a container, or a mistake that one may make, and what shows how it is met.
type evidence struct {
	heading string // the section, or what it is listed under
	demand  string
	plays   []string // names of scenarios
	tests   []string // others: a package and a name
	reason  string   // why it cannot be seen from outside, if it cannot
}

// Where the evidence is listed. The files say how they are to be read.
const (
	rulesFile   = "testdata/rules.txt"
	lessonsFile = "testdata/lessons.txt"
)

// section is what a rule begins with.
var section = regexp.MustCompile(`^(\d[\d.]*) `)

// readEvidence reads a list of it.
func readEvidence(t *testing.T, file string) (list []evidence) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	heading := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		mark, text, _ := strings.Cut(line, " ")
		switch last := len(list) - 1; {
		case line == "" || mark == "#":
		case mark == "##":
			heading = text
		case mark == "+":
			list[last].plays = append(list[last].plays, text)
		case mark == "=":
			list[last].tests = append(list[last].tests, text)
		case mark == "-":
			list[last].reason = text
		case section.MatchString(line):
			list = append(list, evidence{heading: mark, demand: text})
		default:
			list = append(list, evidence{heading: heading, demand: line})
		}
	}
	return list
}

// TestEvidenceIsThere for each demand: the scenarios and tests that are named exist.
func TestEvidenceIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, s := range scenarios() {
		known[s.name()] = true
	}
	for _, e := range append(readEvidence(t, rulesFile), readEvidence(t, lessonsFile)...) {
		if len(e.plays)+len(e.tests) == 0 && e.reason == "" {
			t.Errorf("nothing is said of %q", e.demand)
		}
		for _, name := range e.plays {
			if !known[name] {
				t.Errorf("%q names the scenario %q, which there is not", e.demand, name)
			}
		}
		for _, name := range e.tests {
			if !isTest(t, name) {
				t.Errorf("%q names the test %q, which there is not", e.demand, name)
			}
		}
	}
}

// TestNoScenarioIsWithoutARule of the standard, but for those of part 1, on which the others rest.
func TestNoScenarioIsWithoutARule(t *testing.T) {
	named := map[string]bool{}
	for _, e := range readEvidence(t, rulesFile) {
		for _, name := range e.plays {
			named[name] = true
		}
	}
	for _, s := range scenarios() {
		if s.numbers()[0] > 1 && !named[s.name()] {
			t.Errorf("no rule names the scenario %q", s.name())
		}
	}
}

// isTest tells whether a package of this module, which is named from its root, has a test.
func isTest(t *testing.T, name string) bool {
	t.Helper()
	dir, function, _ := strings.Cut(name, " ")
	files, err := filepath.Glob(filepath.Join("../../..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "func "+function+"(") {
			return true
		}
	}
	return false
}

// renderEvidence gives the lines of its table.
func renderEvidence(b *strings.Builder, list []evidence) {
	for _, e := range list {
		var shown []string
		shown = append(shown, e.plays...)
		for _, name := range e.tests {
			dir, function, _ := strings.Cut(name, " ")
			shown = append(shown, fmt.Sprintf("`%s` in %s", function, dir))
		}
		if e.reason != "" {
			shown = append(shown, "not seen: "+e.reason)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", e.heading, e.demand, strings.Join(shown, "<br>"))
	}
}

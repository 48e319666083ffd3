package mqtt

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	statementID  = regexp.MustCompile(`\d+\.\d+(\.\d+)?-\d+`)
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	claimed      = regexp.MustCompile(`(?m)^(?:## |\t\t")((?:MQTT3?-[\d.]+-\d+ ?)+)`)
)

// TestEveryStatementHasItsTest holds docs/mqtt-conformance.md and the tests together: each test that it names is there, and
// the scripts and tables of statements claim what it says they do, no more and no less.
func TestEveryStatementHasItsTest(t *testing.T) {
	tests, claims := testsOf(t, ".", "internal/session", "../../addressing", "../../gateway")
	page, err := os.ReadFile("../../docs/mqtt-conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	modern, rest, _ := strings.Cut(string(page), "\n## MQTT 3.1.1\n")
	old, _, _ := strings.Cut(rest, "\n## ")
	seen := make(map[string]bool)
	for prefix, text := range map[string]string{"MQTT-": modern, "MQTT3-": old} {
		for row := range strings.Lines(text) {
			cells := strings.Split(row, "|")
			if len(cells) != 5 || !statementID.MatchString(cells[1]) {
				continue
			}
			for _, id := range strings.Fields(cells[1]) {
				id = prefix + id
				if seen[id] {
					t.Errorf("%s has two rows", id)
				}
				seen[id] = true
				for name := range strings.SplitSeq(cells[3], ",") {
					name = strings.Trim(name, " `")
					if !slices.Contains(tests, name) {
						t.Errorf("%s: there is no test %s", id, name)
					}
					if claims[id] != "" && claims[id] != name || claims[id] == "" && strings.HasPrefix(name, "TestStatements") {
						t.Errorf("%s is said to be claimed by %s, and is by %q", id, name, claims[id])
					}
				}
			}
		}
	}
	for id, name := range claims {
		if !seen[id] {
			t.Errorf("%s, which %s claims, has no row", id, name)
		}
	}
	const statements = 251 - 9 // without those that no server can see
	if n := strings.Count(strings.Join(slices.Collect(maps.Keys(seen)), " "), "MQTT-"); n != statements {
		t.Errorf("%d statements of MQTT 5 have a row, want %d", n, statements)
	}
}

// testsOf gives the names of the tests in folders, and for each statement that stands in a script or table the test that
// claims it.
func testsOf(t *testing.T, folders ...string) (names []string, claims map[string]string) {
	t.Helper()
	claims = make(map[string]string)
	for _, folder := range folders {
		for pattern, test := range map[string]string{
			"*_test.go": "TestStatementsOfSessions", "testdata/statements/*.txt": "TestStatements",
		} {
			files, err := filepath.Glob(filepath.Join(folder, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, found := range testFunction.FindAllSubmatch(text, -1) {
					names = append(names, string(found[1]))
				}
				for _, found := range claimed.FindAllSubmatch(text, -1) {
					for id := range strings.FieldsSeq(string(found[1])) {
						claims[id] = test
					}
				}
			}
		}
	}
	return names, claims
}

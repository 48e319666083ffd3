package gateway

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rowsOf gives the cells of a table in a section of docs/broker.md, row by row.
func rowsOf(t *testing.T, section string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../docs/broker.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## "+section+"\n\n")
	_, table, _ = strings.Cut(table, "|---|")
	for i, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, " | ")
		switch {
		case i == 0:
		case len(cells) == 1:
			return rows
		default:
			cells[0] = strings.Trim(cells[0], "| `")
			cells[len(cells)-1] = strings.TrimSuffix(cells[len(cells)-1], " |")
			rows = append(rows, cells)
		}
	}
	return rows
}

// TestWhatIsDocumentedIsTested: each row of the tables in docs/broker.md has a case of its name, which uses the
// protocols that it names, and each case has a row. What takes more than one gateway has a test of its own, named there.
func TestWhatIsDocumentedIsTested(t *testing.T) {
	settings, wishes := make(map[string]string), make(map[string]string)
	for _, c := range settingCases() {
		settings[c.name] = c.over
	}
	for _, c := range wishCases() {
		wishes[c.name] = c.over
	}
	for section, cases := range map[string]map[string]string{"Settings": settings, "What clients ask for": wishes} {
		rows := slices.DeleteFunc(rowsOf(t, section), func(cells []string) bool {
			return strings.HasPrefix(cells[len(cells)-1], "`Test")
		})
		for _, cells := range rows {
			if over, documented := cases[cells[0]], cells[len(cells)-1]; over != documented {
				t.Errorf("%s is tested over %q, and documented so for %q", cells[0], over, documented)
			}
		}
		if len(rows) != len(cases) {
			t.Errorf("%s: there are %d rows and %d cases", section, len(rows), len(cases))
		}
	}
}

// TestTestsThatAreDocumentedExist in this folder.
func TestTestsThatAreDocumentedExist(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range files {
		code.WriteString(read(name))
	}
	for _, test := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(read("../docs/broker.md"), -1) {
		if !strings.Contains(code.String(), "\nfunc "+test+"(") {
			t.Errorf("docs/broker.md names %s, which does not exist", test)
		}
	}
}

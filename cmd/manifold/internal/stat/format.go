package stat

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// formats write entities as a view has them, by the name that --output takes.
var formats = map[string]func(w io.Writer, v *view, t table) error{
	"table": writeTable, "json": writeJSON, "yaml": writeYAML, "csv": writeCSV,
}

// writeTable writes a table for people.
func writeTable(w io.Writer, v *view, t table) error {
	var lines [][]string
	right := make([]bool, len(v.columns))
	if v.turned {
		for _, row := range t.rows {
			for i, c := range v.columns {
				lines = append(lines, []string{c.title, c.form.show(row[i])})
			}
		}
		return writeColumns(w, lines, make([]bool, 2))
	}
	titles := make([]string, len(v.columns))
	for i, c := range v.columns {
		titles[i] = strings.ToUpper(c.title)
		right[i] = c.form == asCount || c.form == asBytes || c.form == asDuration
	}
	lines = append(lines, titles)
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, c := range v.columns {
			line[i] = c.form.show(row[i])
		}
		lines = append(lines, line)
	}
	return writeColumns(w, lines, right)
}

// writeColumns writes lines whose cells stand below each other, those of some columns at the right.
func writeColumns(w io.Writer, lines [][]string, right []bool) error {
	widths := make([]int, len(right))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right[i] {
				b.WriteString(pad + cell + "  ")
			} else {
				b.WriteString(cell + pad + "  ")
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// objects gives entities as programs read them.
func objects(t table) []map[string]any {
	all := make([]map[string]any, len(t.rows))
	for i, row := range t.rows {
		all[i] = make(map[string]any, len(row))
		for j, name := range t.attributes {
			all[i][name] = row[j]
		}
	}
	return all
}

func writeJSON(w io.Writer, v *view, t table) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if all := objects(t); v.turned && len(all) == 1 {
		return e.Encode(all[0])
	}
	return e.Encode(objects(t))
}

func writeYAML(w io.Writer, v *view, t table) error {
	var value any = objects(t)
	if v.turned && len(t.rows) == 1 {
		value = objects(t)[0]
	}
	return yaml.NewEncoder(w).Encode(value)
}

func writeCSV(w io.Writer, _ *view, t table) error {
	out := csv.NewWriter(w)
	lines := [][]string{slices.Clone(t.attributes)}
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, value := range row {
			if value != nil {
				line[i] = fmt.Sprint(value)
			}
		}
		lines = append(lines, line)
	}
	return out.WriteAll(lines)
}

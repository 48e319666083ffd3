package gateway

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the generated tables of docs/")

// TestMappingTables compares the tables of docs/ with the mapping that the matrix holds the gateway to.
func TestMappingTables(t *testing.T) {
	for name, table := range map[string]string{
		"amqp.md":  overviewOf(&mqtt5Column, &stompColumn, &httpColumn, &jsonColumn, &coapColumn),
		"mqtt.md":  mappingOf(&mqtt5Column, &mqtt3Column),
		"stomp.md": mappingOf(&stompColumn),
		"http.md":  mappingOf(&httpColumn, &jsonColumn),
		"coap.md":  mappingOf(&coapColumn),
	} {
		path := filepath.Join("..", "docs", name)
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(document), beginTable)
		_, after, ended := strings.Cut(rest, endTable)
		if !ok || !ended {
			t.Errorf("docs/%s has no place for the table", name)
			continue
		}
		want := before + beginTable + "\n\n" + table + "\n" + endTable + after
		if want == string(document) {
			continue
		}
		if !*update {
			t.Errorf("docs/%s differs from the mapping; see the line %s there", name, beginTable)
			continue
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What a generated table stands between.
const (
	beginTable = "<!-- generated: go test ./gateway -run MappingTables -update -->"
	endTable   = "<!-- end -->"
)

// overviewOf is a table of every field that AMQP has a place for, and where that is in other protocols.
func overviewOf(columns ...*column) string {
	table, none := tableOf(append([]*column{&amqpColumn}, columns...), false)
	return table + "\nOnly AMQP 1.0 clients see: " + strings.Join(none, "; ") + ".\n"
}

// mappingOf is a table of every field that a protocol has a place for, and how it is written there.
func mappingOf(columns ...*column) string {
	table, none := tableOf(append(columns, &amqpColumn), true)
	return table + "\nThere is no place for: " + strings.Join(none, "; ") + ".\n"
}

// tableOf writes a row for each field that more than AMQP has a place for; none are the others. With notes it says how a
// field is written, too, and has those that AMQP has no place for.
func tableOf(columns []*column, notes bool) (table string, none []string) {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString("| " + c.title + " ")
	}
	b.WriteString("|\n" + strings.Repeat("|---", len(columns)) + "|\n")
	for _, f := range rows {
		name := amqpColumn.places[f].text(false)
		var cells []string
		places := 0
		for _, c := range columns {
			cells = append(cells, c.places[f].text(notes))
			if _, ok := c.places[f]; ok && c != &amqpColumn {
				places++
			}
		}
		switch {
		case places > 0 && (notes || name != nowhere):
			b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		case name != nowhere:
			none = append(none, name)
		}
	}
	return b.String(), none
}

// nowhere stands where a protocol has no place.
const nowhere = "–"

// text tells where a field is, with notes also how.
func (p place) text(notes bool) string {
	s, g := p.sent.text(notes), p.got.text(notes)
	switch {
	case s == "" && g == "":
		return nowhere
	case s == g:
		return s
	case g == "":
		return s + " (sent)"
	case s == "":
		return g + " (received)"
	default:
		return "sent: " + s + "; received: " + g
	}
}

func (w way) text(notes bool) string {
	if notes && w.note != "" {
		return w.where + ": " + w.note
	}
	return w.where
}

package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// tree is what somebody has written, before it means anything: the same for YAML and for JSON.
type tree struct {
	form    form
	line    int     // where it begins
	text    string  // of a value, and what something strange is
	style   style   // of a value
	items   []tree  // of a list
	entries []entry // of a section
}

// entry is a key of a section with its value.
type entry struct {
	key   string
	line  int
	value tree
}

// form is what a tree is.
type form uint8

const (
	nothing form = iota
	value
	list
	section
	alias   // of YAML, and anchors: they are not supported
	strange // anything else
)

// style is how a value is written.
type style uint8

const (
	quoted style = iota // a text, in quotes unless it can be taken for nothing else
	word                // a size or duration, which only JSON needs quotes for
	number              // a number or a boolean, without quotes
)

// String says what was written, for who expected something else.
func (t *tree) String() string {
	switch t.form {
	case nothing:
		return "nothing"
	case value:
		return "one value"
	case list:
		return "a list"
	case section:
		return "keys with values"
	}
	return t.text
}

// child gives the value at one step below t, or nil.
func (t *tree) child(step string) *tree {
	for i := range t.entries {
		if t.entries[i].key == step {
			return &t.entries[i].value
		}
	}
	if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(t.items) {
		return &t.items[i]
	}
	return nil
}

// plant gives the tree of YAML.
func plant(n ast.Node) tree {
	if n == nil {
		return tree{line: 1}
	}
	t := tree{line: lineOf(n)}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		t.form = section
		for _, e := range n.Values {
			t.entries = append(t.entries, entry{e.Key.GetToken().Value, lineOf(e.Key), plant(e.Value)})
		}
	case *ast.SequenceNode:
		t.form = list
		for _, item := range n.Values {
			t.items = append(t.items, plant(item))
		}
	case *ast.LiteralNode: // a block of text
		t.form, t.text = value, n.Value.Value
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		t.form, t.text = value, n.GetToken().Value
		if _, isText := n.(*ast.StringNode); !isText && json.Valid([]byte(t.text)) {
			t.style = number
		}
	case *ast.AnchorNode, *ast.AliasNode:
		t.form = alias
	default:
		t.form, t.text = strange, "a "+n.Type().YAMLName()
	}
	return t
}

// lineOf gives the line where a node begins.
func lineOf(n ast.Node) int {
	switch n := n.(type) {
	case nil:
		return 1
	case *ast.MappingNode: // its own token is a colon
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken().Position.Line
		}
	}
	if t := n.GetToken(); t != nil {
		return t.Position.Line
	}
	return 1
}

// maxDepth bounds how deep JSON is nested: nothing that can be declared is deeper than a few levels.
const maxDepth = 32

// plantJSON gives the tree of one JSON value (RFC 8259). A name that is there twice is refused: readers differ in which
// one they take.
func plantJSON(text []byte) (tree, error) {
	p := planter{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), line: 1}
	p.decoder.UseNumber()
	t, err := p.value(maxDepth)
	if err != nil {
		return tree{}, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return tree{}, errors.New("there is something behind the JSON value")
	}
	return t, nil
}

// planter reads JSON token by token, and counts lines.
type planter struct {
	text    []byte
	decoder *json.Decoder
	counted int64 // bytes whose lines are counted
	line    int
}

// next gives the next token. The error of a text that is no JSON says where it ceases to be.
func (p *planter) next() (json.Token, error) {
	token, err := p.decoder.Token()
	at := min(p.decoder.InputOffset(), int64(len(p.text)))
	p.line += bytes.Count(p.text[p.counted:at], []byte("\n"))
	p.counted = at
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("this is no JSON: line %d: %w", p.line, err)
	}
	return token, nil
}

func (p *planter) value(depth int) (tree, error) {
	token, err := p.next()
	if err != nil {
		return tree{}, err
	}
	t := tree{line: p.line, form: value}
	switch token := token.(type) {
	case nil:
		t.form = nothing
	case string:
		t.text = token
	case bool:
		t.text, t.style = strconv.FormatBool(token), number
	case json.Number:
		t.text, t.style = token.String(), number
	case json.Delim:
		if depth == 0 {
			return tree{}, fmt.Errorf("line %d: nested deeper than %d levels", p.line, maxDepth)
		}
		if token == '[' {
			t.form = list
			t.items, err = p.list(depth - 1)
		} else {
			t.form = section
			t.entries, err = p.section(depth - 1)
		}
	}
	return t, err
}

func (p *planter) list(depth int) (items []tree, err error) {
	for p.decoder.More() {
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err = p.next() // the bracket
	return items, err
}

func (p *planter) section(depth int) (entries []entry, err error) {
	known := make(map[string]bool)
	for p.decoder.More() {
		name, err := p.next()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		if known[key] {
			return nil, fmt.Errorf("line %d: the key %q is there twice", p.line, strings.ToValidUTF8(key, "?"))
		}
		known[key] = true
		e := entry{key: key, line: p.line}
		if e.value, err = p.value(depth); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	_, err = p.next() // the brace
	return entries, err
}

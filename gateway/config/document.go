package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is the syntax tree of a file.
type document struct {
	file string
	root ast.Node // nil for an empty file
}

func parseDocument(file string, text []byte) (document, Problems) {
	doc := document{file: file}
	tree, err := parser.ParseBytes(text, 0)
	switch {
	case err != nil:
		return doc, Problems{syntaxProblem(file, err)}
	case len(tree.Docs) > 1:
		line := lineOf(tree.Docs[1].Body)
		return doc, Problems{{File: file, Line: line, Text: "a second document; a configuration is one"}}
	case len(tree.Docs) == 1:
		doc.root = tree.Docs[0].Body
	}
	return doc, nil
}

func syntaxProblem(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Text: err.Error()}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.Text = e.GetMessage()
		if t := e.GetToken(); t != nil {
			p.Line = t.Position.Line
		}
		if strings.HasPrefix(p.Text, "undefined alias") || strings.HasPrefix(p.Text, "undefined anchor") {
			p.Text = aliasText
		}
	}
	return p
}

// aliasText helps whoever begins an address with a wildcard, which YAML takes for something else.
const aliasText = `anchors and aliases are not supported; put a text that begins with "*" or "&" in quotes`

// located gives problems that know their path the place of that key, or of the closest one above it that is there.
func (d document) located(problems Problems) Problems {
	for i := range problems {
		problems[i].File = d.file
		problems[i].Line = d.line(problems[i].Path)
	}
	return problems
}

func (d document) line(path string) int {
	n, line := d.root, 1
	for step := range steps(path) {
		if n = child(n, step); n == nil {
			break
		}
		line = lineOf(n)
	}
	return line
}

// steps gives the keys and indexes of a path, one by one.
func steps(path string) func(yield func(string) bool) {
	return strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// child gives the value at one step below n, or nil.
func child(n ast.Node, step string) ast.Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, entry := range n.Values {
			if keyOf(entry) == step {
				return entry.Value
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Values) {
			return n.Values[i]
		}
	}
	return nil
}

func keyOf(entry *ast.MappingValueNode) string { return entry.Key.GetToken().Value }

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

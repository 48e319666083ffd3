package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// document is what is written in a file.
type document struct {
	file string
	root tree
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
		doc.root = plant(tree.Docs[0].Body)
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
	t, line := &d.root, 1
	for step := range steps(path) {
		if t = t.child(step); t == nil {
			break
		}
		line = t.line
	}
	return line
}

// steps gives the keys and indexes of a path, one by one.
func steps(path string) func(yield func(string) bool) {
	return strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

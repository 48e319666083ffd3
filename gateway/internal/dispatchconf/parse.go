package dispatchconf

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth is how many maps may enclose an attribute.
const maxDepth = 8

// Parse reads a file. The error is a *SyntaxError.
func Parse(text string) ([]Entity, error) {
	p := parser{lines: strings.Split(text, "\n")}
	var entities []Entity
	for {
		line, ok := p.next()
		if !ok {
			return entities, nil
		}
		name, opens := opening(line)
		if !opens {
			return nil, p.fault("want the beginning of an entity, such as \"listener {\"")
		}
		e := Entity{Type: camelCase(name), Line: p.number}
		attributes, err := p.attributes(e.Type, e.Line, 0)
		if err != nil {
			return nil, err
		}
		e.Attributes = attributes
		entities = append(entities, e)
	}
}

// parser goes through the lines of a file.
type parser struct {
	lines  []string
	number int // of the line that was read last
}

// next gives the next line that is more than a comment, without blanks around it. A comment behind something is still
// there.
func (p *parser) next() (line string, ok bool) {
	for p.number < len(p.lines) {
		line := strings.TrimSpace(p.lines[p.number])
		p.number++
		if line != "" && line[0] != '#' {
			return line, true
		}
	}
	return "", false
}

func (p *parser) fault(format string, args ...any) error {
	return &SyntaxError{Line: p.number, Reason: fmt.Sprintf(format, args...)}
}

// attributes reads up to the brace that closes an entity or a map, which began at a line.
func (p *parser) attributes(of string, from, depth int) ([]Attribute, error) {
	attributes := []Attribute{}
	for {
		line, ok := p.next()
		if !ok {
			return nil, &SyntaxError{Line: from, Reason: fmt.Sprintf("no line with } closes %s", of)}
		}
		if withoutComment(line) == "}" {
			return attributes, nil
		}
		a, err := p.attribute(line, depth)
		if err != nil {
			return nil, err
		}
		if depth == 0 {
			a.Name = camelCase(a.Name)
		}
		attributes = append(attributes, a)
	}
}

// attribute reads one attribute, which begins with a line.
func (p *parser) attribute(line string, depth int) (Attribute, error) {
	name, rest, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || !isName(strings.TrimLeft(name, "$")) {
		return Attribute{}, p.fault("want an attribute, such as \"port: 5672\", or }")
	}
	a := Attribute{Name: name, Line: p.number}
	rest = strings.TrimSpace(rest)
	var err error
	switch {
	case mayHaveHash(name):
		a.Value, _, _ = strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
	case isJSON(name) && strings.HasPrefix(rest, "{"):
		a.JSON, err = p.object(rest)
	case withoutComment(rest) == "{":
		if depth == maxDepth {
			return Attribute{}, p.fault("maps are nested more than %d deep", maxDepth)
		}
		a.Map, err = p.attributes(name, a.Line, depth+1)
	default:
		a.Value = withoutComment(rest)
	}
	if err == nil && strings.Contains(a.Value, `\`) {
		a.Value, err = p.unescaped(a.Value)
	}
	switch {
	case err != nil:
		return Attribute{}, err
	case a.Value == "" && a.Map == nil && a.JSON == nil:
		return Attribute{}, p.fault("%s has no value", name)
	case strings.HasPrefix(a.Value, "{"):
		return Attribute{}, p.fault("the { of a map stands at the end of its line")
	}
	return a, nil
}

// unescaped reads a value with backslashes, which mean what they do in JSON: that is what the router makes of a file.
func (p *parser) unescaped(value string) (text string, err error) {
	if err := json.Unmarshal([]byte(`"`+value+`"`), &text); err != nil {
		return "", p.fault("a backslash in a value is written twice, or as in JSON: %v", err)
	}
	return text, nil
}

// opening reads the line that begins an entity: a name and a brace.
func opening(line string) (name string, ok bool) {
	name, ok = strings.CutSuffix(withoutComment(line), "{")
	name = strings.TrimRight(name, " \t")
	return name, ok && isName(name)
}

func withoutComment(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimSpace(line)
}

// isName tells whether a text may name an entity or an attribute.
func isName(text string) bool {
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
		default:
			return false
		}
	}
	return text != "" && text[0] != '-'
}

// mayHaveHash tells whether the value of an attribute may have a # in it.
func mayHaveHash(name string) bool {
	return name == "pattern" || name == "bindingKey" || name == "hostname"
}

// isJSON tells whether the value of an attribute is JSON.
func isJSON(name string) bool { return name == "openProperties" || name == "groups" }

package dispatchconf

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Entity is one section of a file.
type Entity struct {
	Type       string // in camelCase
	Line       int    // where it begins, counted from 1
	Attributes []Attribute
}

// Attribute is one setting of an entity. It has one of Value, Map and JSON.
type Attribute struct {
	Name  string // in camelCase at the top of an entity, else as it is written
	Line  int
	Value string          // as it is written, without blanks around it
	Map   []Attribute     // of a map of attributes
	JSON  json.RawMessage // of openProperties and groups: an object, without comments
}

// Attribute gives an attribute by its name in camelCase; ok is false if the entity has none. Of several the last counts.
func (e Entity) Attribute(name string) (a Attribute, ok bool) {
	for _, candidate := range e.Attributes {
		if candidate.Name == name {
			a, ok = candidate, true
		}
	}
	return a, ok
}

// Value gives the text of an attribute; it is empty if the entity has none.
func (e Entity) Value(name string) string {
	a, _ := e.Attribute(name)
	return a.Value
}

// SyntaxError says where a file is not in the format.
type SyntaxError struct {
	Line   int
	Reason string
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// camelCase turns a name with hyphens into one in camelCase.
func camelCase(name string) string {
	words := strings.Split(name, "-")
	for i, word := range words {
		if i > 0 && word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

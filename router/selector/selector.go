package selector

import (
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// What a selector may be at most.
const (
	MaxLength = 4096 // octets of its text
	MaxTerms  = 256  // identifiers and literals
	MaxDepth  = 32   // parentheses, NOTs and signs around a term
)

// Selector is a parsed condition on messages. It is immutable. A nil Selector is no condition: all messages match.
type Selector struct {
	text      string
	condition *node
}

// Parse reads a selector. An error is a [*SyntaxError]. The empty text, by which JMS means no selector, is one.
func Parse(text string) (*Selector, error) {
	condition, err := parse(text)
	if err != nil {
		return nil, err
	}
	return &Selector{text: text, condition: condition}, nil
}

// And returns the selector of the messages that all selectors match, or nil for none. The error is that the limits of
// a selector are passed.
func And(selectors ...*Selector) (*Selector, error) {
	var conditions []string
	var last *Selector
	for _, s := range selectors {
		if s != nil {
			conditions = append(conditions, "("+s.text+")")
			last = s
		}
	}
	if len(conditions) < 2 {
		return last, nil
	}
	return Parse(strings.Join(conditions, " AND "))
}

// String gives the selector's text, from which Parse makes an equal one. It is empty for nil.
func (s *Selector) String() string {
	if s == nil {
		return ""
	}
	return s.text
}

// Matches tells whether the condition is true for a message.
func (s *Selector) Matches(m amqp.Message) bool {
	if s == nil {
		return true
	}
	v := view{message: m}
	return s.condition.truth(&v) == yes
}

// Package selector decides whether a message is one that a receiver asked for.
package selector

import (
	"errors"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Selector is a parsed condition on messages. It is immutable.
type Selector struct{ text string }

// Parse reads a selector in the SQL-92 subset of the JMS specification.
func Parse(string) (*Selector, error) { return nil, errors.New("selectors are not offered yet") }

// String gives the selector's text, from which Parse makes an equal one.
func (s *Selector) String() string { return s.text }

// Matches tells whether the condition is true for a message.
func (s *Selector) Matches(amqp.Message) bool { return true }

package rewrite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// pattern is a text, level by level.
type pattern []level

// level is one level of a pattern.
type level struct {
	kind   kind
	text   string // of a literal level, or the variable's name
	number int    // of a captured one, from 1
}

// kind says what a level stands for.
type kind byte

const (
	literal  kind = iota
	captured      // any one level
	rest          // all levels from here on, perhaps none
	variable      // a name of the client's
)

// The levels that stand for names of the client.
const (
	userVariable   = "$user"
	clientVariable = "$client"
	tenantVariable = "$tenant"
)

func isVariable(text string) bool {
	return text == userVariable || text == clientVariable || text == tenantVariable
}

// topicPattern reads a topic filter that is valid.
func topicPattern(match string) pattern {
	var p pattern
	captures := 0
	for text := range strings.SplitSeq(match, "/") {
		l := level{text: text}
		switch {
		case text == "+":
			captures++
			l.kind, l.number = captured, captures
		case text == "#":
			l.kind = rest
		case isVariable(text):
			l.kind = variable
		}
		p = append(p, l)
	}
	return p
}

// resultPattern reads what topics become.
func resultPattern(to string) (pattern, error) {
	if _, err := addressing.ParseMQTTFilter(to); err != nil {
		return nil, err
	}
	var p pattern
	for text := range strings.SplitSeq(to, "/") {
		l := level{text: text}
		number, digits := strings.CutPrefix(text, "$")
		n, err := strconv.Atoi(number)
		switch {
		case text == "+":
			return nil, errors.New(`"+" is written $1, $2 and so on here`)
		case text == "#":
			l.kind = rest
		case isVariable(text):
			l.kind = variable
		case digits && err == nil && 0 < n && n <= addressing.MaxWildcards:
			l.kind, l.number = captured, n
		case digits:
			return nil, fmt.Errorf("%.40q is none of $1 to $%d, %s, %s, %s", text, addressing.MaxWildcards,
				userVariable, clientVariable, tenantVariable)
		}
		p = append(p, l)
	}
	return p, nil
}

func (p pattern) count(k kind) (n int) {
	for _, l := range p {
		if l.kind == k {
			n++
		}
	}
	return n
}

// findings are what the wildcards of a pattern stand for in one text.
type findings struct {
	captures [addressing.MaxWildcards + 1]string // by number
	rest     string
	hasRest  bool // there is at least one level
}

// read finds what the wildcards stand for. The text may be a filter: its "+" is only known to be one level, and its "#" to
// be the rest.
func (p pattern) read(text string, who Who, found *findings) bool {
	more := true // there are levels left in text
	for _, l := range p {
		if l.kind == rest {
			found.rest, found.hasRest = text, more
			return true
		}
		if !more {
			return false
		}
		var head string
		head, text, more = strings.Cut(text, "/")
		switch l.kind {
		case captured:
			if head == "#" {
				return false
			}
			found.captures[l.number] = head
		case variable:
			if name, ok := who.level(l.text); !ok || head != name {
				return false
			}
		default:
			if head != l.text {
				return false
			}
		}
	}
	return !more
}

// write appends the text in which the wildcards stand for what was found.
func (p pattern) write(b *strings.Builder, who Who, found *findings) bool {
	for i, l := range p {
		text := l.text
		switch l.kind {
		case captured:
			text = found.captures[l.number]
		case rest:
			if !found.hasRest {
				return true
			}
			text = found.rest
		case variable:
			var ok bool
			if text, ok = who.level(l.text); !ok {
				return false
			}
		}
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(text)
	}
	return true
}

// level gives the name that a variable stands for. One that could not be a level of a topic is none: a client that calls
// itself "#" gets no rights by that.
func (w Who) level(name string) (string, bool) {
	text := w.Tenant
	switch name {
	case userVariable:
		text = w.User
	case clientVariable:
		text = w.Client
	}
	return text, text != "" && !strings.ContainsAny(text, "/+#") && !strings.HasPrefix(text, "$")
}

package dispatchconf

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// object reads JSON up to the brace that closes it; first is what stands on the line where it begins. Lines that are
// comments, and commas with nothing behind them, are left out.
func (p *parser) object(first string) (json.RawMessage, error) {
	from := p.number
	var text strings.Builder
	s := scanner{out: &text}
	for line := first; ; {
		rest, closed := s.line(line)
		if closed {
			if after := withoutComment(rest); after != "" && after != "," {
				return nil, p.fault("something follows the } that closes the JSON")
			}
			return p.checked(text.String(), from)
		}
		before := p.number
		next, ok := p.next()
		if !ok {
			return nil, &SyntaxError{Line: from, Reason: "no } closes the JSON"}
		}
		text.WriteString(strings.Repeat("\n", p.number-before))
		line = next
	}
}

// checked gives JSON without blanks, or tells where it is wrong.
func (p *parser) checked(text string, from int) (json.RawMessage, error) {
	var whole json.RawMessage
	err := json.Unmarshal([]byte(text), &whole)
	if err == nil {
		var compact bytes.Buffer
		err = json.Compact(&compact, whole)
		return compact.Bytes(), err
	}
	line := from
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) && syntax.Offset > 0 {
		line += strings.Count(text[:syntax.Offset-1], "\n") // what is wrong is the octet before the offset
	}
	reason := err.Error()
	if strings.HasSuffix(reason, "looking for beginning of object key string") {
		reason = "Expecting property name enclosed in double quotes"
	}
	return nil, &SyntaxError{Line: line, Reason: "JSON: " + reason}
}

// scanner copies JSON line by line, and finds its end.
type scanner struct {
	out   *strings.Builder
	depth int
	comma bool // is held back until something follows it
}

// line copies a line. It is true when the outermost brace has closed, with what follows it.
func (s *scanner) line(line string) (rest string, closed bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '"' {
			text := quoted(line[i:])
			s.put(text)
			i += len(text) - 1
			continue
		}
		switch c {
		case ',':
			s.put("")
			s.comma = true
			continue
		case '{', '[':
			s.depth++
		case '}', ']':
			s.comma = false
			s.depth--
		case ' ', '\t', '\r':
			continue
		}
		s.put(line[i : i+1])
		if s.depth == 0 {
			return line[i+1:], true
		}
	}
	return "", false
}

// put copies a piece, after the comma before it.
func (s *scanner) put(piece string) {
	if s.comma {
		s.comma = false
		s.out.WriteByte(',')
	}
	s.out.WriteString(piece)
}

// quoted gives the string at the start of a text, with its quotes; all of the text if it does not end.
func quoted(text string) string {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1]
		}
	}
	return text
}

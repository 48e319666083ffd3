package selector

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of tokens. Keywords, in capitals, and signs are kinds of their own.
const (
	endOfText     = "the end"
	identifier    = "an identifier"
	number        = "a number"
	stringLiteral = "a string"
	binary        = "a binary"
)

// token is a word of the language.
type token struct {
	kind    string
	offset  int
	end     int
	field   field // of an identifier
	literal value // of a number, a string or a binary
}

// scanner cuts a text, which is valid UTF-8, into tokens.
type scanner struct {
	text string
	off  int // next octet to read
}

// next returns the next token.
func (s *scanner) next() (token, error) {
	s.off += len(s.text[s.off:]) - len(strings.TrimLeft(s.text[s.off:], " \t\n\f\r"))
	t := token{offset: s.off}
	err := s.scan(&t)
	t.end = s.off
	return t, err
}

func (s *scanner) scan(t *token) error {
	rest := s.text[s.off:]
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case rest == "":
		t.kind = endOfText
		return nil
	case r == '\'':
		return s.scanString(t)
	case (r == 'X' || r == 'x') && strings.HasPrefix(rest[1:], "'"):
		return s.scanBinary(t)
	case isDigit(rest[0]) || r == '.' && len(rest) > 1 && isDigit(rest[1]):
		return s.scanNumber(t)
	case r == '"' || r == '[':
		return s.scanQuotedIdentifier(t)
	case isIdentifierStart(r):
		return s.scanWord(t)
	default:
		return s.scanSign(t)
	}
}

func (s *scanner) scanString(t *token) error {
	contents, err := s.quoted('\'', '\'')
	t.kind, t.literal = stringLiteral, textOf([]byte(contents))
	return err
}

func (s *scanner) scanBinary(t *token) error {
	s.off++
	contents, err := s.quoted('\'', '\'')
	if err != nil {
		return err
	}
	octets, err := hex.DecodeString(contents)
	if err != nil {
		return syntaxError(t.offset, "binary is not made of pairs of hexadecimal digits")
	}
	t.kind, t.literal = binary, textOf(octets)
	return nil
}

func (s *scanner) scanQuotedIdentifier(t *token) error {
	name, err := s.quotedName()
	t.kind, t.field = identifier, entryOf(name)
	return err
}

// quotedName reads a name between quotation marks or brackets.
func (s *scanner) quotedName() (string, error) {
	if s.text[s.off] == '"' {
		return s.quoted('"', '"')
	}
	return s.quoted('[', ']')
}

// quoted reads from one mark to the other, both of which stand doubled for themselves in between.
func (s *scanner) quoted(open, close byte) (string, error) {
	var contents []byte
	for i := s.off + 1; i < len(s.text); i++ {
		c := s.text[i]
		if c == open || c == close {
			if i+1 == len(s.text) || s.text[i+1] != c {
				if c != close {
					return "", syntaxError(i, "%c inside brackets is not doubled", c)
				}
				s.off = i + 1
				return string(contents), nil
			}
			i++
		}
		contents = append(contents, c)
	}
	return "", syntaxError(s.off, "%c is not closed", open)
}

// scanWord reads a keyword or an identifier without quotes, of which the last part may have them.
func (s *scanner) scanWord(t *token) error {
	rest := s.text[s.off:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !isIdentifierPart(r) && r != '.' })
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	s.off += end
	if t.kind = keyword(word); t.kind != "" {
		return nil
	}
	t.kind = identifier
	qualifier, dotted := strings.CutSuffix(word, ".")
	switch {
	case !dotted:
		return s.resolve(t, word)
	case s.off < len(s.text) && (s.text[s.off] == '"' || s.text[s.off] == '['):
		return s.scanQualified(t, qualifier)
	default:
		return syntaxError(s.off, "expected a name after the dot")
	}
}

func (s *scanner) resolve(t *token, name string) (err error) {
	if t.field, err = resolve(name); err != nil {
		return syntaxError(t.offset, "%v", err)
	}
	return nil
}

// scanQualified reads the rest of an identifier whose name in a section is quoted.
func (s *scanner) scanQualified(t *token, qualifier string) error {
	name, err := s.quotedName()
	if err != nil {
		return err
	}
	f, known, err := resolveQualified(qualifier, name)
	switch {
	case err != nil:
		return syntaxError(t.offset, "%v", err)
	case !known:
		return syntaxError(t.offset, "%q is no section of a message", qualifier)
	}
	t.field = f
	return nil
}

// keyword gives a keyword in capitals, or nothing for any other word. Only the letters of ASCII are folded.
func keyword(word string) string {
	const longest = len("BETWEEN")
	if len(word) > longest || strings.IndexFunc(word, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return ""
	}
	switch upper := strings.ToUpper(word); upper {
	case "AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "ESCAPE", "IS", "NULL", "TRUE", "FALSE":
		return upper
	default:
		return ""
	}
}

func (s *scanner) scanSign(t *token) error {
	rest := s.text[s.off:]
	for _, sign := range [...]string{
		"<=", "<>", "<", ">=", ">", "=", "!=", "+", "-", "*", "/", "%", "(", ")", ",",
	} {
		if strings.HasPrefix(rest, sign) {
			s.off += len(sign)
			t.kind = sign
			return nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return syntaxError(s.off, "%q is no part of a selector", r)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isIdentifierStart is Character.isJavaIdentifierStart, by which JMS defines identifiers.
func isIdentifierStart(r rune) bool {
	return unicode.IsLetter(r) || unicode.In(r, unicode.Nl, unicode.Sc, unicode.Pc)
}

// isIdentifierPart is Character.isJavaIdentifierPart, without the control characters that it takes along.
func isIdentifierPart(r rune) bool {
	return isIdentifierStart(r) || unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc)
}

package selector

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parser reads a selector by recursive descent, from what binds least to what binds most. The first mistake stops it:
// from then on it sees the end of the text.
type parser struct {
	scanner scanner
	token   token // not yet taken
	terms   int
	depth   int
	err     error
}

// parse returns the condition that a text is.
func parse(text string) (*node, error) {
	if len(text) > MaxLength {
		return nil, syntaxError(MaxLength, "text is longer than %d octets", MaxLength)
	}
	if !utf8.ValidString(text) {
		return nil, syntaxError(strings.IndexRune(text, utf8.RuneError), "text is not UTF-8")
	}
	p := parser{scanner: scanner{text: text}}
	p.advance()
	condition := p.condition(p.disjunction)
	if p.err == nil && p.token.kind != endOfText {
		p.expected("AND, OR or the end")
	}
	if p.err != nil {
		return nil, p.err
	}
	return condition, nil
}

// disjunction reads conditions with OR between them, or a single expression.
func (p *parser) disjunction() *node { return p.chain("OR", opOr, p.conjunction) }

// conjunction reads conditions with AND between them, or a single expression.
func (p *parser) conjunction() *node { return p.chain("AND", opAnd, p.negation) }

func (p *parser) chain(keyword string, op op, operand func() *node) *node {
	start := p.token.offset
	first := operand()
	if p.token.kind != keyword {
		return first
	}
	p.mustBe(conditionClass, first, start)
	n := &node{op: op, args: []*node{first}}
	for p.take(keyword) {
		n.args = append(n.args, p.condition(operand))
	}
	return n
}

// negation reads a predicate, perhaps with NOT before it.
func (p *parser) negation() *node {
	if !p.take("NOT") {
		return p.predicate()
	}
	if !p.enter() {
		return nil
	}
	n := &node{op: opNot, args: []*node{p.condition(p.negation)}}
	p.depth--
	return n
}

// predicate reads a comparison of any kind, or a single expression.
func (p *parser) predicate() *node {
	start := p.token.offset
	left := p.sum()
	if op, ok := comparison(p.token.kind); ok {
		return p.comparison(op, left, start)
	}
	if p.take("IS") {
		return p.isNull(left)
	}
	negated := p.take("NOT")
	switch {
	case p.take("BETWEEN"):
		return p.between(left, start, negated)
	case p.take("IN"):
		return negate(p.in(left), negated)
	case p.take("LIKE"):
		p.mustBe(textClass, left, start)
		return negate(p.like(left), negated)
	case negated:
		p.expected("BETWEEN, IN or LIKE")
	}
	return left
}

func negate(n *node, negated bool) *node {
	if negated {
		return &node{op: opNot, args: []*node{n}}
	}
	return n
}

// comparison gives what a sign compares.
func comparison(sign string) (op op, ok bool) {
	switch sign {
	case "=":
		return opEqual, true
	case "<>", "!=":
		return opNotEqual, true
	case "<":
		return opLess, true
	case "<=":
		return opLessOrEqual, true
	case ">":
		return opGreater, true
	case ">=":
		return opGreaterOrEqual, true
	default:
		return 0, false
	}
}

func (p *parser) comparison(op op, left *node, start int) *node {
	if op == opEqual || op == opNotEqual {
		p.advance()
		return &node{op: op, args: []*node{left, p.sum()}}
	}
	p.mustBe(numberClass, left, start)
	p.advance()
	return &node{op: op, args: []*node{left, p.number(p.sum)}}
}

func (p *parser) isNull(left *node) *node {
	negated := p.take("NOT")
	p.need("NULL")
	return negate(&node{op: opIsNull, args: []*node{left}}, negated)
}

func (p *parser) between(left *node, start int, negated bool) *node {
	p.mustBe(numberClass, left, start)
	low := p.number(p.sum)
	p.need("AND")
	n := &node{op: opBetween, args: []*node{left, low, p.number(p.sum)}}
	if negated {
		n.op = opOutside
	}
	return n
}

func (p *parser) in(left *node) *node {
	n := &node{op: opIn, args: []*node{left}}
	p.need("(")
	for {
		n.args = append(n.args, p.sum())
		if !p.take(",") {
			break
		}
	}
	p.need(")")
	return n
}

func (p *parser) like(left *node) *node {
	start := p.token.offset
	written, escape := p.string(), rune(0)
	if p.take("ESCAPE") {
		escape = p.character()
	}
	pattern, ok := parsePattern(written, escape)
	if !ok {
		p.fail(start, "pattern ends in its escape character")
	}
	return &node{op: opLike, args: []*node{left}, pattern: pattern}
}

// character reads a string literal of one character.
func (p *parser) character() rune {
	start := p.token.offset
	written := p.string()
	r, size := utf8.DecodeRuneInString(written)
	if size == 0 || size < len(written) {
		p.fail(start, "escape is not one character")
	}
	return r
}

// string reads a string literal.
func (p *parser) string() string {
	contents := string(p.token.literal.octets)
	p.term()
	p.need(stringLiteral)
	return contents
}

// sum reads numbers with + and - between them, or a single expression.
func (p *parser) sum() *node {
	return p.operators(p.product, func(sign string) (op, bool) {
		switch sign {
		case "+":
			return opAdd, true
		case "-":
			return opSubtract, true
		default:
			return 0, false
		}
	})
}

// product reads numbers with *, / and % between them, or a single expression.
func (p *parser) product() *node {
	return p.operators(p.sign, func(sign string) (op, bool) {
		switch sign {
		case "*":
			return opMultiply, true
		case "/":
			return opDivide, true
		case "%":
			return opRemainder, true
		default:
			return 0, false
		}
	})
}

// operators reads operands with operators of one rank between them, of which meaning gives what a sign does.
func (p *parser) operators(operand func() *node, meaning func(sign string) (op, bool)) *node {
	start := p.token.offset
	left := operand()
	for {
		op, ok := meaning(p.token.kind)
		if !ok {
			return left
		}
		p.mustBe(numberClass, left, start)
		p.advance()
		left = &node{op: op, args: []*node{left, p.number(operand)}}
	}
}

// sign reads a term, perhaps with signs before it.
func (p *parser) sign() *node {
	op := opPlus
	switch p.token.kind {
	case "-":
		op = opMinus
	case "+":
	default:
		return p.primary()
	}
	p.advance()
	if !p.enter() {
		return nil
	}
	n := &node{op: op, args: []*node{p.number(p.sign)}}
	p.depth--
	return n
}

// primary reads a literal, an identifier or what is in parentheses.
func (p *parser) primary() *node {
	t := p.token
	switch t.kind {
	case "(":
		return p.parentheses()
	case identifier:
		return p.leaf(node{op: opField, field: t.field})
	case number, stringLiteral, binary:
		return p.leaf(node{literal: t.literal})
	case "TRUE", "FALSE":
		return p.leaf(node{literal: booleanOf(t.kind == "TRUE")})
	default:
		p.expected("a value")
		return nil
	}
}

func (p *parser) parentheses() *node {
	p.advance()
	if !p.enter() {
		return nil
	}
	n := p.disjunction()
	p.need(")")
	p.depth--
	return n
}

func (p *parser) leaf(n node) *node {
	p.term()
	p.advance()
	return &n
}

// condition reads what must not be a number or a text.
func (p *parser) condition(read func() *node) *node { return p.readAs(conditionClass, read) }

// number reads what must not be a text or a condition.
func (p *parser) number(read func() *node) *node { return p.readAs(numberClass, read) }

func (p *parser) readAs(c class, read func() *node) *node {
	start := p.token.offset
	n := read()
	p.mustBe(c, n, start)
	return n
}

// mustBe fails if a node that starts at an offset can never be of a class.
func (p *parser) mustBe(c class, n *node, start int) {
	if got := n.class(); got != anyClass && got != c {
		p.fail(start, "expected %s, found %s", c, got)
	}
}

// term counts an identifier or a literal.
func (p *parser) term() {
	if p.terms++; p.terms > MaxTerms {
		p.fail(p.token.offset, "selector has more than %d terms", MaxTerms)
	}
}

// enter goes one level deeper.
func (p *parser) enter() bool {
	if p.depth++; p.depth > MaxDepth {
		p.fail(p.token.offset, "selector is nested deeper than %d levels", MaxDepth)
	}
	return p.err == nil
}

// take takes the token if it is of a kind.
func (p *parser) take(kind string) bool {
	if p.token.kind != kind {
		return false
	}
	p.advance()
	return true
}

// need takes the token, which must be of a kind.
func (p *parser) need(kind string) {
	if !p.take(kind) {
		p.expected(kind)
	}
}

func (p *parser) advance() {
	if p.err != nil {
		return
	}
	var err error
	if p.token, err = p.scanner.next(); err != nil {
		p.stop(err)
	}
}

// expected fails because the token is not what it should be.
func (p *parser) expected(what string) {
	found := endOfText
	if p.token.kind != endOfText {
		found = fmt.Sprintf("%q", p.scanner.text[p.token.offset:p.token.end])
	}
	p.fail(p.token.offset, "expected %s, found %s", what, found)
}

func (p *parser) fail(offset int, format string, args ...any) {
	if p.err == nil {
		p.stop(syntaxError(offset, format, args...))
	}
}

func (p *parser) stop(err error) {
	p.err = err
	p.token = token{kind: endOfText}
}

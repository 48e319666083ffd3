package selector

// op is what a node does with its arguments.
type op uint8

const (
	opLiteral op = iota
	opField

	opNot
	opAnd // of two or more
	opOr  // of two or more
	opIsNull
	opBetween // the first from the second to the third
	opOutside // the first below the second or above the third
	opIn      // the first among the others
	opLike    // the first is as the pattern
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual

	opPlus
	opMinus
	opAdd
	opSubtract
	opMultiply
	opDivide
	opRemainder
)

// node is a parsed condition or expression.
type node struct {
	op      op
	args    []*node
	literal value   // of opLiteral
	field   field   // of opField
	pattern pattern // of opLike
}

// class is what is known of the value of a node before there is a message.
type class uint8

const (
	anyClass class = iota
	conditionClass
	numberClass
	textClass
)

// String names the class, for error messages.
func (c class) String() string {
	switch c {
	case conditionClass:
		return "a condition"
	case numberClass:
		return "a number"
	case textClass:
		return "a text"
	default:
		return "any value"
	}
}

func (n *node) class() class {
	switch {
	case n == nil || n.op == opField:
		return anyClass
	case n.op == opLiteral && n.literal.kind == text:
		return textClass
	case n.op == opLiteral && n.literal.kind == boolean:
		return conditionClass
	case n.op == opLiteral || n.op >= opPlus:
		return numberClass
	default:
		return conditionClass
	}
}

// truth evaluates a condition.
func (n *node) truth(v *view) truth {
	switch n.op {
	case opNot:
		return n.args[0].truth(v).not()
	case opAnd:
		return n.all(v)
	case opOr:
		return n.some(v)
	case opIsNull:
		return truthOf(n.args[0].value(v).kind == null)
	case opBetween, opOutside:
		return n.between(v)
	case opIn:
		return n.in(v)
	case opLike:
		return n.like(v)
	case opEqual, opNotEqual, opLess, opLessOrEqual, opGreater, opGreaterOrEqual:
		return compare(n.op, n.args[0].value(v), n.args[1].value(v))
	default:
		return n.value(v).truth()
	}
}

// value evaluates an expression. A condition is a boolean, or NULL if it is unknown.
func (n *node) value(v *view) value {
	switch n.op {
	case opLiteral:
		return n.literal
	case opField:
		return v.read(&n.field)
	case opPlus:
		return plus(n.args[0].value(v))
	case opMinus:
		return minus(n.args[0].value(v))
	case opAdd, opSubtract, opMultiply, opDivide, opRemainder:
		return calculate(n.op, n.args[0].value(v), n.args[1].value(v))
	}
	switch n.truth(v) {
	case yes:
		return booleanOf(true)
	case no:
		return booleanOf(false)
	default:
		return value{}
	}
}

func (n *node) all(v *view) truth {
	result := yes
	for _, arg := range n.args {
		if result = result.and(arg.truth(v)); result == no {
			break
		}
	}
	return result
}

func (n *node) some(v *view) truth {
	result := no
	for _, arg := range n.args {
		if result = result.or(arg.truth(v)); result == yes {
			break
		}
	}
	return result
}

func (n *node) between(v *view) truth {
	x, low, high := n.args[0].value(v), n.args[1].value(v), n.args[2].value(v)
	if n.op == opOutside {
		return compare(opLess, x, low).or(compare(opGreater, x, high))
	}
	return compare(opGreaterOrEqual, x, low).and(compare(opLessOrEqual, x, high))
}

func (n *node) in(v *view) truth {
	x, result := n.args[0].value(v), no
	for _, member := range n.args[1:] {
		if result = result.or(compare(opEqual, x, member.value(v))); result == yes {
			break
		}
	}
	return result
}

func (n *node) like(v *view) truth {
	x := n.args[0].value(v)
	if x.kind == null {
		return unknown
	}
	return truthOf(x.kind == text && n.pattern.matches(x.octets))
}

// compare evaluates a comparison: unknown with NULL, false between unlike values.
func compare(op op, a, b value) truth {
	if a.kind == null || b.kind == null {
		return unknown
	}
	if a.isNumber() && b.isNumber() {
		return truthOf(op.holds(a.compare(b)))
	}
	equal, alike := a.equal(b)
	return truthOf(alike && (op == opEqual && equal || op == opNotEqual && !equal))
}

// holds tells whether a comparison is true of two numbers.
func (o op) holds(r ordering) bool {
	switch o {
	case opEqual:
		return r == same
	case opNotEqual:
		return r != same
	case opLess:
		return r == below
	case opLessOrEqual:
		return r == below || r == same
	case opGreater:
		return r == above
	default:
		return r == above || r == same
	}
}

package selector

import "math"

// calculate computes with two numbers as Java does: with longs that wrap around if both are exact, else with doubles.
// Anything but numbers gives NULL, and so does an exact division by zero.
func calculate(op op, a, b value) value {
	switch {
	case !a.isNumber() || !b.isNumber():
		return value{}
	case a.kind == exact && b.kind == exact:
		return calculateExact(op, a.integer, b.integer)
	default:
		return approximateOf(calculateDouble(op, a.double(), b.double()))
	}
}

func calculateExact(op op, a, b int64) value {
	switch op {
	case opAdd:
		return exactOf(a + b)
	case opSubtract:
		return exactOf(a - b)
	case opMultiply:
		return exactOf(a * b)
	}
	switch {
	case b == 0:
		return value{}
	case op == opDivide:
		return exactOf(a / b)
	default:
		return exactOf(a % b)
	}
}

func calculateDouble(op op, a, b float64) float64 {
	switch op {
	case opAdd:
		return a + b
	case opSubtract:
		return a - b
	case opMultiply:
		return a * b
	case opDivide:
		return a / b
	default:
		return math.Mod(a, b)
	}
}

// plus gives a number as it is, and NULL for anything else.
func plus(v value) value {
	if !v.isNumber() {
		return value{}
	}
	v.octets = nil
	return v
}

// minus negates a number. The literal of the least long is a number beyond the largest one before its sign is seen.
func minus(v value) value {
	switch {
	case v.kind == exact:
		return exactOf(-v.integer)
	case v.kind == unsigned && v.integer == math.MinInt64:
		return exactOf(math.MinInt64)
	case v.isNumber():
		return approximateOf(-v.double())
	default:
		return value{}
	}
}

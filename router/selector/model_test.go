package selector_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
	"pgregory.net/rapid"
)

// model is an expression with its text and its meaning, which is told in the plainest way: nil is unknown, and the other
// values are bool, int64, float64 and string.
type model struct {
	text string
	eval func(properties) any
}

type properties map[string]any

// A selector of any shape, parsed from its text, is true of the same messages as its model.
func TestSelectorsAgreeWithTheModel(t *testing.T) {
	const conditions = 50 // for each message
	rapid.Check(t, func(t *rapid.T) {
		have := drawProperties(t)
		m := have.message(t)
		for range conditions {
			condition := drawCondition(t, 3)
			s, err := selector.Parse(condition.text)
			if err != nil {
				t.Fatalf("%s: %v", condition.text, err)
			}
			if got, want := s.Matches(m), condition.eval(have) == true; got != want {
				t.Fatalf("%s of %v: %v, want %v", condition.text, have, got, want)
			}
		}
	})
}

func drawProperties(t *rapid.T) properties {
	have := properties{}
	for _, name := range []string{"a", "b", "c", "d"} {
		if v := drawLiteral(t).eval(nil); rapid.Bool().Draw(t, "present") {
			have[name] = v
		}
	}
	return have
}

// message encodes the properties, integers in any type that has room for them.
func (p properties) message(t *rapid.T) amqp.Message {
	var entries amqp.Map
	for _, name := range []string{"a", "b", "c", "d"} {
		v, ok := p[name]
		if n, isInteger := v.(int64); isInteger {
			v = rapid.SampledFrom([]any{n, int32(n), int16(n), int8(n), amqp.Timestamp(n)}).Draw(t, "encoding")
		}
		if s, isString := v.(string); isString {
			v = rapid.SampledFrom([]any{s, []byte(s)}).Draw(t, "encoding")
		}
		if ok {
			entries = append(entries, amqp.Entry{Key: name, Value: v})
		}
	}
	return withApplicationProperties(entries)
}

func drawCondition(t *rapid.T, depth int) model {
	if depth == 0 {
		return drawProperty(t)
	}
	switch rapid.IntRange(0, 9).Draw(t, "condition") {
	case 0:
		return drawNot(t, depth)
	case 1:
		return drawJunction(t, depth, "AND", false)
	case 2:
		return drawJunction(t, depth, "OR", true)
	case 3:
		return drawEquality(t, depth)
	case 4:
		return drawOrder(t, depth)
	case 5:
		return drawBetween(t, depth)
	case 6:
		return drawIn(t)
	case 7:
		return drawLike(t)
	case 8:
		x := drawNumber(t, depth-1)
		return model{x.text + " IS NULL", func(p properties) any { return x.eval(p) == nil }}
	default:
		return drawProperty(t)
	}
}

func drawNot(t *rapid.T, depth int) model {
	x := drawCondition(t, depth-1)
	return model{"NOT (" + x.text + ")", func(p properties) any { return negation(x.eval(p)) }}
}

func negation(v any) any {
	if b, ok := v.(bool); ok {
		return !b
	}
	return nil
}

// drawJunction draws a chain of conditions. One of the deciding value decides, else one that is unknown does.
func drawJunction(t *rapid.T, depth int, keyword string, deciding bool) model {
	operands := make([]model, rapid.IntRange(2, 3).Draw(t, "operands"))
	texts := make([]string, len(operands))
	for i := range operands {
		operands[i] = drawCondition(t, depth-1)
		texts[i] = "(" + operands[i].text + ")"
	}
	return model{strings.Join(texts, " "+keyword+" "), func(p properties) any {
		var result any = !deciding
		for _, x := range operands {
			switch b, ok := x.eval(p).(bool); {
			case !ok:
				result = nil
			case b == deciding:
				return deciding
			}
		}
		return result
	}}
}

func drawEquality(t *rapid.T, depth int) model {
	x, y := drawOperand(t, depth-1), drawOperand(t, depth-1)
	sign := rapid.SampledFrom([]string{"=", "<>", "!="}).Draw(t, "sign")
	return model{x.text + sign + y.text, func(p properties) any { return compared(x.eval(p), sign, y.eval(p)) }}
}

func drawOrder(t *rapid.T, depth int) model {
	x, y := drawNumber(t, depth-1), drawNumber(t, depth-1)
	sign := rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "sign")
	return model{x.text + sign + y.text, func(p properties) any { return compared(x.eval(p), sign, y.eval(p)) }}
}

func compared(x any, sign string, y any) any {
	if x == nil || y == nil {
		return nil
	}
	if sign == "!=" {
		sign = "<>"
	}
	i, iok := x.(int64)
	j, jok := y.(int64)
	if iok && jok {
		return map[string]bool{"=": i == j, "<>": i != j, "<": i < j, "<=": i <= j, ">": i > j, ">=": i >= j}[sign]
	}
	f, fok := double(x)
	g, gok := double(y)
	if fok && gok {
		return map[string]bool{"=": f == g, "<>": f != g, "<": f < g, "<=": f <= g, ">": f > g, ">=": f >= g}[sign]
	}
	alike := fmt.Sprintf("%T", x) == fmt.Sprintf("%T", y)
	return alike && (sign == "=" && x == y || sign == "<>" && x != y)
}

func double(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// drawBetween draws a range. Outside it is below or above, which is not the negation where values are unlike.
func drawBetween(t *rapid.T, depth int) model {
	x, low, high := drawNumber(t, depth-1), drawNumber(t, depth-1), drawNumber(t, depth-1)
	bounds := " BETWEEN " + low.text + " AND " + high.text
	if rapid.Bool().Draw(t, "negated") {
		return model{x.text + " NOT" + bounds, func(p properties) any {
			return either(compared(x.eval(p), "<", low.eval(p)), compared(x.eval(p), ">", high.eval(p)))
		}}
	}
	return model{x.text + bounds, func(p properties) any {
		below, above := negation(compared(x.eval(p), ">=", low.eval(p))), negation(compared(x.eval(p), "<=", high.eval(p)))
		return negation(either(below, above))
	}}
}

func either(x, y any) any {
	switch {
	case x == true || y == true:
		return true
	case x == nil || y == nil:
		return nil
	default:
		return false
	}
}

func drawIn(t *rapid.T) model {
	x := drawProperty(t)
	members := rapid.SliceOfN(rapid.Custom(drawLiteralOrProperty), 1, 4).Draw(t, "members")
	texts := make([]string, len(members))
	for i, member := range members {
		texts[i] = member.text
	}
	among := func(p properties) any {
		var result any = false
		for _, member := range members {
			switch compared(x.eval(p), "=", member.eval(p)) {
			case true:
				return true
			case nil:
				result = nil
			}
		}
		return result
	}
	list := " IN (" + strings.Join(texts, ", ") + ")"
	if rapid.Bool().Draw(t, "negated") {
		return model{x.text + " NOT" + list, func(p properties) any { return negation(among(p)) }}
	}
	return model{x.text + list, among}
}

func drawLike(t *rapid.T) model {
	x := drawProperty(t)
	pattern, expression := drawPattern(t)
	return model{x.text + " LIKE " + pattern, func(p properties) any {
		switch v := x.eval(p).(type) {
		case nil:
			return nil
		case string:
			return expression.MatchString(v)
		default:
			return false
		}
	}}
}

// drawPattern draws a pattern and the regular expression that means the same. Its escape character, an exclamation mark,
// is never the last.
func drawPattern(t *rapid.T) (pattern string, expression *regexp.Regexp) {
	part := rapid.SampledFrom([]string{"a", "b", "é", "%", "_", "!%", "!_", "!!", "!a"})
	parts := rapid.SliceOfN(part, 0, 6).Draw(t, "parts")
	meaning := "(?s)^"
	for _, part := range parts {
		switch part {
		case "%":
			meaning += ".*"
		case "_":
			meaning += "."
		default:
			meaning += regexp.QuoteMeta(strings.TrimPrefix(part, "!"))
		}
	}
	return "'" + strings.Join(parts, "") + "' ESCAPE '!'", regexp.MustCompile(meaning + "$")
}

// Long texts of few letters have many places where a part of a pattern fits and the rest does not.
func TestLikeAgreesWithRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern, expression := drawPattern(t)
		s, err := selector.Parse("a LIKE " + pattern)
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aabé!%")), 0, 20, -1)
		for _, text := range rapid.SliceOfN(text, 50, 50).Draw(t, "texts") {
			m := withApplicationProperties(amqp.Map{{Key: "a", Value: text}})
			if got, want := s.Matches(m), expression.MatchString(text); got != want {
				t.Fatalf("%q LIKE %s: %v, want %v", text, pattern, got, want)
			}
		}
	})
}

// drawOperand draws what can be on either side of an equals sign.
func drawOperand(t *rapid.T, depth int) model {
	switch rapid.IntRange(0, 2).Draw(t, "operand") {
	case 0:
		return drawLiteralOrProperty(t)
	case 1:
		x := drawCondition(t, max(depth, 0))
		return model{"(" + x.text + ")", x.eval}
	default:
		return drawNumber(t, depth)
	}
}

func drawNumber(t *rapid.T, depth int) model {
	if depth <= 0 || rapid.Bool().Draw(t, "leaf") {
		if rapid.Bool().Draw(t, "literal") {
			return drawNumberLiteral(t)
		}
		return drawProperty(t)
	}
	x, y := drawNumber(t, depth-1), drawNumber(t, depth-1)
	sign := rapid.SampledFrom([]string{"+", "-", "*", "/", "%"}).Draw(t, "sign")
	return model{"(" + x.text + " " + sign + " " + y.text + ")", func(p properties) any {
		return computed(x.eval(p), sign, y.eval(p))
	}}
}

func computed(x any, sign string, y any) any {
	i, iok := x.(int64)
	j, jok := y.(int64)
	f, fok := double(x)
	g, gok := double(y)
	switch {
	case iok && jok && j == 0 && (sign == "/" || sign == "%"), !fok, !gok:
		return nil
	case iok && jok:
		return map[string]func() int64{
			"+": func() int64 { return i + j }, "-": func() int64 { return i - j }, "*": func() int64 { return i * j },
			"/": func() int64 { return i / j }, "%": func() int64 { return i % j },
		}[sign]()
	default:
		return map[string]float64{"+": f + g, "-": f - g, "*": f * g, "/": f / g, "%": math.Mod(f, g)}[sign]
	}
}

func drawProperty(t *rapid.T) model {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")
	return model{name, func(p properties) any { return p[name] }}
}

func drawLiteralOrProperty(t *rapid.T) model {
	if rapid.Bool().Draw(t, "literal") {
		return drawLiteral(t)
	}
	return drawProperty(t)
}

func drawLiteral(t *rapid.T) model {
	switch rapid.IntRange(0, 2).Draw(t, "literal") {
	case 0:
		b := rapid.Bool().Draw(t, "boolean")
		return model{strconv.FormatBool(b), func(properties) any { return b }}
	case 1:
		s := rapid.StringOfN(rapid.SampledFrom([]rune("ab!%_é'")), 0, 5, -1).Draw(t, "string")
		return model{"'" + strings.ReplaceAll(s, "'", "''") + "'", func(properties) any { return s }}
	default:
		return drawNumberLiteral(t)
	}
}

func drawNumberLiteral(t *rapid.T) model {
	n := rapid.Int64Range(-3, 9).Draw(t, "integer")
	if rapid.Bool().Draw(t, "exact") {
		return model{strconv.FormatInt(n, 10), func(properties) any { return n }}
	}
	f := float64(n) / 2
	return model{strconv.FormatFloat(f, 'f', 1, 64), func(properties) any { return f }}
}

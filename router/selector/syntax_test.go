package selector_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/selector"
)

func TestSyntaxErrorSaysWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"":                         `at octet 0: expected a value, found the end`,
		"   ":                      `at octet 3: expected a value, found the end`,
		"a =":                      `at octet 3: expected a value, found the end`,
		"a = = 1":                  `at octet 4: expected a value, found "="`,
		"a = 'x":                   `at octet 4: ' is not closed`,
		"a = 1 b":                  `at octet 6: expected AND, OR or the end, found "b"`,
		"a = 1 = 2":                `at octet 6: expected AND, OR or the end, found "="`,
		"a = NULL":                 `at octet 4: expected a value, found "NULL"`,
		"(a = 1":                   `at octet 6: expected ), found the end`,
		"a = 1)":                   `at octet 5: expected AND, OR or the end, found ")"`,
		"a IS 1":                   `at octet 5: expected NULL, found "1"`,
		"a NOT = 1":                `at octet 6: expected BETWEEN, IN or LIKE, found "="`,
		"a BETWEEN 1 OR 2":         `at octet 12: expected AND, found "OR"`,
		"a IN 1":                   `at octet 5: expected (, found "1"`,
		"a IN ()":                  `at octet 6: expected a value, found ")"`,
		"a IN ('x' 'y')":           `at octet 10: expected ), found "'y'"`,
		"a LIKE b":                 `at octet 7: expected a string, found "b"`,
		"a LIKE 'x' ESCAPE 'xy'":   `at octet 18: escape is not one character`,
		"a LIKE 'x' ESCAPE ''":     `at octet 18: escape is not one character`,
		"a LIKE 'x!' ESCAPE '!'":   `at octet 7: pattern ends in its escape character`,
		"5":                        `at octet 0: expected a condition, found a number`,
		"'x'":                      `at octet 0: expected a condition, found a text`,
		"a AND 5":                  `at octet 6: expected a condition, found a number`,
		"a + 1 OR b":               `at octet 0: expected a condition, found a number`,
		"NOT 'x'":                  `at octet 4: expected a condition, found a text`,
		"a > 'x'":                  `at octet 4: expected a number, found a text`,
		"TRUE < a":                 `at octet 0: expected a number, found a condition`,
		"a BETWEEN 'a' AND 'b'":    `at octet 10: expected a number, found a text`,
		"'a' + 1 = 2":              `at octet 0: expected a number, found a text`,
		"-'a' = 2":                 `at octet 1: expected a number, found a text`,
		"5 LIKE 'x'":               `at octet 0: expected a text, found a number`,
		"a = 1x":                   `at octet 5: 'x' right after a number`,
		"a = 08":                   `at octet 4: octal number has a digit 8 or 9`,
		"a = 0x":                   `at octet 4: hexadecimal number has no digits`,
		"a = 18446744073709551616": `at octet 4: number is too large`,
		"a = 1E999":                `at octet 4: number is too large`,
		"a = 1.2L":                 `at octet 7: 'L' right after a number`,
		"a = 1.2.3":                `at octet 7: '.' right after a number`,
		"a = X'4'":                 `at octet 4: binary is not made of pairs of hexadecimal digits`,
		"a # b":                    `at octet 2: '#' is no part of a selector`,
		`"a = 1`:                   `at octet 0: " is not closed`,
		"[a[b] = 1":                `at octet 2: [ inside brackets is not doubled`,
		"p.nothing = 1":            `at octet 0: p has no field "nothing"`,
		"h.subject = 1":            `at octet 0: h has no field "subject"`,
		"p. = 1":                   `at octet 2: expected a name after the dot`,
		`z."x" = 1`:                `at octet 0: "z" is no section of a message`,
		"a = \xff":                 `at octet 4: text is not UTF-8`,
	} {
		_, err := selector.Parse(text)
		if syntax := new(selector.SyntaxError); !errors.As(err, &syntax) || err.Error() != "selector: "+want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestKeywordsAreASCIIOnly(t *testing.T) {
	for _, text := range []string{"a lıke 'x'", "a lİke 'x'", "a LI\u212aE 'x'", "a I\u017f NULL"} {
		if _, err := selector.Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct{ fits, tooMuch string }{
		"length": {padded(selector.MaxLength), padded(selector.MaxLength + 1)},
		"terms": {
			"a IN (" + strings.Repeat("1,", selector.MaxTerms-2) + "1)",
			"a IN (" + strings.Repeat("1,", selector.MaxTerms-1) + "1)",
		},
		"parentheses": {nested("(", "a", ")", selector.MaxDepth), nested("(", "a", ")", selector.MaxDepth+1)},
		"negations":   {nested("NOT ", "a", "", selector.MaxDepth), nested("NOT ", "a", "", selector.MaxDepth+1)},
		"signs": {
			nested("- ", "a", "", selector.MaxDepth) + " = 1",
			nested("- ", "a", "", selector.MaxDepth+1) + " = 1",
		},
		"level after level": {
			strings.Repeat("(NOT - a = 1) AND ", 2*selector.MaxDepth) + "a",
			nested("(NOT - a = ", "1", ")", selector.MaxDepth/2),
		},
	} {
		if _, err := selector.Parse(c.fits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := selector.Parse(c.tooMuch); err == nil {
			t.Errorf("%s: too much was read", name)
		}
	}
}

func padded(n int) string { return "a" + strings.Repeat(" ", n-1) }

func nested(open, inner, close string, n int) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(close, n)
}

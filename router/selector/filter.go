package selector

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Properties translates the map of an amqp:properties-filter, descriptor 0x173, into a selector [filtex 4.2.4]. Its
// keys are the names of fields of the properties section, and a message matches if all these fields do.
//
// A string or symbol must be equal; a string that starts with "&p:" or "&s:" gives a prefix or a suffix instead, and "&&"
// stands for an ampersand [filtex 4.1.1]. Implementations of earlier drafts write "$p:", "$s:" and "$$", which are read
// alike. A number must be equal as a number, whatever its type. Null is true of everything.
func Properties(filter amqp.RawValue) (*Selector, error) {
	return translate(filter, func(name string) (string, error) {
		identifier := strings.ReplaceAll(name, "-", "_")
		if propertyIndex(identifier) < 0 {
			return "", fmt.Errorf("the properties have no field %q", name)
		}
		return "p." + identifier, nil
	}, "")
}

// ApplicationProperties translates the map of an amqp:application-properties-filter, descriptor 0x174, into a selector
// [filtex 4.2.5]. Its keys are those of application properties, its values as for [Properties], but null is true
// only of messages that have the property.
func ApplicationProperties(filter amqp.RawValue) (*Selector, error) {
	return translate(filter, func(name string) (string, error) { return quoteName(name), nil }, " IS NOT NULL")
}

// translate makes the conjunction of the conditions that a filter sets. What a name of its map is in a selector is
// given, and so is what null asks of it.
func translate(filter amqp.RawValue, identify func(string) (string, error), ifNull string) (*Selector, error) {
	entries, ok := filter.Map()
	if !ok {
		return nil, fmt.Errorf("selector: filter is a %v and not a map", filter.Code())
	}
	var conditions []string
	for key, reference := range entries.All() {
		name, ok := key.Text()
		if !ok {
			return nil, fmt.Errorf("selector: filter has a key that is a %v", key.Code())
		}
		identifier, err := identify(string(name))
		if err != nil {
			return nil, fmt.Errorf("selector: %w", err)
		}
		condition, err := conditionOn(reference.Value(), ifNull)
		if err != nil {
			return nil, fmt.Errorf("selector: filter on %q: %w", name, err)
		}
		if condition != "" {
			conditions = append(conditions, identifier+condition)
		}
	}
	if len(conditions) == 0 {
		return Parse("TRUE")
	}
	return Parse(strings.Join(conditions, " AND "))
}

// conditionOn gives what follows an identifier to ask for a value; nothing where nothing is asked for.
func conditionOn(reference any, ifNull string) (string, error) {
	switch reference := reference.(type) {
	case nil:
		return ifNull, nil
	case string:
		return conditionOnString(reference)
	case amqp.Symbol:
		return " = " + quoteText(string(reference)), nil
	case amqp.Char:
		return " = " + quoteText(string(rune(reference))), nil
	case []byte:
		return " = " + quoteBinary(reference), nil
	case amqp.UUID:
		return " = " + quoteBinary(reference[:]), nil
	case bool:
		return " = " + strings.ToUpper(strconv.FormatBool(reference)), nil
	case float32:
		return " = " + writeDouble(float64(reference)), nil
	case float64:
		return " = " + writeDouble(reference), nil
	case amqp.Timestamp:
		return " = " + strconv.FormatInt(int64(reference), 10), nil
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return fmt.Sprint(" = ", reference), nil
	default:
		return "", fmt.Errorf("values of type %T are not compared", reference)
	}
}

// conditionOnString asks for an equal string, or for what the start of the reference says.
func conditionOnString(reference string) (string, error) {
	switch {
	case strings.HasPrefix(reference, "&p:"), strings.HasPrefix(reference, "$p:"):
		return like(escapePattern(reference[len("&p:"):]) + "%"), nil
	case strings.HasPrefix(reference, "&s:"), strings.HasPrefix(reference, "$s:"):
		return like("%" + escapePattern(reference[len("&s:"):])), nil
	case strings.HasPrefix(reference, "&&"), strings.HasPrefix(reference, "$$"):
		reference = reference[1:]
	case strings.HasPrefix(reference, "&"):
		return "", fmt.Errorf("%q starts with & but not with &p:, &s: or &&", reference)
	}
	return " = " + quoteText(reference), nil
}

func like(pattern string) string { return " LIKE " + quoteText(pattern) + ` ESCAPE '\'` }

// escapePattern takes the special meaning from the characters of a pattern, with the escape character of like.
func escapePattern(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func quoteBinary(octets []byte) string { return "X'" + hex.EncodeToString(octets) + "'" }

// writeDouble writes an approximate number, and one that no literal gives as a quotient that does.
func writeDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "1D/0"
	case math.IsInf(f, -1):
		return "-1D/0"
	case math.IsNaN(f):
		return "0D/0"
	default:
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
}

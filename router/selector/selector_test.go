package selector_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

func TestLogicFollowsTheTablesOfJMS(t *testing.T) {
	terms := map[string]string{"true": "urgent", "false": "draft", "unknown": "missing"}
	conjunction := map[[2]string]string{
		{"true", "true"}: "true", {"true", "false"}: "false", {"true", "unknown"}: "unknown",
		{"false", "false"}: "false", {"false", "unknown"}: "false", {"unknown", "unknown"}: "unknown",
	}
	disjunction := map[[2]string]string{
		{"true", "true"}: "true", {"true", "false"}: "true", {"true", "unknown"}: "true",
		{"false", "false"}: "false", {"false", "unknown"}: "unknown", {"unknown", "unknown"}: "unknown",
	}
	m := sample()
	for operator, table := range map[string]map[[2]string]string{"AND": conjunction, "OR": disjunction} {
		for pair, want := range table {
			check(t, m, map[string]string{
				terms[pair[0]] + " " + operator + " " + terms[pair[1]]: want,
				terms[pair[1]] + " " + operator + " " + terms[pair[0]]: want,
			})
		}
	}
	check(t, m, map[string]string{
		"NOT urgent": "false", "NOT draft": "true", "NOT missing": "unknown", "NOT NOT urgent": "true",
		"draft AND draft OR urgent": "true", "urgent OR draft AND draft": "true", "(urgent OR draft) AND draft": "false",
		"NOT draft AND draft": "false", "NOT (draft AND draft)": "true", "NOT urgent = draft": "true",
		"urgent and not draft Or missing": "true", "TRUE": "true", "false": "false", "(((urgent)))": "true",
		"(size > 1) = TRUE": "true", "(missing > 1) = TRUE": "unknown", "(size > 1) = (size > 100)": "false",
	})
}

func TestComparisons(t *testing.T) {
	check(t, sample(), map[string]string{
		"color = 'red'": "true", "color='blue'": "false", "color <> 'blue'": "true", "color != 'blue'": "true",
		"color <> 'red'": "false", "'red' = color": "true", "color = 'RED'": "false", "Color = 'red'": "unknown",
		"size > 11": "true", "size >= 12": "true", "size < 12": "false", "size <= 12": "true", "size = 12": "true",
		"size <> 12": "false", "11 < size": "true", "byte = -3": "true", "byte = - 3": "true", "byte = +-3": "true",
		"urgent = TRUE": "true", "urgent <> false": "true", "draft = TRUE": "false", "urgent = draft": "false",
		"symbol = color": "true", "letter = 'é'": "true", "when = 1000": "true", "empty = ''": "true",
		"raw = X'4FFF'": "true", "raw = x'4fff'": "true", "raw = X'4F'": "false", "raw = 0x4FFF": "true",
		"raw = 0x4FFFL": "false", "id = X'ab0000000000000000000000000000cd'": "true", "size = 0xc": "true",
		"id = 0xab0000000000000000000000000000cd": "true", "size = 0x0C": "true", "color = 0x726564": "true",

		"missing = 1": "unknown", "missing <> 1": "unknown", "missing = missing": "unknown", "nothing = ''": "unknown",
		"missing > 1": "unknown", "1 >= missing": "unknown",

		"color = 1": "false", "color <> 1": "false", "size = 'red'": "false", "size <> '12'": "false",
		"urgent = 'true'": "false", "urgent <> 'true'": "false", "size = TRUE": "false", "color > 1": "false",
		"color >= color": "false", "urgent <= draft": "false", "money = 1": "false", "money <> 1": "false",
		"size": "unknown", "NOT color": "unknown", "size AND draft": "false", "size OR urgent": "true",
	})
}

func TestNumbersArePromotedAsInJava(t *testing.T) {
	check(t, sample(), map[string]string{
		"size = 12.0": "true", "size = 12D": "true", "size < 12.5": "true", "weight = 2.5": "true", "weight > 2": "true",
		"weight = 25E-1": "true", "tenth = 0.1F": "true", "tenth = 0.1": "false", "tenth > 0.1": "true",
		"9007199254740993 = 9007199254740992": "false", "9007199254740993 = 9007199254740992.0": "true",

		"size + 1 = 13": "true", "size - 13 = -1": "true", "size * 2 = 24": "true", "size / 5 = 2": "true",
		"size / 5.0 = 2.4": "true", "size % 5 = 2": "true", "-7 / 2 = -3": "true", "-7 % 2 = -1": "true",
		"7.5 % 2 = 1.5": "true", "1 + 2 * 3 = 7": "true", "(1 + 2) * 3 = 9": "true", "10 - 3 - 2 = 5": "true",
		"-size = -12": "true", "- -size = 12": "true", "+size = 12": "true", "2 + -3 = -1": "true", "2--3=5": "true",
		"weight * size = 30": "true", "size + weight = 14.5": "true", "12 / 6 / 2 = 1": "true",

		"9223372036854775807 + 1 = -9223372036854775808": "true", "-9223372036854775808 < 0": "true",
		"-9223372036854775808 / -1 = -9223372036854775808": "true", "-9223372036854775809 < -9.2E18": "true",
		"big = 18446744073709551615": "true", "big > 9223372036854775807": "true", "big = 0xFFFFFFFFFFFFFFFF": "true",
		"9223372036854775807 < big": "true", "big > 18446744073709551614": "true", "big + 1 > 1": "true",
		"-big < 0": "true", "big = 18446744073709551615.0": "true", "big <> -1": "true",

		"size / 0 = 1": "unknown", "size % 0 = 1": "unknown", "size / 0.0 > 1": "true", "0D / 0 = 0D / 0": "false",
		"0D / 0 <> 0D / 0": "true", "0D / 0 <= 1": "false", "1D / 0 = 1D / 0": "true",
		"missing + 1 = 1": "unknown", "color + 1 = 1": "unknown", "-color = 1": "unknown", "+color = 'red'": "unknown",
		"size * urgent = 12": "unknown", "money + 1 > 0": "unknown",
	})
}

func TestLiterals(t *testing.T) {
	check(t, sample(), map[string]string{
		"017 = 15": "true", "0x1F = 31": "true", "0X1f = 31": "true", "0 = 00": "true", "57L = 57l": "true",
		"0x1FL = 31": "true", "017L = 15": "true", "7. = 7": "true", ".5 = 0.5": "true", "7E3 = 7000": "true",
		"-57.9E2 = -5790": "true", "1e-1 = 0.1": "true", "1.e1 = 10": "true", "1D = 1f": "true", ".5F = 5e-1d": "true",
		"09.5 = 9.5": "true", "'it''s' = 'it''s'": "true", "'''' = ''": "false",
		"'\\' = '\\'": "true", "'ü☀' = 'ü☀'": "true", "TRUE = true": "true", "X'' = ''": "true",
	})
}

func TestPredicates(t *testing.T) {
	check(t, sample(), map[string]string{
		"size BETWEEN 12 AND 12": "true", "size BETWEEN 13 AND 20": "false", "size between 20 and 1": "false",
		"size NOT BETWEEN 1 AND 11": "true", "size NOT BETWEEN 1 AND 12": "false", "size BETWEEN 1.5 AND 12.5": "true",
		"missing BETWEEN 1 AND 2": "unknown", "size BETWEEN missing AND 20": "unknown", "size BETWEEN missing AND 1": "false",
		"size NOT BETWEEN missing AND 1": "true", "color BETWEEN 1 AND 2": "false", "color NOT BETWEEN 1 AND 2": "false",
		"size + 1 BETWEEN 2 * 6 AND 13 AND urgent": "true",

		"color IN ('red', 'blue')": "true", "color IN ('blue')": "false", "color NOT IN ('red')": "false",
		"color NOT IN ('green', 'blue')": "true", "missing IN ('red')": "unknown", "missing NOT IN ('red')": "unknown",
		"size IN ('red')": "false", "size NOT IN ('red')": "true", "size IN (1, 6 * 2)": "true", "size IN (12.0)": "true",
		"color IN ('x', missing)": "unknown", "color IN (missing, 'x')": "unknown",
		"color IN ('red', missing)": "true", "urgent IN (TRUE)": "true",

		"color IS NULL": "false", "color IS NOT NULL": "true", "missing IS NULL": "true", "missing IS NOT NULL": "false",
		"nothing IS NULL": "true", "empty is not null": "true", "money IS NOT NULL": "true", "(size / 0) IS NULL": "true",
	})
}

func TestLike(t *testing.T) {
	check(t, sample(), map[string]string{
		"color LIKE 'red'": "true", "color LIKE 'r%'": "true", "color LIKE '%d'": "true", "color LIKE '%e%'": "true",
		"color LIKE 'r_d'": "true", "color LIKE '_ed'": "true", "color LIKE '___'": "true", "color LIKE '__'": "false",
		"color LIKE '____'": "false", "color LIKE '%'": "true", "color LIKE ''": "false", "color LIKE 'R%'": "false",
		"color NOT LIKE 'b%'": "true", "color LIKE '%r%e%d%'": "true", "color LIKE '%e%r%'": "false",
		"color LIKE 'red%'": "true", "color LIKE '%red'": "true", "color LIKE 're'": "false", "color LIKE 'red_'": "false",
		"empty LIKE ''": "true", "empty LIKE '%'": "true", "empty LIKE '_'": "false", "empty LIKE '%%'": "true",
		"missing LIKE '%'": "unknown", "missing NOT LIKE '%'": "unknown", "size LIKE '1%'": "false",
		"size NOT LIKE '1%'": "true", "letter LIKE '_'": "true", "echo LIKE '%aab'": "true", "echo LIKE '%aab_'": "false",
		"raw LIKE 'O_'": "true",

		"phone LIKE '12\\_3%' ESCAPE '\\'": "true", "phone LIKE '12_3!%' ESCAPE '!'": "true",
		"phone LIKE '12!_3!%' ESCAPE '!'": "true", "color LIKE 'r!_d' ESCAPE '!'": "false",
		"color LIKE '!r!e!d' ESCAPE '!'": "true", "phone LIKE '12__3%' ESCAPE '_'": "true",
		"phone LIKE '%%' ESCAPE '%'": "false", "phone LIKE '___3%%' ESCAPE '%'": "true",
		"phone LIKE '12_3ÿ%' escape 'ÿ'": "true", "color LIKE 're' ESCAPE 'x'": "false",
	})
}

func TestIdentifiers(t *testing.T) {
	check(t, sample(), map[string]string{
		"größe = 4": "true", "$price_2 = 200": "true", `"any name" = 'spaced'`: "true", "[any name] = 'spaced'": "true",
		`"in" = 'keyword'`: "true", `"a""b]" = 'marks'`: "true", `[a"b]]] = 'marks'`: "true", "a.color = 'red'": "true",
		"application_properties.size = 12": "true", `a."any name" = 'spaced'`: "true", "a.[in] = 'keyword'": "true",
		"a.p.subject = 'dotted'": "true", `"p.subject" = 'dotted'`: "true", "a.a.b = 'two'": "true", `"a.b" = 'two'`: "true",
		"unknown.name = 'x'": "unknown", "a.b = 'two'": "unknown", "m.x = 1": "unknown", "f.hash = 5": "true",
		"footer.hash = 5": "true", `m."x-opt-origin" = 'north'`: "true", "message_annotations.[x-opt-origin] = 'north'": "true",
		"d.x IS NULL": "true", "delivery_annotations.x IS NULL": "true", "Xray IS NULL": "true", "X.y IS NULL": "true",

		"header.durable": "true", "h.priority = 7": "true", "h.ttl = 60000": "true", "h.first_acquirer": "false",
		"h.delivery_count = 2": "true", "h.\"delivery-count\" = 2": "true", "amqp.priority = 7": "true",
		"properties.message_id = 7": "true", "p.user_id = X'426F62'": "true", "p.user_id = 0x426F62": "true",
		"p.user_id = 'Bob'": "true", "p.to = 'orders'": "true", "p.subject LIKE 'cr%'": "true",
		"p.reply_to = 'answers'":   "true",
		"p.correlation_id = 'c-1'": "true", "p.content_type = 'text/plain'": "true", "p.content_encoding IS NULL": "true",
		"p.absolute_expiry_time IS NULL": "true", "p.creation_time = 1750772279000": "true", "p.group_id = 'g'": "true",
		"p.group_sequence % 3 = 0": "true", "p.reply_to_group_id IS NULL": "true", "amqp.correlation_id = 'c-1'": "true",
		`p."creation-time" > 0`: "true", "amqp.delivery_count = 2": "true",

		"JMSDeliveryMode = 'PERSISTENT'": "true", "JMSPriority = 7": "true", "JMSMessageID = 'ID:AMQP_ULONG:7'": "true",
		"JMSCorrelationID = 'c-1'": "true", "JMSType = 'created'": "true", "JMSTimestamp = 1750772279000": "true",
		"JMSExpiration = 0": "true", "JMSDestination = 'orders'": "true", "JMSReplyTo = 'answers'": "true",
		"JMSRedelivered": "true", "JMSXGroupID = 'g'": "true", "JMSXGroupSeq = 9": "true", "JMSXUserID = 'Bob'": "true",
		"JMSXDeliveryCount = 3": "true", "JMSXOther IS NULL": "true", `"JMSType" = 'hidden'`: "true",
	})
}

func TestMessageWithoutSectionsHasDefaultsOnly(t *testing.T) {
	check(t, mustParse(amqp.AppendData(nil, nil)), map[string]string{
		"JMSDeliveryMode = 'NON_PERSISTENT'": "true", "JMSPriority = 4": "true", "JMSMessageID IS NULL": "true",
		"JMSCorrelationID IS NULL": "true", "JMSTimestamp = 0": "true", "JMSRedelivered": "false", "JMSType IS NULL": "true",
		"JMSXDeliveryCount = 1": "true", "h.ttl IS NULL": "true", "p.subject IS NULL": "true", "color IS NULL": "true",
		"m.x IS NULL": "true", "f.x IS NULL": "true", "JMSXGroupSeq = 0": "unknown",
	})
}

func TestBrokenHeaderIsUnknown(t *testing.T) {
	header := amqp.BeginList(amqp.AppendDescriptor(nil, amqp.DescriptorHeader))
	header.String("yes")
	check(t, mustParse(amqp.AppendData(header.End(), nil)), map[string]string{
		"h.durable": "unknown", "JMSPriority = 4": "unknown",
	})
}

func TestIDsAreWrittenAsByQpidJMS(t *testing.T) {
	uuid := amqp.UUID{0: 1, 15: 0xef}
	for _, c := range []struct {
		id                   any
		message, correlation string
	}{
		{uint64(18446744073709551615), "ID:AMQP_ULONG:18446744073709551615", "ID:AMQP_ULONG:18446744073709551615"},
		{uuid, "ID:AMQP_UUID:" + uuid.String(), "ID:AMQP_UUID:" + uuid.String()},
		{[]byte{0x0a, 0xff}, "ID:AMQP_BINARY:0AFF", "ID:AMQP_BINARY:0AFF"},
		{"ID:x", "ID:x", "ID:x"},
		{"x", "ID:AMQP_NO_PREFIX:x", "x"},
		{"AMQP_ULONG:7", "ID:AMQP_NO_PREFIX:AMQP_ULONG:7", "AMQP_ULONG:7"},
		{"ID:AMQP_ULONG:7", "ID:AMQP_STRING:ID:AMQP_ULONG:7", "ID:AMQP_STRING:ID:AMQP_ULONG:7"},
		{"ID:AMQP_NO_PREFIX:7", "ID:AMQP_STRING:ID:AMQP_NO_PREFIX:7", "ID:AMQP_STRING:ID:AMQP_NO_PREFIX:7"},
	} {
		check(t, withProperties(amqp.Properties{MessageID: c.id, CorrelationID: c.id}), map[string]string{
			fmt.Sprintf("JMSMessageID = '%s'", c.message):         "true",
			fmt.Sprintf("JMSCorrelationID = '%s'", c.correlation): "true",
		})
	}
}

// A pattern of many wildcards must not make matching try them in every combination: backtracking would take
// some 10^30 steps here.
func TestHostilePatternTakesBoundedTime(t *testing.T) {
	m := withApplicationProperties(amqp.Map{{Key: "a", Value: strings.Repeat("a", 2000)}})
	for _, pattern := range []string{
		strings.Repeat("%_", 1000) + "b", strings.Repeat("%a", 1000) + "%b", strings.Repeat("%", 4000) + "b",
		"%" + strings.Repeat("_", 2000) + "b%",
	} {
		if got := truth(t, "a LIKE '"+pattern+"'", m); got != "false" {
			t.Errorf("%.20s... is %s", pattern, got)
		}
	}
}

func TestAndIsTheSelectorOfAll(t *testing.T) {
	color, size := must(t, "color = 'red' OR draft"), must(t, "size > 100 OR urgent")
	both, err := selector.And(color, nil, size)
	if err != nil {
		t.Fatal(err)
	}
	if want := "(color = 'red' OR draft) AND (size > 100 OR urgent)"; both.String() != want {
		t.Errorf("%s, want %s", both, want)
	}
	if !both.Matches(sample()) {
		t.Errorf("%s does not match", both)
	}
	if one, err := selector.And(nil, color); one != color || err != nil {
		t.Errorf("%v, %v", one, err)
	}
	if none, err := selector.And(nil, nil); none != nil || err != nil {
		t.Errorf("%v, %v", none, err)
	}
	long := must(t, padded(selector.MaxLength))
	if _, err := selector.And(long, long); err == nil {
		t.Error("a selector beyond the limits was made")
	}
}

func TestNilMatchesEverything(t *testing.T) {
	var s *selector.Selector
	if !s.Matches(sample()) || s.String() != "" {
		t.Error("nil is a condition")
	}
}

func must(t testing.TB, text string) *selector.Selector {
	t.Helper()
	s, err := selector.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

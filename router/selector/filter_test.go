package selector_test

import (
	"math"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

func TestPropertiesFilter(t *testing.T) {
	uuid := amqp.UUID{0: 1, 15: 2}
	m := withProperties(amqp.Properties{
		MessageID: uuid, UserID: []byte("Bob"), To: "orders", Subject: "Order_1%", ReplyTo: "&answers",
		CorrelationID: uint64(7), ContentType: "text/plain", CreationTime: 1000,
		GroupID: "it's", GroupSequence: 3, HasGroupSequence: true,
	})
	for _, c := range []struct {
		name    string
		value   any
		matches bool
		text    string
	}{
		{"message-id", uuid, true, "p.message_id = X'01000000000000000000000000000002'"},
		{"message-id", uint64(1), false, "p.message_id = 1"},
		{"user-id", []byte("Bob"), true, "p.user_id = X'426f62'"},
		{"to", "orders", true, "p.to = 'orders'"},
		{"to", "Orders", false, "p.to = 'Orders'"},
		{"subject", "Order_1%", true, "p.subject = 'Order_1%'"},
		{"subject", "Order_%", false, "p.subject = 'Order_%'"},
		{"subject", "&p:Order", true, `p.subject LIKE 'Order%' ESCAPE '\'`},
		{"subject", "&p:Order%", false, `p.subject LIKE 'Order\%%' ESCAPE '\'`},
		{"subject", "&p:order", false, `p.subject LIKE 'order%' ESCAPE '\'`},
		{"subject", "&s:_1%", true, `p.subject LIKE '%\_1\%' ESCAPE '\'`},
		{"subject", "&p:", true, `p.subject LIKE '%' ESCAPE '\'`},
		{"subject", "$p:Order", true, `p.subject LIKE 'Order%' ESCAPE '\'`},
		{"subject", "$s:%", true, `p.subject LIKE '%\%' ESCAPE '\'`},
		{"subject", "$$x", false, "p.subject = '$x'"},
		{"subject", "$x", false, "p.subject = '$x'"},
		{"reply-to", "&&answers", true, "p.reply_to = '&answers'"},
		{"correlation-id", uint64(7), true, "p.correlation_id = 7"},
		{"content-type", amqp.Symbol("text/plain"), true, "p.content_type = 'text/plain'"},
		{"content-encoding", amqp.Symbol("gzip"), false, "p.content_encoding = 'gzip'"},
		{"creation-time", amqp.Timestamp(1000), true, "p.creation_time = 1000"},
		{"absolute-expiry-time", amqp.Timestamp(-1), false, "p.absolute_expiry_time = -1"},
		{"group-id", "it's", true, "p.group_id = 'it''s'"},
		{"group-sequence", uint32(3), true, "p.group_sequence = 3"},
		{"reply-to-group-id", "&p:", false, `p.reply_to_group_id LIKE '%' ESCAPE '\'`},
		{"reply-to-group-id", nil, true, "TRUE"},
	} {
		s, err := selector.Properties(filter(t, amqp.Map{{Key: amqp.Symbol(c.name), Value: c.value}}))
		if err != nil {
			t.Errorf("%s %v: %v", c.name, c.value, err)
			continue
		}
		if s.String() != c.text || s.Matches(m) != c.matches {
			t.Errorf("%s %v: %s, matches %v", c.name, c.value, s, s.Matches(m))
		}
	}
}

func TestApplicationPropertiesFilter(t *testing.T) {
	m := withApplicationProperties(amqp.Map{
		{Key: "size", Value: int32(5)}, {Key: "weight", Value: float32(0.5)}, {Key: "ok", Value: true},
		{Key: "x y", Value: "é"}, {Key: `a"b`, Value: "q"}, {Key: "high", Value: math.Inf(1)},
		{Key: "low", Value: math.Inf(-1)}, {Key: "nan", Value: math.NaN()}, {Key: "null", Value: nil},
		{Key: "least", Value: int64(math.MinInt64)},
		{Key: "most", Value: uint64(math.MaxUint64)}, {Key: "JMSType", Value: "t"}, {Key: "", Value: "e"},
	})
	for _, c := range []struct {
		name    string
		value   any
		matches bool
	}{
		{"size", uint8(5), true}, {"size", int64(5), true}, {"size", 5.0, true}, {"size", float32(5), true},
		{"size", 5.5, false}, {"size", "5", false}, {"size", true, false}, {"weight", 0.5, true}, {"weight", int8(0), false},
		{"ok", true, true}, {"ok", false, false}, {"x y", "é", true}, {"x y", amqp.Char('é'), true}, {`a"b`, "&s:q", true},
		{"high", math.Inf(1), true}, {"high", math.Inf(-1), false}, {"low", math.Inf(-1), true},
		{"nan", math.NaN(), false}, {"least", int64(math.MinInt64), true}, {"least", -math.MaxFloat64, false},
		{"most", uint64(math.MaxUint64), true}, {"JMSType", "t", true}, {"", "e", true},
		{"size", nil, true}, {"missing", nil, false}, {"missing", "x", false}, {"null", "x", false},
	} {
		s, err := selector.ApplicationProperties(filter(t, amqp.Map{{Key: c.name, Value: c.value}}))
		if err != nil {
			t.Errorf("%s %v: %v", c.name, c.value, err)
			continue
		}
		if s.Matches(m) != c.matches {
			t.Errorf("%s %v: %s, matches %v", c.name, c.value, s, s.Matches(m))
		}
	}
}

func TestFilterMatchesWhenAllItsFieldsDo(t *testing.T) {
	m := withApplicationProperties(amqp.Map{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}})
	for _, c := range []struct {
		entries amqp.Map
		matches bool
	}{
		{amqp.Map{}, true},
		{amqp.Map{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}, true},
		{amqp.Map{{Key: "a", Value: "1"}, {Key: "b", Value: "3"}}, false},
		{amqp.Map{{Key: "a", Value: "3"}, {Key: "b", Value: "2"}}, false},
	} {
		s, err := selector.ApplicationProperties(filter(t, c.entries))
		if err != nil {
			t.Fatal(err)
		}
		if s.Matches(m) != c.matches {
			t.Errorf("%s: matches %v", s, s.Matches(m))
		}
	}
}

func TestMeaninglessFiltersAreRefused(t *testing.T) {
	for name, value := range map[string]any{
		"no map":     "x",
		"list":       amqp.Map{{Key: "subject", Value: amqp.List{int32(1)}}},
		"map":        amqp.Map{{Key: "subject", Value: amqp.Map{}}},
		"decimal":    amqp.Map{{Key: "subject", Value: amqp.Decimal32(1)}},
		"modifier":   amqp.Map{{Key: "subject", Value: "&x:y"}},
		"number key": amqp.Map{{Key: uint32(1), Value: "x"}},
		"unknown":    amqp.Map{{Key: "nothing", Value: "x"}},
		"too long":   amqp.Map{{Key: "subject", Value: strings.Repeat("x", selector.MaxLength)}},
	} {
		if s, err := selector.Properties(filter(t, value)); err == nil {
			t.Errorf("%s: became %s", name, s)
		}
	}
}

func filter(t testing.TB, value any) amqp.RawValue {
	t.Helper()
	encoded, err := amqp.AppendAny(nil, value)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

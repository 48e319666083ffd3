package selector_test

import (
	"math"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

// sample returns a message that has a bit of everything.
func sample() amqp.Message {
	encoded := amqp.Header{Durable: true, Priority: 7, TTL: 60000, DeliveryCount: 2}.Append(nil)
	annotations := amqp.BeginMessageAnnotations(encoded)
	annotations.String("x-opt-origin", "north")
	properties := amqp.Properties{
		MessageID: uint64(7), UserID: []byte("Bob"), To: "orders", Subject: "created", ReplyTo: "answers",
		CorrelationID: "c-1", ContentType: "text/plain", CreationTime: 1750772279000,
		GroupID: "g", GroupSequence: 9, HasGroupSequence: true,
	}
	encoded = appendApplicationProperties(properties.Append(annotations.End()), amqp.Map{
		{Key: "color", Value: "red"},
		{Key: "size", Value: int32(12)},
		{Key: "weight", Value: 2.5},
		{Key: "tenth", Value: float32(0.1)},
		{Key: "big", Value: uint64(math.MaxUint64)},
		{Key: "byte", Value: int8(-3)},
		{Key: "urgent", Value: true},
		{Key: "draft", Value: false},
		{Key: "nothing", Value: nil},
		{Key: "empty", Value: ""},
		{Key: "phone", Value: "12_3%"},
		{Key: "echo", Value: "aaaab"},
		{Key: "letter", Value: amqp.Char('é')},
		{Key: "id", Value: amqp.UUID{0: 0xab, 15: 0xcd}},
		{Key: "when", Value: amqp.Timestamp(1000)},
		{Key: "symbol", Value: amqp.Symbol("red")},
		{Key: "raw", Value: []byte{0x4f, 0xff}},
		{Key: "money", Value: amqp.Decimal32(1)},
		{Key: "any name", Value: "spaced"},
		{Key: "in", Value: "keyword"},
		{Key: `a"b]`, Value: "marks"},
		{Key: "p.subject", Value: "dotted"},
		{Key: "a.b", Value: "two"},
		{Key: "größe", Value: int64(4)},
		{Key: "$price_2", Value: uint8(200)},
		{Key: "JMSType", Value: "hidden"},
	})
	encoded = amqp.AppendData(encoded, []byte("body"))
	footer := amqp.BeginFooter(encoded)
	footer.Uint("hash", 5)
	return mustParse(footer.End())
}

func appendApplicationProperties(dst []byte, entries amqp.Map) []byte {
	properties := amqp.BeginApplicationProperties(dst)
	for _, e := range entries {
		if err := properties.Any(e.Key.(string), e.Value); err != nil {
			panic(err)
		}
	}
	return properties.End()
}

// withApplicationProperties returns a message of nothing else.
func withApplicationProperties(entries amqp.Map) amqp.Message {
	return mustParse(amqp.AppendData(appendApplicationProperties(nil, entries), nil))
}

func withProperties(p amqp.Properties) amqp.Message {
	return mustParse(amqp.AppendData(p.Append(nil), nil))
}

func mustParse(encoded []byte) amqp.Message {
	m, err := amqp.ParseMessage(encoded)
	if err != nil {
		panic(err)
	}
	return m
}

// truth tells whether a condition is true, false or unknown for a message: its negation is true if it is false.
func truth(t *testing.T, condition string, m amqp.Message) string {
	t.Helper()
	s, err := selector.Parse(condition)
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	negation, err := selector.Parse("NOT (" + condition + ")")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case s.Matches(m) && negation.Matches(m):
		t.Fatalf("%s is true and false", condition)
	case s.Matches(m):
		return "true"
	case negation.Matches(m):
		return "false"
	}
	return "unknown"
}

func check(t *testing.T, m amqp.Message, cases map[string]string) {
	t.Helper()
	for condition, want := range cases {
		if got := truth(t, condition, m); got != want {
			t.Errorf("%s is %s, want %s", condition, got, want)
		}
	}
}

package selector_test

import (
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

// seeds are selectors that together use everything in the language.
var seeds = []string{
	"color = 'red' AND size > 10 OR NOT urgent", "weight BETWEEN 1 AND 2.5E1 AND size NOT BETWEEN -1 AND 0x1F",
	"color IN ('red', 'blue') OR size NOT IN (1, 2L)", `note LIKE '%_\%' ESCAPE '\' OR note NOT LIKE 'x%'`,
	"a IS NULL AND (b IS NOT NULL)", "JMSMessageID = 'ID:AMQP_ULONG:7' AND JMSDeliveryMode = 'PERSISTENT'",
	`p.subject = 'x' AND a."any name" = X'4F' OR [b c] <> 0x4F`, "-a + 2 * (b - 3) / 4 % 5 >= .5F", "h.priority != 017",
	"JMSCorrelationID LIKE 'ID:%' AND m.x = f.y", "JMSTimestamp + JMSExpiration > h.ttl", "'", "((", "a = = b", "",
}

// Whatever is read, its text is read again to a selector that says the same of messages, and so is its conjunction with
// another.
func FuzzParse(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	m := sample()
	urgent := must(f, "urgent")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := selector.Parse(text)
		if err != nil {
			return
		}
		if s.String() != text {
			t.Fatalf("%q became %q", text, s)
		}
		both, err := selector.And(s, urgent)
		if err != nil {
			return
		}
		again, err := selector.Parse(both.String())
		if err != nil {
			t.Fatal(err)
		}
		if s.Matches(m) != again.Matches(m) {
			t.Fatalf("%q and %q differ", s, again)
		}
	})
}

// Whatever a message holds, a selector says something of it.
func FuzzMatches(f *testing.F) {
	m := sample()
	for _, text := range seeds {
		f.Add(text, m.Bytes())
	}
	f.Fuzz(func(t *testing.T, text string, encoded []byte) {
		s, err := selector.Parse(text)
		if err != nil {
			return
		}
		if m, err := amqp.ParseMessage(encoded); err == nil {
			s.Matches(m)
		}
	})
}

// Whatever a filter holds, the selector that it becomes has a text that is read again.
func FuzzFilters(f *testing.F) {
	f.Add([]byte(filter(f, amqp.Map{{Key: "subject", Value: "&p:Order_'%"}, {Key: "user-id", Value: []byte("Bob")}})))
	f.Add([]byte(filter(f, amqp.Map{{Key: `a"b`, Value: 2.5}, {Key: "x", Value: nil}, {Key: "y", Value: true}})))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		d := amqp.NewDecoder(encoded)
		raw := d.ReadRaw()
		if d.Err() != nil {
			return
		}
		for _, translate := range []func(amqp.RawValue) (*selector.Selector, error){
			selector.Properties, selector.ApplicationProperties,
		} {
			s, err := translate(raw)
			if err != nil {
				continue
			}
			if _, err := selector.Parse(s.String()); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	})
}

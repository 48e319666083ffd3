package selector_test

import (
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// order is a message as applications send them: a few properties and a kilobyte of body.
func order() amqp.Message {
	encoded := amqp.Header{Durable: true, Priority: amqp.DefaultPriority}.Append(nil)
	properties := amqp.Properties{MessageID: "ID:1", To: "orders", Subject: "created"}
	encoded = appendApplicationProperties(properties.Append(encoded), amqp.Map{
		{Key: "region", Value: "emea"}, {Key: "color", Value: "red"}, {Key: "size", Value: int32(12)},
		{Key: "weight", Value: 2.5}, {Key: "urgent", Value: true},
	})
	return mustParse(amqp.AppendData(encoded, make([]byte, 1024)))
}

var common = []string{
	"color = 'red' AND size > 10",
	"color = 'blue' AND size > 10",
	"region IN ('amer', 'emea', 'apac') AND weight * size BETWEEN 1 AND 100 AND NOT urgent = FALSE",
	"region LIKE '%m_a%'",
	"JMSPriority = 4 AND JMSType = 'created' AND JMSMessageID = 'ID:1' AND JMSDeliveryMode = 'PERSISTENT'",
}

func TestCommonSelectorsDoNotAllocate(t *testing.T) {
	m := order()
	for _, text := range common {
		s := must(t, text)
		if n := testing.AllocsPerRun(100, func() { s.Matches(m) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	m := order()
	for _, text := range common {
		b.Run(text, func(b *testing.B) {
			s := must(b, text)
			b.ReportAllocs()
			for b.Loop() {
				s.Matches(m)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(b, common[0])
	}
}

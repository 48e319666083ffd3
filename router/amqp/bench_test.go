package amqp_test

import (
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

func BenchmarkParseMessage(b *testing.B) {
	encoded := buildTypical(nil)
	b.SetBytes(int64(len(encoded)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := amqp.ParseMessage(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSectionsOfATypicalMessage(b *testing.B) { benchmarkSections(b, typical(b)) }

func BenchmarkSectionsOfASmallMessage(b *testing.B) {
	properties := amqp.Properties{To: "a"}
	benchmarkSections(b, parse(b, amqp.AppendData(properties.Append(nil), []byte("payload"))))
}

func benchmarkSections(b *testing.B, m amqp.Message) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n += len(m.Sections().Body)
	}
	if n == 0 {
		b.Fatal("no body")
	}
}

func BenchmarkDecodeHeaderAndProperties(b *testing.B) {
	m := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		h, err := m.Header()
		p, perr := m.Properties()
		if err != nil || perr != nil || !h.Durable || p.To == "" {
			b.Fatal(h, p, err, perr)
		}
	}
}

func BenchmarkDecodeHeader(b *testing.B) {
	m := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		if h, err := m.Header(); err != nil || !h.Durable {
			b.Fatal(h, err)
		}
	}
}

func BenchmarkOneProperty(b *testing.B) {
	m := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		if to, ok := m.Property(amqp.PropertyTo).Text(); !ok || len(to) == 0 {
			b.Fatal("to is missing")
		}
	}
}

func BenchmarkBuildTypicalMessage(b *testing.B) {
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buffer = buildTypical(buffer[:0])
	}
	b.SetBytes(int64(len(buffer)))
}

func BenchmarkRewrite(b *testing.B) {
	m := typical(b)
	buffer := make([]byte, 0, 512)
	annotations := m.Sections().MessageAnnotations
	b.ReportAllocs()
	for b.Loop() {
		buffer = m.AppendRewritten(buffer[:0], amqp.Header{Durable: true, DeliveryCount: 1}, nil, annotations)
	}
}

func BenchmarkIterateApplicationProperties(b *testing.B) {
	m := typical(b)
	b.Run("decoded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for key, value := range m.ApplicationProperties() {
				_, _ = key, value
			}
		}
	})
	b.Run("view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for key, value := range m.ApplicationPropertiesView().All() {
				_, _ = key, value
			}
		}
	})
	b.Run("lookup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.ApplicationPropertiesView().Lookup("firmware")
		}
	})
}

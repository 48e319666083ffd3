package network

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/wire"
)

// telling gives the properties of an open that tells of other hosts.
func telling(others ...wire.Alternative) amqp.RawValue {
	w := amqp.BeginFields(nil)
	g := wire.Greeting{Failover: others}
	g.Write(&w)
	return w.End()
}

// nothingTold gives those of an open that tells that there are no other hosts.
func nothingTold() amqp.RawValue {
	w := amqp.BeginFields(nil)
	w.Any("failover-server-list", amqp.List{})
	return w.End()
}

// TestConnectorGoesWhereItIsTold, as long as nothing else is told, and only if it is to follow.
func TestConnectorGoesWhereItIsTold(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		a, b := s.brokers["a:5672"], s.brokers["b:5672"]
		again := func(b *broker) {
			b.cut()
			later(DefaultLimits().ReconnectMax)
		}
		synctest.Wait()
		a.set(func() {
			a.tells = telling(wire.Alternative{Scheme: "amqp", Host: "b", Port: "5672"}, wire.Alternative{Host: "x"})
		})
		b.set(func() { b.tells = telling(wire.Alternative{Host: "a", Port: "5672"}) })
		again(a)
		again(b)
		is := func(host string, told ...string) {
			t.Helper()
			if c := s.network.Connectors()[0]; !c.Open || c.Host != host || !slices.Equal(c.Told, told) {
				t.Errorf("it is at %s (open: %v) and was told of %v", c.Host, c.Open, c.Told)
			}
		}
		is("a:5672", "b:5672")
		a.set(func() { a.away = true })
		again(a)
		is("b:5672", "b:5672")
		b.set(func() { b.tells = nil }) // a list that is not there changes nothing
		again(b)
		is("b:5672", "b:5672")
		a.set(func() { a.away, a.tells = false, nothingTold() })
		again(b)
		is("a:5672")
		b.set(func() { b.tells, b.away = telling(wire.Alternative{Host: "a", Port: "5672"}), false })
		again(b)
		b.set(func() { b.away = true })
		again(b)
		if c := s.network.Connectors()[1]; c.Open || c.Host != "b:5672" || len(c.Told) > 0 {
			t.Errorf("who does not follow is at %s (open: %v) and was told of %v", c.Host, c.Open, c.Told)
		}
	}, []string{"a:5672"}, []string{"b:5672"})
}

package wire

import (
	"fmt"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

func TestGreetingIsUnderstood(t *testing.T) {
	more := amqp.BeginFields(nil)
	more.String("a", "b")
	g := Greeting{
		Failover:   []Alternative{{Host: "one", Port: "5672"}, {Scheme: "amqps", Host: "::1", Port: "5671"}},
		Properties: more.End(),
	}
	w := amqp.BeginFields(nil)
	g.Write(&w)
	said := amqp.RawValue(w.End())
	if hosts, told := FailoverIn(said); !told || !slices.Equal(hosts, []string{"one:5672", "[::1]:5671"}) {
		t.Errorf("told (%v) %q", told, hosts)
	}
	fields, _ := said.Map()
	if a, _ := fields.Lookup("a"); a.Value() != "b" {
		t.Errorf("a is %v", a.Value())
	}
}

// TestStrangeFailoverListsAreHarmless: what makes no sense in them is left out, and they have a bound.
func TestStrangeFailoverListsAreHarmless(t *testing.T) {
	at := func(host, port any) amqp.Map {
		return amqp.Map{{Key: amqp.Symbol("network-host"), Value: host}, {Key: "port", Value: port}}
	}
	long := make(amqp.List, 1000)
	for i := range long {
		long[i] = at(fmt.Sprint("h", i), "1")
	}
	for _, c := range []struct {
		list  any
		hosts int
		told  bool
	}{
		{nil, 0, false}, {"text", 0, false}, {amqp.Map{}, 0, false}, {amqp.List{}, 0, true},
		{amqp.List{at("a", int32(61617)), at("b", uint16(61617)), at("c", true)}, 2, true}, // as Artemis tells it
		{amqp.List{at("a", "1"), at("", "1"), at("a", nil), at(int32(7), "1"), "a:1", nil, amqp.List{}}, 1, true},
		{long, MaxAlternatives, true},
	} {
		w := amqp.BeginFields(nil)
		if err := w.Any("failover-server-list", c.list); err != nil {
			t.Fatal(err)
		}
		if hosts, told := FailoverIn(w.End()); len(hosts) != c.hosts || told != c.told {
			t.Errorf("%.60v: told (%v) %d hosts", c.list, told, len(hosts))
		}
	}
	if hosts, told := FailoverIn(nil); told || hosts != nil {
		t.Errorf("without properties it told %q", hosts)
	}
}

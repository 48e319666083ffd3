package network

import (
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// annotatedMessage is a message of a client that has written something of its own, and what routers write if it is given.
func annotatedMessage(t *testing.T, own string, a protocol.Annotations) router.Message {
	t.Helper()
	others := amqp.BeginMessageAnnotations(nil)
	others.String("own", own)
	m, err := amqp.ParseMessage(append(others.End(), amqp.AppendData(nil, []byte("body"))...))
	if err != nil {
		t.Fatal(err)
	}
	return annotated(m, a)
}

// said is what is written on a message.
func said(t *testing.T, m router.Message) (own string, a protocol.Annotations) {
	t.Helper()
	if _, err := amqp.ParseMessage(m.Bytes()); err != nil {
		t.Fatal(err)
	}
	a, err := protocol.ParseAnnotations(m.MessageAnnotations())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := m.MessageAnnotations().Lookup("own"); ok {
		own, _ = v.Value().(string)
	}
	return own, a
}

func TestAnnotationsOfRoutersAreStrippedOrKept(t *testing.T) {
	written := protocol.Annotations{Ingress: "0/X", Trace: []string{"0/X"}}
	for _, c := range []struct {
		entrance Annotations
		written  protocol.Annotations
		seen     protocol.Annotations
	}{
		{Annotations{Router: "A", StripIn: true, StripOut: true}, written, protocol.Annotations{}},
		{Annotations{Router: "A", StripIn: true}, written, protocol.Annotations{Ingress: "0/A", Trace: []string{"0/A"}}},
		{Annotations{Router: "A"}, written, protocol.Annotations{Ingress: "0/X", Trace: []string{"0/X", "0/A"}}},
		{Annotations{Router: "A", StripOut: true}, protocol.Annotations{}, protocol.Annotations{}},
	} {
		in, err := c.entrance.In(annotatedMessage(t, "mine", c.written))
		if err != nil {
			t.Fatal(err)
		}
		own, seen := said(t, c.entrance.Out(&router.Delivery{Message: in}))
		if own != "mine" || seen.Ingress != c.seen.Ingress || !slices.Equal(seen.Trace, c.seen.Trace) {
			t.Errorf("%+v: a client sees %q and %+v, want %+v", c.entrance, own, seen, c.seen)
		}
	}
}

// TestAnnotationsTellTheWayThroughTheNetwork, which was taken off the message when it came from a neighbour.
func TestAnnotationsTellTheWayThroughTheNetwork(t *testing.T) {
	entrance := Annotations{Router: "B"}
	d := router.Delivery{Message: annotatedMessage(t, "mine", protocol.Annotations{})}
	d.Route = &forwarding.Message{Annotations: protocol.Annotations{Ingress: "0/A", Trace: []string{"0/A"}}}
	if _, seen := said(t, entrance.Out(&d)); seen.Ingress != "0/A" || !slices.Equal(seen.Trace, []string{"0/A", "0/B"}) {
		t.Errorf("a client sees %+v", seen)
	}
}

func TestWhatNoRouterWritesIsRefused(t *testing.T) {
	others := amqp.BeginMessageAnnotations(nil)
	others.String("x-opt-qd.trace", "stringy")
	m, err := amqp.ParseMessage(append(others.End(), amqp.AppendData(nil, []byte("body"))...))
	if err != nil {
		t.Fatal(err)
	}
	keep := Annotations{Router: "A"}
	if _, err := keep.In(m); router.ReasonOf(err) != router.Malformed {
		t.Errorf("it is taken: %v", err)
	}
	strip := Annotations{Router: "A", StripIn: true}
	if in, err := strip.In(m); err != nil || in.MessageAnnotations().Len() != 0 {
		t.Errorf("it is not stripped: %v", err)
	}
}

// TestRoutersThatAClientNamesComeFirst: his message may have passed others before, on the way to his own network.
func TestRoutersThatAClientNamesComeFirst(t *testing.T) {
	mesh := &Mesh{config: MeshConfig{ID: "A"}}
	mesh.fresh = mesh.onward(protocol.Annotations{})
	l := &lane{neighbor: &neighbor{mesh: mesh}}
	for _, c := range []struct {
		said protocol.Annotations
		want []string
	}{
		{protocol.Annotations{}, []string{"0/A"}},
		{protocol.Annotations{Ingress: "0/X", Trace: []string{"0/X", "0/Y"}}, []string{"0/X", "0/Y", "0/A"}},
	} {
		p := parcel{delivery: router.Delivery{Message: annotatedMessage(t, "mine", c.said)}, to: "M0orders"}
		payload, _ := l.encode(&p, time.Now())
		m, err := amqp.ParseMessage(payload)
		if err != nil {
			t.Fatal(err)
		}
		own, seen := said(t, m)
		if own != "mine" || seen.Ingress != "0/A" || !slices.Equal(seen.Trace, c.want) {
			t.Errorf("of %+v the next router reads %q and %+v, want the ingress 0/A and %v", c.said, own, seen, c.want)
		}
	}
}

package federation

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

func TestPathGoesThroughEachNetworkOnce(t *testing.T) {
	p := PathOf("a", "", "b", "a", "c\x00d")
	if got := p.Tags(); !slices.Equal(got, []string{"a", "b", "cd"}) || p.Len() != 3 {
		t.Errorf("the path is %q, of %d", got, p.Len())
	}
	if !p.Has("b") || p.Has("") || p.Has("c") || Path("").Has("") || Path("").Len() != 0 {
		t.Error("it does not know its networks")
	}
}

// message gives one with all that may surround its body.
func message(t *testing.T, annotations func(*amqp.MapWriter)) amqp.Message {
	t.Helper()
	b := amqp.Header{Durable: true}.Append(nil)
	if annotations != nil {
		w := amqp.BeginMessageAnnotations(b)
		annotations(&w)
		b = w.End()
	}
	p := amqp.Properties{Subject: "s"}
	m, err := amqp.ParseMessage(amqp.AppendData(p.Append(b), []byte("body")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMarksSurroundTheBareMessage(t *testing.T) {
	m := message(t, func(w *amqp.MapWriter) { w.String("x-opt-other", "stays") })
	marked := Addressed(Identified(Traced(m, PathOf("a", "b")), []byte("id")), "news/x")
	parsed, err := amqp.ParseMessage(marked.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := Trace(parsed); got != PathOf("a", "b") {
		t.Errorf("the trace is %q", got.Tags())
	}
	if To(parsed) != "news/x" || string(Identity(parsed)) != "id" {
		t.Errorf("it is %q of %q", Identity(parsed), To(parsed))
	}
	was, is := m.Sections(), parsed.Sections()
	if !bytes.Equal(was.Bare(), is.Bare()) || !bytes.Equal(was.Header, is.Header) {
		t.Error("the bare message or the header is another")
	}
	if _, ok := parsed.MessageAnnotations().Lookup("x-opt-other"); !ok {
		t.Error("another annotation is lost")
	}
	further := Traced(parsed, Trace(parsed).With("c"))
	if Trace(further).Len() != 3 || To(further) != "" || Identity(further) == nil {
		t.Errorf("further on it is %q of %q", Trace(further).Tags(), To(further))
	}
}

func TestMessageWithoutMarksHasNoAnnotations(t *testing.T) {
	m := message(t, nil)
	if got := Traced(m, ""); !bytes.Equal(got.Bytes(), m.Bytes()) {
		t.Errorf("it is % x, want % x", got.Bytes(), m.Bytes())
	}
	if Trace(m) != "" || To(m) != "" || Identity(m) != nil || HasMessageID(m) {
		t.Error("it has marks")
	}
}

func TestTraceOfAnotherTypeIsNone(t *testing.T) {
	for name, add := range map[string]func(*amqp.MapWriter){
		"text":    func(w *amqp.MapWriter) { w.String(traceKey, "a") },
		"number":  func(w *amqp.MapWriter) { w.Uint(traceKey, 7) },
		"symbols": func(w *amqp.MapWriter) { w.Put(amqp.AppendSymbols(w.Key(traceKey), "a", "b")) },
	} {
		if got := Trace(message(t, add)); got != "" && name != "symbols" {
			t.Errorf("%s: %q", name, got.Tags())
		}
	}
}

func TestLinkSaysOnWhoseBehalfItIs(t *testing.T) {
	for _, via := range []Path{"", PathOf("a"), PathOf("a", "b", strings.Repeat("c", 255))} {
		if got, ok := LinkVia(LinkProperties(via)); !ok || got != via {
			t.Errorf("%q is %q, %v", via.Tags(), got.Tags(), ok)
		}
	}
	if _, ok := LinkVia(nil); ok {
		t.Error("the link of a client is one of a federation")
	}
}

// FuzzMarks: whatever a message carries, marking it gives one that can be read, with the same body.
func FuzzMarks(f *testing.F) {
	m := amqp.AppendData(nil, []byte("x"))
	f.Add(m)
	f.Add(Traced(amqp.Trusted(m), PathOf("a", "b")).Bytes())
	f.Add(Addressed(Identified(amqp.Trusted(m), []byte{1}), "to").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := amqp.ParseMessage(b)
		if err != nil {
			return
		}
		trace := Trace(m).With("next")
		marked, err := amqp.ParseMessage(Traced(Addressed(Identified(m, []byte("id")), "to"), trace).Bytes())
		if err != nil {
			t.Fatalf("% x: %v", b, err)
		}
		if Trace(marked) != trace || string(Identity(marked)) != "id" || !bytes.Equal(marked.Sections().Bare(), m.Sections().Bare()) {
			t.Fatalf("% x became % x", b, marked.Bytes())
		}
	})
}

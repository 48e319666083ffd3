package frame_test

import (
	"bytes"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// TestStatesOfSomebodysOwnPassAsTheyAre: the standard leaves room for them, and they end nothing.
func TestStatesOfSomebodysOwnPassAsTheyAre(t *testing.T) {
	list := amqp.BeginList(amqp.AppendDescriptor(nil, 999))
	list.Uint(7)
	encoded := list.End()
	var s frame.State
	d := amqp.NewDecoder(encoded)
	if err := s.Read(&d); err != nil {
		t.Fatal(err)
	}
	if s.Kind != frame.Extended || s.IsOutcome() || s.IsPlain() || s.Kind.String() != "extended" {
		t.Errorf("read as %v", s.Kind)
	}
	c := s.Clone()
	if got := c.Append(nil); !bytes.Equal(got, encoded) {
		t.Errorf("written as %x, read as %x", got, encoded)
	}
}

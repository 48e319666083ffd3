package gateway

import (
	"testing"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/gateway/config"
)

// TestAMQPDefaultsAreTheDoors: a configuration that says nothing asks for what the door takes by itself.
func TestAMQPDefaultsAreTheDoors(t *testing.T) {
	c := config.Default()
	got, want := amqpLimits(&c.AMQP), amqp.DefaultLimits()
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

package gateway

import (
	"testing"

	"github.com/manifoldmq/manifold/adapters/mqtt"
	"github.com/manifoldmq/manifold/gateway/config"
)

func TestMQTTDefaultsAreThoseOfTheDoor(t *testing.T) {
	c := config.Default()
	if got, want := mqttLimits(&c.MQTT), mqtt.DefaultLimits(); got != want {
		t.Errorf("the configuration's defaults give\n%+v\nthe door has\n%+v", got, want)
	}
	if err := mqttLimits(&c.MQTT).Validate(); err != nil {
		t.Error(err)
	}
}

//go:build interop

package interop

import (
	"strings"
	"testing"
)

// fleet is a gateway for devices that name their topics in their own way.
const fleet = `
anonymous: true
mqtt:
  port: 0
  webSocket: {port: 0}
  systemInterval: 1s
  maxTopicLevels: 4
  publishRate: 100
  serverReference: other.example:1883
  rewrite:
    - {match: devices/+/up/#, to: telemetry/$1/#}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
addresses:
  - {name: telemetry/#, kind: topic}
`

// TestMosquittoIsAFleet: with every version of the protocol topics have the names that a client gave them, a topic with
// too many levels is refused with the reason, and $SYS tells of the tenant.
func TestMosquittoIsAFleet(t *testing.T) {
	need(t, "mosquitto_pub", "mosquitto_sub")
	g := startWith(t, t.TempDir(), fleet)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			subscribe := func(filter string) *background {
				subscriber := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"},
					g.mqtt(t, "-V", version, "-d", "-v", "-q", "2", "-t", filter)...)...)
				subscriber.await(t, "Subscribed")
				return subscriber
			}
			firmware, application := subscribe("devices/+/up/#"), subscribe("telemetry/#")
			ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "2", "-t", "devices/7/up/heat", "-m", "21 "+version)...)
			firmware.await(t, "devices/7/up/heat 21 "+version)
			application.await(t, "telemetry/7/heat 21 "+version)
			subscribe("$SYS/#").await(t, "$SYS/broker/uptime ")
			if version != "mqttv5" { // mosquitto_pub tries again for ever when it is disconnected
				return
			}
			refusal := ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-t", "telemetry/a/b/c/d", "-m", "x")...)
			if want := "5 levels, more than 4 (maxTopicLevels)"; !strings.Contains(refusal, want) {
				t.Errorf("the refusal says %q, want %q", refusal, want)
			}
		})
	}
	subscriber := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"}, g.mqtt(t, "-V", "mqttv5", "-d", "-t", "telemetry/#")...)...)
	subscriber.await(t, "Subscribed")
	g.stop(t)
	subscriber.await(t, "Received DISCONNECT (156)") // use another server
}

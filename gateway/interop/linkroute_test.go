//go:build interop

package interop

import (
	"fmt"
	"testing"
)

// routing is the configuration of a gateway whose links to "stored" lead on to Artemis, with their transactions.
func (a *artemis) routing() string {
	return fmt.Sprintf(`
anonymous: true
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
network:
  reconnect: {initial: 100ms, max: 1s}
  connectors: [{name: artemis, hosts: ["127.0.0.1:%s"], user: gateway, password: secret}]
  linkRoutes:
    - {prefix: stored, direction: in, connector: artemis}
    - {prefix: stored, direction: out, connector: artemis}
    - {prefix: $coordinator, direction: in, connector: artemis}
`, a.port)
}

// TestArtemisIsUsedThroughALinkRoute: its transactions and selectors are as without a gateway in between.
func TestArtemisIsUsedThroughALinkRoute(t *testing.T) {
	need(t, artemisName, "python3-qpid-proton")
	a := createArtemis(t)
	a.run(t)
	g := startWith(t, t.TempDir(), a.routing())
	g.expect(t, []string{"1 of 2", "3 of 2"}, "linkroute.py", "stored")
}

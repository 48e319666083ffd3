//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"
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

// routes waits until each link route of the gateway leads to a broker.
func (g *gateway) routes(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		said := ask(t, binary, "stat", "--url", "amqp://"+g.doors["amqp"], "--linkroutes")
		switch {
		case strings.Contains(said, "active") && !strings.Contains(said, "inactive"):
			return
		case time.Now().After(deadline):
			t.Fatalf("no link routes:\n%s", said)
		}
	}
}

// TestArtemisIsUsedThroughALinkRoute: its transactions and selectors are as without a gateway in between.
func TestArtemisIsUsedThroughALinkRoute(t *testing.T) {
	need(t, artemisName, "python3-qpid-proton")
	a := createArtemis(t)
	a.runs(t)
	g := startWith(t, t.TempDir(), a.routing())
	g.routes(t)
	g.expect(t, []string{"1 of 2", "3 of 2"}, "linkroute.py", "stored")
}

//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// coapKey is the pre-shared key of sensor1.
const coapKey = "sesame, open"

// startCoAP starts manifold with all the doors of CoAP, a user with a pre-shared key, and device, who shows a certificate.
func startCoAP(t *testing.T, from *gatewaytest.Authority) *gateway {
	t.Helper()
	certificate, key := from.Server()
	return startWith(t, t.TempDir(), fmt.Sprintf(`
anonymous: true
tls: {certificate: %s, key: %s, clientCA: %s, clientAuth: optional}
mqtt: {port: 0, tlsPort: 0, webSocket: {enabled: false}}
amqp: {port: 0, tlsPort: 0}
stomp: {enabled: false}
coap: {port: 0, tlsPort: 0}
http: {port: 0, tlsPort: 0}
admin: {port: 0}
addresses:
  - {name: telemetry/#, kind: topic}
  - {name: queues/#, kind: queue}
  - {name: commands/#, kind: anycast}
  - {name: alerts, kind: broadcast}
  - {name: event/#, kind: queue}
users:
  - {name: device}
  - {name: sensor1, preSharedKey: %q}
`, certificate, key, from.File, coapKey))
}

// coapDoors are the doors of CoAP as URIs without a path, by scheme, for a client that is not part of this process.
func (g *gateway) coapDoors() map[string]string {
	uris := make(map[string]string)
	for _, scheme := range []string{"coap", "coaps", "coap+tcp", "coaps+tcp"} {
		uris[scheme] = scheme + "://" + g.doors[scheme]
	}
	uris["coap+ws"] = "coap+ws://" + g.doors["http"]
	return uris
}

// pattern makes a file of so many bytes, no two neighbouring blocks of which are the same.
func pattern(t *testing.T, size int) (file string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16 ^ i/251)
	}
	file = filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, content
}

// sendAMQP sends one message with manifold's own client of AMQP.
func (g *gateway) sendAMQP(t *testing.T, address string, args ...string) {
	t.Helper()
	ask(t, binary, append([]string{"send", "--url", "amqp://" + g.doors["amqp"], address}, args...)...)
}

// isEmpty checks that nothing is left in a queue.
func (g *gateway) isEmpty(t *testing.T, queue string) {
	t.Helper()
	receive := exec.CommandContext(t.Context(), binary, "receive", "--url", "amqp://"+g.doors["amqp"], "--timeout", "500ms", queue)
	if out, err := receive.Output(); err != nil || len(out) > 0 {
		t.Errorf("%s has %.100q still, %v", queue, out, err)
	}
}

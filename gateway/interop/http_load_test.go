//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// secureConfiguration has the HTTP door with and without TLS, and addresses of each kind.
const secureConfiguration = `
anonymous: true
log: {level: error}
tls: {certificate: %s, key: %s}
mqtt: {enabled: false}
amqp: {enabled: false}
stomp: {enabled: false}
coap: {enabled: false}
http: {port: 0, tlsPort: 0, heartbeat: 100ms}
admin: {enabled: false}
addresses:
  - {name: news/#, kind: topic}
  - {name: jobs/#, kind: queue}
  - {name: commands/#, kind: anycast}
  - {name: alerts/#, kind: broadcast}
  - {name: telemetry/#, kind: topic}
  - {name: event/#, kind: queue}
  - {name: command/#, kind: anycast}
`

// startSecure starts manifold with the HTTP doors, whose certificate the authority signs. It gives the URLs of the doors
// by their names, http and https.
func startSecure(t *testing.T, from *gatewaytest.Authority) (doors map[string]string) {
	t.Helper()
	certificate, key := from.Server()
	g := startWith(t, t.TempDir(), fmt.Sprintf(secureConfiguration, certificate, key))
	return map[string]string{"http": "http://" + g.doors["http"], "https": "https://" + g.doors["https"]}
}

// succeeded is h2load's count of the requests that were answered, with the classes of their statuses.
var succeeded = regexp.MustCompile(`(\d+) succeeded, 0 failed, 0 errored, 0 timeout\n` +
	`status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx\n`)

// TestH2LoadIsServed: with 50 requests at a time in each of 4 connections none fails, and a queue has each message after.
func TestH2LoadIsServed(t *testing.T) {
	need(t, "h2load")
	const requests = 20_000
	payload := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(payload, []byte(strings.Repeat("x", 256)), 0o600); err != nil {
		t.Fatal(err)
	}
	protocols := map[string]string{"http": "h2c", "https": "h2"}
	for scheme, door := range startSecure(t, gatewaytest.New(t)) {
		for _, address := range []string{"news/a", "jobs/a"} {
			t.Run(scheme+" "+address, func(t *testing.T) {
				out := ask(t, "h2load", "-n", strconv.Itoa(requests), "-c", "4", "-m", "50", "-t", "1", "-d", payload,
					door+"/v1/default/"+address+"/messages")
				found := succeeded.FindStringSubmatch(out)
				if found == nil || found[1] != strconv.Itoa(requests) || found[2] != found[1] {
					t.Fatalf("h2load printed\n%s", out)
				}
				if !strings.Contains(out, "pplication protocol: "+protocols[scheme]+"\n") {
					t.Errorf("h2load spoke no %s:\n%s", protocols[scheme], out)
				}
			})
		}
	}
}

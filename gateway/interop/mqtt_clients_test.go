//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// mqttVersions are those that mosquitto's clients speak, as their option -V has them.
var mqttVersions = []string{"31", "311", "5"}

// TestMosquittoClients: each version of the protocol and each QoS, from mosquitto_pub to mosquitto_sub.
func TestMosquittoClients(t *testing.T) {
	need(t, "mosquitto_pub", "mosquitto_sub")
	g := start(t, t.TempDir())
	for _, version := range mqttVersions {
		for _, qos := range []string{"0", "1", "2"} {
			t.Run("version "+version+" QoS "+qos, func(t *testing.T) {
				topic := "telemetry/" + version + "/" + qos
				subscriber := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"},
					g.mqtt(t, "-V", version, "-d", "-q", qos, "-t", topic, "-F", "%t %q %p")...)...)
				subscriber.await(t, "Subscribed")
				ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", qos, "-t", topic, "-m", "hello")...)
				subscriber.await(t, topic+" "+qos+" hello")
			})
		}
	}
}

// TestMosquittoRetainedAndOffline: what is retained, and what was published while a client with a session was away.
func TestMosquittoRetainedAndOffline(t *testing.T) {
	need(t, "mosquitto_pub", "mosquitto_sub")
	g := start(t, t.TempDir())
	for _, version := range mqttVersions {
		t.Run("version "+version, func(t *testing.T) {
			kept, missed := "telemetry/kept/"+version, "telemetry/missed/"+version
			session := g.mqtt(t, "-V", version, "-i", "sleeper"+version, "-c", "-q", "1", "-t", missed)
			if version == "5" {
				session = append(session, "-x", "3600")
			}
			ask(t, "mosquitto_sub", append(session, "-E")...) // which only subscribes
			ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-t", missed, "-m", "missed")...)
			if got := ask(t, "mosquitto_sub", append(session, "-C", "1")...); got != "missed\n" {
				t.Errorf("got %q", got)
			}
			ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-r", "-t", kept, "-m", "kept")...)
			if got := ask(t, "mosquitto_sub", g.mqtt(t, "-V", version, "-t", kept, "-C", "1", "-F", "%r %p")...); got != "1 kept\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestMosquittoRequests: mosquitto_rr asks a topic and an anycast address, and mosquitto_sub with mosquitto_pub answers. With
// MQTT 5 the answerer learns from the request where to, and by what it is known.
func TestMosquittoRequests(t *testing.T) {
	need(t, "mosquitto_rr", "mosquitto_sub", "mosquitto_pub")
	g := start(t, t.TempDir())
	for _, version := range mqttVersions {
		for _, below := range []string{"telemetry", "commands"} {
			t.Run("version "+version+" at "+below, func(t *testing.T) {
				topic, answers := below+"/requests/"+version, "telemetry/answers/"+below+"/"+version
				known, correlation := "", []string(nil)
				if version == "5" {
					known, correlation = " to "+answers+" as 7", []string{"-D", "publish", "correlation-data", "7"}
				}
				answerer := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"},
					g.mqtt(t, "-V", version, "-d", "-q", "1", "-t", topic, "-F", "request %p to %R as %D")...)...)
				answerer.await(t, "Subscribed")
				requester := inBackground(t, "mosquitto_rr", append(correlation,
					g.mqtt(t, "-V", version, "-q", "1", "-t", topic, "-e", answers, "-m", "how are you")...)...)
				answerer.await(t, "request how are you"+known)
				ask(t, "mosquitto_pub", append(correlation,
					g.mqtt(t, "-V", version, "-q", "1", "-t", answers, "-m", "fine")...)...)
				requester.await(t, "fine")
			})
		}
	}
}

// TestPahoPython runs the checks of testdata/paho/checks.py with both generations of the library, over TCP and WebSocket.
func TestPahoPython(t *testing.T) {
	for _, library := range []string{pahoPython1, pahoPython2} {
		t.Run(library, func(t *testing.T) {
			need(t, "python3", library)
			for _, transport := range []struct{ name, door string }{{"tcp", "mqtt"}, {"websockets", "http"}} {
				t.Run(transport.name, func(t *testing.T) {
					g := start(t, t.TempDir())
					host, port, _ := strings.Cut(g.doors[transport.door], ":")
					program := command(t, "python3", filepath.Join("testdata", "paho", "checks.py"), transport.name, host, port)
					program.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(pythons, library))
					report(t, program)
				})
			}
		})
	}
}

// TestMQTTJS runs the checks of testdata/mqttjs over TCP and WebSocket.
func TestMQTTJS(t *testing.T) {
	need(t, "node", mqttJS)
	g := start(t, t.TempDir())
	for transport, url := range map[string]string{
		"TCP": "mqtt://" + g.doors["mqtt"], "WebSocket": "ws://" + g.doors["http"] + "/mqtt",
	} {
		t.Run(transport, func(t *testing.T) { report(t, mqttProgram(t, "run.cjs", url)) })
	}
}

// TestMQTTJSInBrowsers runs the tests that MQTT.js has for browsers. Their broker is at localhost, whose certificate the
// client is told to trust.
func TestMQTTJSInBrowsers(t *testing.T) {
	need(t, "node", mqttJS, mqttJSSources)
	from := gatewaytest.New(t)
	certificate, key := from.Server()
	g := startWith(t, t.TempDir(), fmt.Sprintf(`
anonymous: true
tls: {certificate: %s, key: %s}
mqtt: {port: 0, tlsPort: 0, webSocket: {port: 0, tlsPort: 0}}
coap: {enabled: false}
amqp: {enabled: false}
stomp: {enabled: false}
http: {enabled: false}
admin: {enabled: false}
addresses: [{name: test/#, kind: topic}]
`, certificate, key))
	program := mqttProgram(t, "browser.cjs")
	program.Args = slices.Insert(program.Args, 1, filepath.Join(nodeModules, ".bin", "mocha"), "--timeout", "20000")
	_, plain, _ := strings.Cut(g.doors["ws"], ":")
	_, secure, _ := strings.Cut(g.doors["wss"], ":")
	program.Env = append(program.Env, "NODE_EXTRA_CA_CERTS="+from.File, "WS_PORT="+plain, "WSS_PORT="+secure)
	if out := output(t, program); strings.Count(out, "✔") != 4 || !strings.Contains(out, "4 passing") {
		t.Error(out)
	}
}

// mqttProgram is a program of testdata/mqttjs.
func mqttProgram(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return node(t, filepath.Join("testdata", "mqttjs", name), args...)
}

//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// artemis is a running Apache ActiveMQ Artemis.
type artemis struct {
	folder  string // of the instance
	port    string // of 127.0.0.1, for all protocols
	process *exec.Cmd
}

// createArtemis makes an instance that lets in the user "gateway".
func createArtemis(t *testing.T) *artemis {
	t.Helper()
	a := &artemis{folder: filepath.Join(t.TempDir(), "instance"), port: freePort(t)}
	ask(t, filepath.Join(artemisHome(), "bin", "artemis"), "create", a.folder, "--silent", "--name", "broker",
		"--user", "gateway", "--password", "secret", "--require-login", "--host", "127.0.0.1", "--default-port", a.port,
		"--no-web", "--no-amqp-acceptor", "--no-mqtt-acceptor", "--no-stomp-acceptor",
		"--no-hornetq-acceptor")
	a.neverFull(t)
	return a
}

// neverFull has it take messages however full the disk of this machine is.
func (a *artemis) neverFull(t *testing.T) {
	t.Helper()
	file := filepath.Join(a.folder, "etc", "broker.xml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "<max-disk-usage>90<", "<max-disk-usage>100<", 1))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts it, until kill is called or the test ends.
func (a *artemis) run(t *testing.T) {
	t.Helper()
	a.process = exec.Command(filepath.Join(a.folder, "bin", "artemis"), "run")
	a.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with the Java that the script starts
	if err := a.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.kill)
}

// runs is run, and waits until it takes connections.
func (a *artemis) runs(t *testing.T) {
	t.Helper()
	a.run(t)
	listens(t, artemisName, "127.0.0.1:"+a.port)
}

// kill ends it without a warning. It may be called twice.
func (a *artemis) kill() {
	if a.process != nil {
		syscall.Kill(-a.process.Process.Pid, syscall.SIGKILL)
		a.process.Wait()
		a.process = nil
	}
}

// leading is the configuration of a gateway with Artemis behind the waypoint "orders".
func (a *artemis) leading() string {
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
addresses:
  - {name: orders, kind: anycast, waypoint: {connectors: [artemis]}}
`, a.port)
}

// post sends a message over HTTP until it is stored, which it is not while Artemis is away.
func (g *gateway) post(t *testing.T, address, body string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		said := ask(t, "curl", "-sS", "-w", "%{http_code}", "--retry", "3", "-d", body, g.messages(address))
		switch {
		case strings.HasSuffix(said, "201"):
			return
		case !strings.HasSuffix(said, "503") || time.Now().After(deadline):
			t.Fatalf("sending %s gave %s", body, said)
		}
	}
}

// takes receives messages over HTTP until it has had each of those, which it removes; one may come twice.
func (g *gateway) takes(t *testing.T, address string, missing map[string]bool) {
	t.Helper()
	for len(missing) > 0 {
		answer := ask(t, "curl", "-sSi", "-X", "POST", g.messages(address)+"/head?timeout=30")
		_, body, ok := strings.Cut(answer, "\r\n\r\n")
		if !ok || location.FindString(answer) == "" {
			t.Fatalf("%d messages are missing, such as %v; received\n%s", len(missing), first(missing), answer)
		}
		delete(missing, body)
		g.remove(t, answer)
	}
}

func first(set map[string]bool) string {
	for name := range set {
		return name
	}
	return ""
}

// TestArtemisStoresWhatMQTTPublishes: Artemis is killed while it has what was published, and between what is.
func TestArtemisStoresWhatMQTTPublishes(t *testing.T) {
	need(t, artemisName, "mosquitto_pub", "curl")
	a := createArtemis(t)
	a.run(t)
	g := startWith(t, t.TempDir(), a.leading())
	g.post(t, "orders", "over HTTP") // it is there
	missing := map[string]bool{"over HTTP": true}
	for round := range 3 {
		for i := range 5 {
			body := fmt.Sprintf("order %d of round %d", i, round)
			ask(t, "mosquitto_pub", g.mqtt(t, "-V", "mqttv5", "-q", "1", "-t", "orders", "-m", body)...)
			missing[body] = true
		}
		a.kill()
		a.run(t)
		body := fmt.Sprintf("after kill %d", round)
		g.post(t, "orders", body)
		missing[body] = true
	}
	g.takes(t, "orders", missing)
}

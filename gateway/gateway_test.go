package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/manifoldmq/manifold/gateway/config"
)

// quickstart is the default configuration on free ports, with its data in a folder of the test.
func quickstart(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Quickstart()
	if err != nil {
		t.Fatal(err)
	}
	c.DataDir = t.TempDir()
	c.MQTT.Port, c.AMQP.Port, c.STOMP.Port, c.HTTP.Port, c.CoAP.Port, c.Admin.Port = 0, 0, 0, 0, 0, 0
	c.MQTT.WebSocket.Port, c.MQTT.WebSocket.TLSPort = 0, 0
	return c
}

// start runs a gateway until the test ends and gives the addresses of its doors by name.
func start(t *testing.T, c config.Config) map[string]string {
	t.Helper()
	return startOn(t, nil, c, slog.New(slog.DiscardHandler))
}

// startOn is start with the store on a filesystem, of which nil is the operating system's, and a log.
func startOn(t *testing.T, fs vfs.FS, c config.Config, log *slog.Logger) map[string]string {
	t.Helper()
	return startChanging(t, fs, c, nil, log)
}

// startChanging is startOn with further configurations to come.
func startChanging(
	t *testing.T, fs vfs.FS, c config.Config, changes <-chan config.Config, log *slog.Logger,
) map[string]string {
	t.Helper()
	return startProcess(t, fs, c, Process{Log: log, Changes: changes})
}

// startProcess is startOn with what else a process gives a gateway; Ready is the test's own.
func startProcess(t *testing.T, fs vfs.FS, c config.Config, p Process) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	doors := make(chan map[string]string, 1)
	ended := make(chan error, 1)
	go func() {
		p.Ready = func(endpoints []Endpoint) {
			addresses := make(map[string]string)
			for _, e := range endpoints {
				addresses[e.Door] = e.Address.String()
			}
			doors <- addresses
		}
		ended <- runOn(ctx, fs, c, p)
	}()
	select {
	case addresses := <-doors:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("the gateway ended with %v", err)
			}
		})
		return addresses
	case err := <-ended:
		stop()
		t.Fatalf("the gateway did not start: %v", err)
		return nil
	}
}

// get fetches a page.
func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestAdminDoorAnswers(t *testing.T) {
	admin := "http://" + start(t, quickstart(t))["admin"]
	for path, want := range map[string]string{
		"/":        `<a href="/readyz">`,
		"/healthz": "ok\n",
		"/readyz":  "ready\n",
		"/metrics": `manifold_messages_total{kind="queue",outcome="accepted",tenant="default"} 0`,
	} {
		if code, body := get(t, admin+path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d and %.200q, want %q in it", path, code, body, want)
		}
	}
	if code, _ := get(t, admin+"/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown page gives status %d", code)
	}
}

func TestNothingIsLeftAfterRun(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("a whole life", func(t *testing.T) { start(t, quickstart(t)) })
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestDoorThatIsNotEnabledHasNoListener(t *testing.T) {
	c := quickstart(t)
	c.MQTT.Enabled, c.AMQP.Enabled, c.HTTP.Enabled, c.STOMP.Enabled, c.CoAP.Enabled = false, false, false, false, false
	if doors := start(t, c); len(doors) != 1 || doors["admin"] == "" {
		t.Errorf("got %v, want admin only", doors)
	}
}

func TestTakenPortOpensNothing(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c := quickstart(t)
	c.Admin.Port = other.Addr().(*net.TCPAddr).Port
	err = Run(t.Context(), c, Process{
		Log: slog.New(slog.DiscardHandler), Ready: func([]Endpoint) { t.Error("it said that it is ready") },
	})
	want := "admin door: cannot listen at 127.0.0.1:" + strconv.Itoa(c.Admin.Port) +
		": bind: address already in use; see the settings listen, admin.port and portOffset"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRiskyConfigurationIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		listen    string
		anonymous bool
		warning   string // none when empty
	}{
		{"loopback", "127.0.0.1", true, ""},
		{"loopback by name", "localhost", true, ""},
		{"loopback, version 6", "::1", true, ""},
		{"every interface", "", true, "anybody who reaches the ports"},
		{"one interface", "192.0.2.1", true, "anybody who reaches the ports"},
		{"nobody", "127.0.0.1", false, "nobody can enter"},
		{"users", "127.0.0.1", false, ""},
		{"users, every interface", "", false, "clients may send passwords"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			tenant := config.Tenant{Name: "acme", Anonymous: c.anonymous}
			if strings.HasPrefix(c.name, "users") {
				tenant.Users = []config.User{{Name: "ann", Credential: credential(t, passwordA)}}
			}
			a := assembly{log: slog.New(slog.NewTextHandler(&log, nil)), config: &config.Config{
				Listen: c.listen, Tenants: []config.Tenant{tenant},
			}}
			a.warn()
			if got := log.String(); !strings.Contains(got, c.warning) || c.warning == "" && got != "" {
				t.Errorf("got %q, want %q in it", got, c.warning)
			}
		})
	}
}

func TestSummaryShowsWhereAndHow(t *testing.T) {
	var text strings.Builder
	WriteSummary(&text, []Endpoint{
		{"mqtt", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1883}, "mosquitto_pub"},
		{"admin", &net.TCPAddr{IP: net.IPv6loopback, Port: 8081}, "curl"},
	})
	want := "Manifold is ready.\n\n  mqtt   127.0.0.1:1883  mosquitto_pub\n  admin  [::1]:8081      curl\n\n"
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
}

func TestCommandsToTryUseDeclaredAddresses(t *testing.T) {
	c, err := config.Quickstart()
	if err != nil {
		t.Fatal(err)
	}
	acme, err := config.Parse("acme.yaml", []byte(`
tenants:
  - {name: closed, addresses: [{name: hidden, kind: queue}]}
  - {name: acme, anonymous: true, addresses: [{name: "it's/*/a b", kind: broadcast}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		tryMQTT(c.AllTenants(), "127.0.0.1", "1883"),
		tryHTTP(c.AllTenants(), "::1", "8080"),
		tryMQTT(acme.AllTenants(), "localhost", "1883"),
		tryHTTP(acme.AllTenants(), "localhost", "8080"),
		tryHTTP(nil, "localhost", "8080"),
		tryAMQP(c.AllTenants(), "::1", "5672"),
		tryAMQP(acme.AllTenants(), "localhost", "5672"),
	}
	want := []string{
		"mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t telemetry/example -m hello",
		"curl -d hello http://[::1]:8080/v1/default/jobs/messages",
		`mosquitto_pub -h localhost -p 1883 -u me@acme -q 1 -t 'it'\''s/example/a b' -m hello`,
		"curl -d hello http://localhost:8080/v1/acme/it%27s/example/a%20b/messages",
		"",
		"manifold send --url amqp://[::1]:5672 jobs hello",
		`manifold send --url amqp://me%40acme:-@localhost:5672 'it'\''s/example/a b' hello`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

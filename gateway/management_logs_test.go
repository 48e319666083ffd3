package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/modulelog"
)

// startLogged starts a gateway that stands in for a router of Dispatch, whose modules are logged as they say.
func startLogged(t *testing.T, settings ...modulelog.Settings) map[string]string {
	t.Helper()
	modules, err := modulelog.New(new(bytes.Buffer), settings, "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(modules.Close)
	c := quickstart(t)
	c.AMQP.Manner = config.DispatchManner
	return startProcess(t, vfs.NewMem(), c, Process{Modules: modules})
}

// lines counts the latest lines of the log that a module has told with a text in them.
func (m *manager) lines(module, text string) (n int) {
	m.t.Helper()
	for _, line := range m.expect(200, "GET-LOG", map[string]any{"limit": int32(maxRecent)}, nil).([]any) {
		l := line.([]any)
		if l[0] == module && strings.Contains(l[2].(string), text) {
			n++
		}
	}
	return n
}

// TestWhatIsSaidOnOneConnectionIsLogged, when somebody wants that, and not what others say.
func TestWhatIsSaidOnOneConnectionIsLogged(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := startLogged(t)
	m := newManager(ctx, t, doors["amqp"], nil)
	watched, err := connectAMQP(ctx, doors["amqp"], &goamqp.ConnOptions{ContainerID: "watched"})
	if err != nil {
		t.Fatal(err)
	}
	defer watched.conn.Close()
	attach := func(c *amqpClient, address string) {
		t.Helper()
		if _, err := c.session.NewSender(ctx, address, nil); err != nil {
			t.Fatal(err)
		}
	}
	attach(watched, "commands/before")
	identity := ""
	for i, container := range m.column("connection", "container") {
		if container == "watched" {
			identity = m.column("connection", "identity")[i].(string)
		}
	}
	trace := func(want int32, identity string, on any) {
		t.Helper()
		m.expect(want, "UPDATE", map[string]any{"type": "org.apache.qpid.dispatch.connection", "identity": identity},
			map[string]any{"enableProtocolTrace": on})
	}
	trace(200, identity, true)
	attach(watched, "commands/during")
	attach(m.amqpClient, "commands/elsewhere")
	trace(200, identity, "no")
	attach(watched, "commands/after")
	trace(404, "4711", true)
	for address, want := range map[string]int{"before": 0, "during": 2, "elsewhere": 0, "after": 0} { // attaches, both ways
		if got := m.lines("PROTOCOL", `target=@target(41) [address="commands/`+address); got != want {
			t.Errorf("the log has %d lines of %s, want %d", got, address, want)
		}
	}
	if m.lines("PROTOCOL", "[C"+identity+"]:FRAME: 0 <- @attach(18)") != 1 {
		t.Error("the lines do not say whose they are")
	}
}

// TestModulesOfTheLogChangeWhileItRuns: where their lines go, and of which levels.
func TestModulesOfTheLogChangeWhileItRuns(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	folder := t.TempDir()
	m := newManager(ctx, t, startLogged(t, modulelog.Settings{Module: "AGENT", Levels: new("none")},
		modulelog.Settings{Module: "MESSAGE", File: new(filepath.Join(folder, "message.log"))})["amqp"], nil)
	file := filepath.Join(folder, "agent.log")
	update := func(want int32, module string, body map[string]any) any {
		t.Helper()
		return m.expect(want, "UPDATE", map[string]any{"type": "org.apache.qpid.dispatch.log", "name": "log/" + module}, body)
	}
	logged := func() string {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	is := update(200, "AGENT", map[string]any{"enable": "debug+", "outputFile": file, "includeTimestamp": false}).(map[string]any)
	if is["enable"] != "debug+" || is["outputFile"] != file || is["includeTimestamp"] != false {
		t.Errorf("it has become %v", is)
	}
	m.expect(400, "CREATE", map[string]any{"type": "nonesuch", "name": "x"}, nil)
	if got := logged(); !strings.Contains(got, "\nAGENT (error) refused operation=CREATE") && !strings.HasPrefix(got, "AGENT (debug) asked operation=CREATE") ||
		!strings.Contains(got, "nonesuch") {
		t.Errorf("the log has %q", got)
	}
	for i, name := range m.column("logStats", "name") {
		if n := m.column("logStats", "errorCount")[i]; name == "logStats/AGENT" && n != int64(1) {
			t.Errorf("%v errors are counted", n)
		}
	}
	update(200, "AGENT", map[string]any{"enable": "warning+"})
	before := logged()
	m.expect(200, "GET-TYPES", nil, nil)
	if after := logged(); after != before {
		t.Errorf("it still logs %q", after)
	}
	update(400, "AGENT", map[string]any{"enable": "loud"})
	update(404, "NOBODY", map[string]any{"enable": "info+"})
	update(500, "AGENT", map[string]any{"outputFile": ""})
	others := filepath.Join(t.TempDir(), "others")
	update(403, "AGENT", map[string]any{"outputFile": others}) // of which anybody could fill any
	if _, err := os.Stat(others); err == nil {
		t.Error("it has been made")
	}
}

// TestWhoHasTheRightNamesAnyFileOfTheLog, as he does of others.
func TestWhoHasTheRightNamesAnyFileOfTheLog(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	declared, err := config.Parse("policy.yaml", []byte(policyOfTwo))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := modulelog.New(new(bytes.Buffer), nil, "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(modules.Close)
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants, c.AMQP.Manner, c.AMQP.Policy = false, nil, declared.Tenants, declared.AMQP.Manner, declared.AMQP.Policy
	door := startProcess(t, vfs.NewMem(), c, Process{Modules: modules})["amqp"]
	ann := newManager(ctx, t, door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("ann", "a")})
	ann.expect(200, "UPDATE", map[string]any{"type": "org.apache.qpid.dispatch.log", "name": "log/AGENT"},
		map[string]any{"outputFile": filepath.Join(t.TempDir(), "any.log")})
}

// TestLogThatIsOneChangesItsLevelOnly, in the gateway's own manner.
func TestLogThatIsOneChangesItsLevelOnly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	level := new(slog.LevelVar)
	log := slog.New(slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: level}))
	m := newManager(ctx, t, startProcess(t, vfs.NewMem(), quickstart(t), Process{Log: log, Level: level})["amqp"], nil)
	for _, c := range []struct {
		body map[string]any
		want int32
	}{
		{map[string]any{"enable": "warning+"}, 200}, {map[string]any{"enable": "warning"}, 501}, {map[string]any{"enable": "default"}, 501},
		{map[string]any{"enable": "none"}, 501}, {map[string]any{"enable": "loud"}, 400}, {map[string]any{"outputFile": "x.log"}, 501},
	} {
		m.expect(c.want, "UPDATE", map[string]any{"type": "org.apache.qpid.dispatch.log", "name": "log/DEFAULT"}, c.body)
	}
	if level.Level() != slog.LevelWarn || m.column("log", "enable")[0] != "warning+" {
		t.Errorf("the level is %s", level.Level())
	}
}

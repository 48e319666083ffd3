//go:build interop

package interop

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// proton gives the arguments with which Python runs a script of testdata that uses Qpid Proton.
func (g *gateway) proton(script string, args ...string) []string {
	return append([]string{filepath.Join("testdata", "proton", script), g.doors["amqp"]}, args...)
}

// expect runs such a script and wants it to print these lines.
func (g *gateway) expect(t *testing.T, lines []string, script string, args ...string) {
	t.Helper()
	got, want := ask(t, debianPython, g.proton(script, args...)...), strings.Join(lines, "\n")+"\n"
	if got != want {
		t.Fatalf("%s %s printed\n%swant\n%s", script, strings.Join(args, " "), got, want)
	}
}

func TestProtonFillsAndEmptiesQueue(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	for _, c := range []struct {
		name           string
		count, padding int
	}{
		{"small messages", 100, 0},
		{"large messages", 5, 900_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			count, padding := strconv.Itoa(c.count), strconv.Itoa(c.padding)
			g.expect(t, []string{"accepted " + count}, "send.py", "jobs", count, padding)
			g.expect(t, []string{"attached to jobs", "received " + count}, "receive.py", "jobs", count, padding)
		})
	}
	t.Run("too large", func(t *testing.T) {
		g.expect(t, []string{"link: amqp:link:message-size-exceeded"}, "send.py", "jobs", "1", "2000000")
	})
}

func TestProtonQueueSurvivesRestart(t *testing.T) {
	need(t, "python3-qpid-proton")
	folder := t.TempDir()
	before := start(t, folder)
	before.expect(t, []string{"accepted 50"}, "send.py", "jobs", "50")
	before.stop(t)
	start(t, folder).expect(t, []string{"attached to jobs", "received 50"}, "receive.py", "jobs", "50")
}

func TestProtonSubscriberHearsProtonPublisher(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	for _, address := range []string{"telemetry/a", "alerts"} {
		t.Run(address, func(t *testing.T) {
			subscriber := inBackground(t, debianPython, g.proton("receive.py", address, "100")...)
			subscriber.await(t, "attached to "+address)
			g.expect(t, []string{"accepted 100"}, "send.py", address, "100")
			subscriber.await(t, "received 100")
		})
	}
}

func TestProtonRejectsReleasesAndFails(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	g.expect(t, []string{"accepted 1"}, "send.py", "jobs", "1")
	g.expect(t, []string{"delivery-count 0", "delivery-count 0", "delivery-count 1"}, "settle.py", "jobs")
	g.expect(t, []string{"accepted 1"}, "send.py", "jobs", "1")
	g.expect(t, []string{"attached to jobs", "received 1"}, "receive.py", "jobs", "1")
}

func TestProtonBlocks(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	g.expect(t, []string{"empty", "refused: amqp:not-found"}, "blocking.py", "jobs")
}

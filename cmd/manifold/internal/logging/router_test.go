package logging

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestRouterLogHasTheLinesOfItsModules(t *testing.T) {
	var all, server bytes.Buffer
	log := NewRouter(map[string]Sink{
		"DEFAULT": {Writer: &all, Level: slog.LevelInfo}, "SERVER": {Writer: &server, Level: slog.LevelDebug, Source: true},
	})
	log.Debug("unheard")
	log.With("tenant", "default").Warn("odd", "err", "not this way")
	log.WithGroup("g").Error("bad", "n", 1)
	log.With("door", "amqp", "peer", "p").Debug("came")
	if got, want := all.String(), "ROUTER_CORE (warning) odd tenant=default err=\"not this way\"\nROUTER_CORE (error) bad g.n=1\n"; got != want {
		t.Errorf("the log has\n%swant\n%s", got, want)
	}
	if got := server.String(); !strings.HasPrefix(got, "SERVER (debug) came peer=p (router_test.go:") {
		t.Errorf("the module has %q", got)
	}
}

func TestStampsAreWrittenAsStrftimeDoes(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 4, 5, 6789000, time.UTC)
	for layout, want := range map[string]string{
		"": "2026-11-22 03:04:05.006789 +0000", "%Y/%m/%d %H:%M:%S": "2026/11/22 03:04:05", "%b %e at %T%%": "Nov 22 at 03:04:05%",
		"%Q": "%Q", "50%": "50%",
	} {
		if got := stamp(at, layout); got != want {
			t.Errorf("%q: %q, want %q", layout, got, want)
		}
	}
}

package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestLatestLinesOfTheLogAreKept(t *testing.T) {
	var written bytes.Buffer
	recent := &recentLog{naming: moduleOf}
	log := recent.through(slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelInfo})))
	log.Debug("not taken")
	log.With("door", "mqtt", "tenant", "acme").Warn("odd", "client", "c1")
	for i := range maxRecent {
		log.Info("line", "n", i)
	}
	all := recent.latest(2 * maxRecent)
	if len(all) != maxRecent || all[0].Text != "line n=0" || all[maxRecent-1].Text != fmt.Sprintf("line n=%d", maxRecent-1) {
		t.Errorf("%d lines from %+v", len(all), all[0])
	}
	if two := recent.latest(2); len(two) != 2 || two[1] != all[maxRecent-1] {
		t.Errorf("the last two are %+v", two)
	}
	if n := strings.Count(written.String(), "\n"); n != maxRecent+1 {
		t.Errorf("%d lines were passed on, want %d", n, maxRecent+1)
	}
	log.With("door", "mqtt", "tenant", "acme").Warn("odd", "client", "c1")
	if last := recent.latest(1)[0]; last.Module != "MQTT" || last.Level != "warning" || last.Text != "odd tenant=acme client=c1" {
		t.Errorf("the last is %+v", last)
	}
}

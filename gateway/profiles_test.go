package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestProfilesAreThereOnlyWhereTheyAreWanted, at the admin door.
func TestProfilesAreThereOnlyWhereTheyAreWanted(t *testing.T) {
	for wanted, status := range map[bool]int{false: http.StatusNotFound, true: http.StatusOK} {
		c := quickstart(t)
		c.Admin.Profiling = wanted
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		code, page := get(t, "http://"+doors["admin"]+"/debug/pprof/goroutine?debug=1")
		if code != status || strings.Contains(page, "goroutine profile") != wanted {
			t.Errorf("with profiling %v: status %d, %.80s", wanted, code, page)
		}
	}
}

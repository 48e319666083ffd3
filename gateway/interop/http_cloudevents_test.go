//go:build interop

package interop

import (
	"path/filepath"
	"testing"
)

// TestCloudEvents runs the checks of testdata/cloudevents with the SDKs for Go and for Python: events of each mode are sent,
// taken back and watched.
func TestCloudEvents(t *testing.T) {
	g := start(t, t.TempDir())
	queue := "http://" + g.doors["http"] + "/v1/default/queues%2F"
	t.Run("Go", func(t *testing.T) {
		need(t, cloudEventsGo)
		report(t, command(t, filepath.Join(programs, cloudEventsGo), queue+"go"))
	})
	t.Run("Python", func(t *testing.T) {
		need(t, cloudEventsPython)
		report(t, command(t, python, filepath.Join("testdata", "cloudevents", "checks.py"), queue+"python"))
	})
}

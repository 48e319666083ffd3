//go:build interop

package interop

import (
	"os"
	"os/exec"
	"testing"
)

// TestSoakLosesNothing sends acknowledged messages to subscribers for as long as MANIFOLD_SOAK says, by default
// shortly. The load tool fails when one message is lost, doubled or out of order. Publishers stay less ahead of their
// subscribers than mqtt.subscriptionCredit, beyond which a topic drops what a subscriber that stores nothing misses.
func TestSoakLosesNothing(t *testing.T) {
	duration := os.Getenv("MANIFOLD_SOAK")
	if duration == "" {
		duration = "5s"
	}
	g := start(t, t.TempDir())
	for _, layout := range []string{"pairs", "fanout"} {
		t.Run(layout, func(t *testing.T) {
			t.Log(output(t, exec.CommandContext(t.Context(), binary, "bench", "mqtt", "--server", g.doors["mqtt"],
				"--layout", layout, "--topic", "telemetry", "--publishers", "4", "--subscribers", "4", "--qos", "1",
				"--outstanding", "200", "--duration", duration)))
		})
	}
}

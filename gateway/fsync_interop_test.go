//go:build interop

package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
)

// TestMosquittoPublisherReturnsOnlyAfterTheSync is here and not in package interop because it holds the disk of a
// gateway in this process.
func TestMosquittoPublisherReturnsOnlyAfterTheSync(t *testing.T) {
	if _, err := exec.LookPath("mosquitto_pub"); err != nil {
		if os.Getenv("INTEROP_PARTIAL") != "1" {
			t.Fatal("missing: mosquitto_pub; install it, or set INTEROP_PARTIAL=1 to leave out the tests that need it")
		}
		t.Skip("mosquitto_pub is missing and INTEROP_PARTIAL=1")
	}
	for _, version := range []string{"mqttv311", "mqttv5"} {
		t.Run(version, func(t *testing.T) {
			sendWhileHeld(t, func(ctx context.Context, doors map[string]string) error {
				host, port, err := net.SplitHostPort(doors["mqtt"])
				if err != nil {
					return err
				}
				out, err := exec.CommandContext(ctx, "mosquitto_pub", "-h", host, "-p", port, "-V", version,
					"-q", "1", "-t", "jobs", "-m", "hello").CombinedOutput()
				if err != nil {
					return fmt.Errorf("mosquitto_pub: %w: %s", err, out)
				}
				return nil
			})
		})
	}
}

//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pahoSuite is where a suite of Eclipse Paho is.
func pahoSuite(name string) string {
	return filepath.Join(os.Getenv(pahoTesting), "interoperability", name+".py")
}

// TestPahoSuites runs the interoperability suites of Eclipse Paho for MQTT 3.1.1 and MQTT 5, whole, three times in a row,
// each time on a gateway that keeps what the time before has left.
func TestPahoSuites(t *testing.T) {
	need(t, "python3", pahoTesting)
	configuration, err := os.ReadFile(filepath.Join("..", "..", "configs", "paho.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	anyPort := strings.Replace(string(configuration), "\nmqtt:\n", "\nmqtt:\n  port: 0\n", 1)
	for _, suite := range []string{"client_test", "client_test5"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			g := startWith(t, t.TempDir(), anyPort)
			_, port, _ := strings.Cut(g.doors["mqtt"], ":")
			for round := range 3 {
				t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
					report(t, exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "paho", "run.py"),
						filepath.Dir(pahoSuite(suite)), suite, port))
				})
			}
		})
	}
}

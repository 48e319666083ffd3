//go:build interop

package interop

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestCalifornium runs the checks of testdata/coap with Eclipse Californium's client, those of the plugtests that apply
// among them: its own program for these is not published.
func TestCalifornium(t *testing.T) {
	need(t, "javac", "mvn", californium)
	from := gatewaytest.New(t)
	g := startCoAP(t, from)
	sources, err := filepath.Glob(filepath.Join("testdata", "coap", "*.java"))
	if err != nil {
		t.Fatal(err)
	}
	classes, libraries := t.TempDir(), filepath.Join(coapJars, "*")
	ask(t, "javac", append([]string{"-encoding", "UTF-8", "-d", classes, "-cp", libraries}, sources...)...)
	certificate, key := from.Client("device")
	report(t, exec.CommandContext(t.Context(), "java", "-Dfile.encoding=UTF-8",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", classes+":"+libraries, "Run",
		g.doors["coap"], g.doors["coaps"], coapKey, from.File, certificate, key))
}

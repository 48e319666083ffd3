//go:build interop

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestChromium runs the checks of testdata/chromium: the page at /try/, and EventSource when its connection breaks.
// `go test -artifacts` keeps the screenshots.
func TestChromium(t *testing.T) {
	need(t, "node", puppeteer, "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, t.TempDir())
	program := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "chromium", "run.cjs"),
		chromium, "http://"+g.doors["http"], t.ArtifactDir())
	program.Env = append(os.Environ(), "NODE_PATH="+nodeModules)
	report(t, program)
}

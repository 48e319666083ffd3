//go:build interop

package interop

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestQpidJMS runs the checks of testdata/jms, each of which becomes a test of its own. They use the client with its
// default options.
func TestQpidJMS(t *testing.T) {
	need(t, "javac", "mvn", qpidJMS)
	g := start(t, t.TempDir())
	sources, err := filepath.Glob(filepath.Join("testdata", "jms", "*.java"))
	if err != nil {
		t.Fatal(err)
	}
	classes, libraries := t.TempDir(), filepath.Join(jars, "*")
	ask(t, "javac", append([]string{"-encoding", "UTF-8", "-d", classes, "-cp", libraries}, sources...)...)
	report(t, exec.CommandContext(t.Context(), "java", "-Dfile.encoding=UTF-8",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", classes+":"+libraries, "Run", g.doors["amqp"]))
}

// result is the line that a program of testdata prints for each of its checks.
var result = regexp.MustCompile(`(?m)^(PASS|FAIL) ([\w.]+)(?:: (.*))?$`)

// report runs such a program, and each of its results as a test.
func report(t *testing.T, program *exec.Cmd) {
	t.Helper()
	out, err := program.CombinedOutput()
	results := result.FindAllSubmatch(out, -1)
	for _, r := range results {
		t.Run(string(r[2]), func(t *testing.T) {
			if string(r[1]) == "FAIL" {
				t.Error(string(r[3]))
			}
		})
	}
	if len(results) == 0 || err != nil && !t.Failed() {
		t.Errorf("%s: %v\n%s", program.Args[0], err, out)
	}
}

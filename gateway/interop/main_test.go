//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// binary is the manifold that is tested.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "manifold-interop")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "manifold")
	build := exec.Command("go", "build", "-o", binary, "github.com/manifoldmq/manifold/cmd/manifold")
	if out, err := build.CombinedOutput(); err != nil {
		log.Printf("build: %v\n%s", err, out)
		return 1
	}
	if lacking := provide(folder); len(lacking) > 0 {
		log.Printf("missing: %s", strings.Join(lacking, ", "))
		if os.Getenv("INTEROP_PARTIAL") != "1" {
			log.Print("install what is missing, or set INTEROP_PARTIAL=1 to leave out the tests that need it")
			return 1
		}
	}
	return m.Run()
}

// gateway is a running manifold.
type gateway struct {
	process *exec.Cmd
	doors   map[string]string // host:port by name
	said    bytes.Buffer      // to its standard error; complete when it has ended
}

// configuration has the quickstart's addresses and those that the examples of clients use, on free ports but for AMQP.
const configuration = `
anonymous: true
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: %d}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
addresses:
  - {name: telemetry/#, kind: topic}
  - {name: jobs, kind: queue}
  - {name: commands/#, kind: anycast}
  - {name: alerts, kind: broadcast}
  - {name: queues/#, kind: queue}
  - {name: examples, kind: queue}
  - {name: "topic:/#", kind: topic}
`

// start runs manifold on the data in a folder until stop is called or the test ends.
func start(t *testing.T, folder string) *gateway {
	t.Helper()
	return startAt(t, folder, 0)
}

// startAt starts manifold with the AMQP door at a port, for examples that have it written in them.
func startAt(t *testing.T, folder string, port int) *gateway {
	t.Helper()
	return startWith(t, folder, fmt.Sprintf(configuration, port))
}

// startWith starts manifold with the text of a configuration.
func startWith(t *testing.T, folder, text string) *gateway {
	t.Helper()
	return startIn(t, "", folder, text)
}

// startIn is startWith in a network namespace, if it has a name.
func startIn(t *testing.T, n network, folder, text string) *gateway {
	t.Helper()
	file := filepath.Join(folder, "manifold.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := []string{binary, "run", "-c", file, "--data", filepath.Join(folder, "data")}
	if n != "" {
		run = n.inside(run...)
	}
	g := &gateway{process: exec.Command(run[0], run[1:]...)}
	g.process.Stderr = &g.said
	out, err := g.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if g.stop(t); t.Failed() {
			t.Logf("manifold says\n%s", &g.said)
		}
	})
	if g.doors, err = readSummary(bufio.NewScanner(out)); err != nil {
		t.Fatal(err)
	}
	return g
}

// door is a line of the summary.
var door = regexp.MustCompile(`^  ([\w+]+) +(\S+:\d+)`)

// readSummary reads what manifold prints when it is ready, up to the empty line at its end.
func readSummary(lines *bufio.Scanner) (map[string]string, error) {
	doors := make(map[string]string)
	for lines.Scan() {
		switch found := door.FindStringSubmatch(lines.Text()); {
		case found != nil:
			doors[found[1]] = found[2]
		case lines.Text() == "" && len(doors) > 0:
			return doors, nil
		}
	}
	return nil, fmt.Errorf("manifold ended before it was ready: %w", errors.Join(lines.Err()))
}

// stop ends manifold as a service manager does, and expects exit code 0. It may be called twice.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	if g.process.ProcessState != nil {
		return
	}
	if err := g.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := g.process.Wait(); err != nil {
		t.Errorf("manifold ended with %v", err)
	}
}

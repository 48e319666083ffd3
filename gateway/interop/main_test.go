//go:build interop

package interop

import (
	"bufio"
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

// packages are the Debian packages that have the clients.
var packages = map[string]string{
	"mosquitto_pub": "mosquitto-clients",
	"mosquitto_sub": "mosquitto-clients",
	"curl":          "curl",
}

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
	if lacking := provide(); len(lacking) > 0 {
		log.Printf("missing: %s", strings.Join(lacking, ", "))
		if os.Getenv("INTEROP_PARTIAL") != "1" {
			log.Print("install what is missing, or set INTEROP_PARTIAL=1 to leave out the tests that need it")
			return 1
		}
	}
	return m.Run()
}

// provide installs the clients that are missing, if it can, and names those that are missing still.
func provide() []string {
	wanted := missing()
	if len(wanted) == 0 {
		return nil
	}
	if apt, err := exec.LookPath("apt-get"); err == nil {
		var names []string
		for _, program := range wanted {
			names = append(names, packages[program])
		}
		for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, names...)} {
			if out, err := exec.Command(apt, args...).CombinedOutput(); err != nil {
				log.Printf("apt-get %s: %v\n%s", args[0], err, out)
			}
		}
	}
	return missing()
}

func missing() (programs []string) {
	for program := range packages {
		if _, err := exec.LookPath(program); err != nil {
			programs = append(programs, program)
		}
	}
	return programs
}

// need leaves a test out when a program that it needs is missing, which TestMain has allowed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing and INTEROP_PARTIAL=1", program)
		}
	}
}

// gateway is a running manifold.
type gateway struct {
	process *exec.Cmd
	doors   map[string]string // host:port by name
}

// configuration is the quickstart's addresses on free ports.
const configuration = `
anonymous: true
mqtt: {port: 0}
http: {port: 0}
admin: {port: 0}
addresses:
  - {name: telemetry/#, kind: topic}
  - {name: jobs, kind: queue}
  - {name: commands/#, kind: anycast}
  - {name: alerts, kind: broadcast}
`

// start runs manifold on the data in a folder until stop is called or the test ends.
func start(t *testing.T, folder string) *gateway {
	t.Helper()
	file := filepath.Join(folder, "manifold.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &gateway{process: exec.Command(binary, "run", "-c", file, "--data", filepath.Join(folder, "data"))}
	g.process.Stderr = os.Stderr
	out, err := g.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.stop(t) })
	if g.doors, err = readSummary(bufio.NewScanner(out)); err != nil {
		t.Fatal(err)
	}
	return g
}

// door is a line of the summary.
var door = regexp.MustCompile(`^  (\w+) +(\S+:\d+)`)

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

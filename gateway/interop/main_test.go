//go:build interop

package interop

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// packages are the Debian packages that have the clients. A library is called like its package.
var packages = map[string]string{
	"mosquitto_pub":       "mosquitto-clients",
	"mosquitto_sub":       "mosquitto-clients",
	"curl":                "curl",
	"python3-qpid-proton": "python3-qpid-proton",
	"node":                "nodejs",
	"npm":                 "npm",
}

const (
	// debianPython is the Python that Debian installs libraries for; another one may come first in PATH.
	debianPython = "/usr/bin/python3"
	// rhea is a library for Node.js that npm installs.
	rhea = "rhea"
)

// nodeModules is the folder that npm installs into.
var nodeModules string

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
	binary, nodeModules = filepath.Join(folder, "manifold"), filepath.Join(folder, "node_modules")
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
	var names []string
	for client, name := range packages {
		if !present(client) {
			names = append(names, name)
		}
	}
	if apt, err := exec.LookPath("apt-get"); err == nil && len(names) > 0 {
		attempt(apt, "update")
		attempt(apt, append([]string{"install", "-y", "--no-install-recommends"}, names...)...)
	}
	if npm, err := exec.LookPath("npm"); err == nil {
		attempt(npm, "install", "--prefix", filepath.Dir(nodeModules), "--no-audit", "--no-fund", rhea+"@latest")
	}
	return missing()
}

// attempt runs a command, and says so when it fails.
func attempt(name string, args ...string) {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		log.Printf("%s %s: %v\n%s", name, args[0], err, out)
	}
}

func missing() (clients []string) {
	for _, client := range append(slices.Sorted(maps.Keys(packages)), rhea) {
		if !present(client) {
			clients = append(clients, client)
		}
	}
	return clients
}

// present tells whether a client is here.
func present(client string) bool {
	var err error
	switch client {
	case "python3-qpid-proton":
		err = exec.Command(debianPython, "-c", "import proton").Run()
	case rhea:
		_, err = os.Stat(filepath.Join(nodeModules, rhea))
	default:
		_, err = exec.LookPath(client)
	}
	return err == nil
}

// need leaves a test out when a client that it needs is missing, which TestMain has allowed.
func need(t *testing.T, clients ...string) {
	t.Helper()
	for _, client := range clients {
		if !present(client) {
			t.Skipf("%s is missing and INTEROP_PARTIAL=1", client)
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
amqp: {port: 0}
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

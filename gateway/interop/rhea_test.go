//go:build interop

package interop

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// node makes a program of Node.js that finds what npm installed.
func node(t *testing.T, file string, args ...string) *exec.Cmd {
	t.Helper()
	program := command(t, "node", append([]string{file}, args...)...)
	program.Env = append(os.Environ(), "NODE_PATH="+nodeModules)
	return program
}

// rheaExample is where an example of rhea is.
func rheaExample(name string) string { return filepath.Join(os.Getenv(rheaSources), "examples", name) }

// TestRhea runs the checks of testdata/rhea over both transports, each as a test of its own.
func TestRhea(t *testing.T) {
	need(t, "node", rhea)
	g := start(t, t.TempDir())
	for transport, url := range map[string]string{
		"TCP": "amqp://" + g.doors["amqp"], "WebSocket": "ws://" + g.doors["http"],
	} {
		t.Run(transport, func(t *testing.T) {
			report(t, node(t, filepath.Join("testdata", "rhea", "run.cjs"), url))
		})
	}
}

// TestRheaExamples runs the tests that rhea has of its own examples, of those examples that need a broker. Its other
// tests have no address to set: they are of rhea's client with rhea's server.
func TestRheaExamples(t *testing.T) {
	need(t, "node", rhea, rheaSources)
	for _, name := range []string{
		"helloworld", "send and receive", "client/server", "selector", "pub-sub", "queue browser",
	} {
		t.Run(name, func(t *testing.T) {
			startAt(t, t.TempDir(), examplePort)
			out := output(t, node(t, filepath.Join(nodeModules, ".bin", "mocha"), "--timeout", "20000",
				"--fgrep", "brokered examples "+name, rheaExample("test_examples.js")))
			if !strings.Contains(out, "1 passing") {
				t.Error(out)
			}
		})
	}
}

// TestRheaExamplesWithoutTest runs examples that rhea has no tests of.
func TestRheaExamplesWithoutTest(t *testing.T) {
	need(t, "node", rhea, rheaSources)
	g := start(t, t.TempDir())
	host, port, err := net.SplitHostPort(g.doors["amqp"])
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		return output(t, node(t, rheaExample(name), args...))
	}
	run("send_raw.js", "-h", host, "-p", port, "-m", "5")
	if got := run("drain.js", "-h", host, "-p", port); strings.Count(got, "\n") != 5 {
		t.Errorf("drain.js printed\n%s", got)
	}
	got := run("reconnect/client.js", "-p", port, "-m", "3", "--request_interval", "1") // it has localhost written in it
	if !strings.Contains(got, "received request-3\nconnection closed\n") {
		t.Errorf("reconnect/client.js printed\n%s", got)
	}
	got = run("sasl/simple_sasl_client.js", "-h", host, "-p", port, "--username", "guest")
	if got != "Connected!\n" {
		t.Errorf("simple_sasl_client.js printed\n%s", got)
	}
}

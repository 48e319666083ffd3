//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examplePort is written in many examples of AMQP clients, and so is the address "examples".
const examplePort = 5672

// TestProtonExamples runs the tests that Proton has of its own examples, of those examples that need a broker.
func TestProtonExamples(t *testing.T) {
	need(t, "python3-qpid-proton", protonExamples)
	for _, name := range []string{
		"helloworld", "helloworld_blocking", "simple_send_recv", "client_server", "sync_client_server",
		"client_server_tx", "sync_client_server_tx", "db_send_recv", "tx_send_tx_recv", "selected_recv",
	} {
		t.Run(name, func(t *testing.T) {
			startAt(t, t.TempDir(), examplePort)
			test := command(t, debianPython, "-B", "-m", "unittest", "test_examples.ExamplesTest.test_"+name)
			test.Dir = t.TempDir() // some make a database there
			test.Env = append(os.Environ(), "PYTHONPATH="+protonExamples, "PATH="+filepath.Dir(debianPython)+":/bin")
			output(t, test)
		})
	}
}

// exampleOf gives the arguments with which Python runs an example of Proton, whose output is not to wait in a buffer.
func exampleOf(name string, args ...string) []string {
	return append([]string{"-B", "-u", filepath.Join(protonExamples, name)}, args...)
}

// sequences is what Proton's receiving examples print of what its sending ones sent.
func sequences(from, to int) string {
	var lines strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&lines, "{'sequence': %d}\n", i)
	}
	return lines.String()
}

func TestProtonExampleBrowsesQueue(t *testing.T) {
	need(t, "python3-qpid-proton", protonExamples)
	startAt(t, t.TempDir(), examplePort)
	ask(t, debianPython, exampleOf("simple_send.py", "-m", "3")...)
	for range 2 {
		browser := inBackground(t, debianPython, exampleOf("queue_browser.py")...) // it never ends
		for i := 1; i <= 3; i++ {
			browser.await(t, fmt.Sprintf("'sequence': %d", i))
		}
	}
	if got, want := ask(t, debianPython, exampleOf("simple_recv.py", "-m", "3")...), sequences(1, 3); got != want {
		t.Errorf("received\n%swant\n%s", got, want)
	}
}

func TestProtonExampleCommitsAndAborts(t *testing.T) {
	need(t, "python3-qpid-proton", protonExamples)
	startAt(t, t.TempDir(), examplePort)
	ask(t, debianPython, exampleOf("tx_send.py", "-m", "4", "-b", "2")...)
	receiver := inBackground(t, debianPython, exampleOf("tx_recv_interactive.py")...)
	for _, step := range []struct{ say, hear string }{
		{"", "transaction declared"},
		{"fetch", "{'sequence': 1}"},
		{"abort", "transaction aborted"},
		{"", "transaction declared"},
		{"fetch", "{'sequence': 1}"},
		{"fetch", "{'sequence': 2}"},
		{"commit", "transaction committed"},
		{"", "transaction declared"},
		{"fetch", "{'sequence': 3}"},
		{"abort", "transaction aborted"},
		{"", "transaction declared"},
	} {
		if step.say != "" {
			receiver.say(t, step.say)
		}
		receiver.await(t, step.hear)
	}
	if got, want := ask(t, debianPython, exampleOf("tx_recv.py", "-m", "2", "-b", "1")...), sequences(3, 4); got != want {
		t.Errorf("received\n%swant\n%s", got, want)
	}
}

func TestProtonSubscriptionIsDurable(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	g.expect(t, []string{"heard", "kept", "nothing"}, "durable.py", "telemetry/durable")
}

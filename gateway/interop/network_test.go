//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// network is a network namespace of a test's own, for clients whose tests have ports written in them.
type network string

// newNetwork makes one, which has a loopback interface and sends everything else into the void. It takes root's rights.
func newNetwork(t *testing.T) network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("to make a network namespace takes root's rights")
	}
	n := network(fmt.Sprintf("manifold-%d", os.Getpid()))
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	ip("netns", "add", string(n))
	t.Cleanup(func() { ip("netns", "delete", string(n)) })
	in := func(args ...string) { t.Helper(); ip(append([]string{"-n", string(n)}, args...)...) }
	in("link", "set", "lo", "up")
	in("link", "add", "void", "type", "veth", "peer", "name", "end")
	in("addr", "add", "10.9.0.1/24", "dev", "void")
	in("link", "set", "void", "up")
	in("link", "set", "end", "up")
	in("neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:02", "dev", "void", "nud", "permanent")
	in("route", "add", "default", "via", "10.9.0.2")
	return n
}

// inside gives the words of a command that runs another one in there.
func (n network) inside(words ...string) []string {
	return append([]string{"ip", "netns", "exec", string(n)}, words...)
}

// command makes a command that runs in there, for as long as the test.
func (n network) command(t *testing.T, words ...string) *exec.Cmd {
	t.Helper()
	words = n.inside(words...)
	return exec.CommandContext(t.Context(), words[0], words[1:]...)
}

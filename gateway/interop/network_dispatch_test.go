//go:build interop

package interop

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// member is a router in a network: one of ours, or one of Qpid Dispatch.
type member struct {
	*gateway // its doors; no process if it is not ours
	id       string
	routers  string // host:port for other routers
	kill     func() // ends it without a warning
}

// freePort gives a port of the loopback interface that nobody listens on. It is none of those that the kernel hands out: a server that
// takes seconds to start would find such a one taken.
func freePort(t *testing.T) string {
	t.Helper()
	const lowest, many, tries = 20_000, 12_000, 100
	for range tries {
		port := strconv.Itoa(lowest + rand.IntN(many))
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatalf("%d ports from %d on are taken", tries, lowest)
	return ""
}

// startDispatch starts the Qpid Dispatch Router that QDROUTERD names. It connects to others, as soon as they are there.
func startDispatch(t *testing.T, id string, neighbors ...string) *member {
	t.Helper()
	need(t, qdrouterdName)
	client, routers := freePort(t), freePort(t)
	var c strings.Builder
	fmt.Fprintf(&c, "router {\n    mode: interior\n    id: %s\n}\n", id)
	const listener = "listener {\n    host: 127.0.0.1\n    port: %s\n    role: %s\n    authenticatePeer: no\n    saslMechanisms: ANONYMOUS\n}\n"
	fmt.Fprintf(&c, listener, client, "normal")
	fmt.Fprintf(&c, listener, routers, "inter-router")
	for i, address := range neighbors {
		_, port, _ := net.SplitHostPort(address)
		fmt.Fprintf(&c, "connector {\n    name: c%d\n    host: 127.0.0.1\n    port: %s\n    role: inter-router\n    saslMechanisms: ANONYMOUS\n}\n", i, port)
	}
	c.WriteString("address {\n    prefix: alerts\n    distribution: multicast\n}\n")
	c.WriteString("log {\n    module: DEFAULT\n    enable: warning+\n    outputFile: stderr\n}\n")
	file := filepath.Join(t.TempDir(), "qdrouterd.conf")
	if err := os.WriteFile(file, []byte(c.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Getenv(qdrouterdName), "-c", file)
	said := new(strings.Builder)
	process.Stdout, process.Stderr = said, said
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	n := &member{
		gateway: &gateway{doors: map[string]string{"amqp": "127.0.0.1:" + client}}, id: id, routers: "127.0.0.1:" + routers,
	}
	n.kill = killOnce(process)
	t.Cleanup(func() {
		if n.kill(); t.Failed() {
			t.Logf("qdrouterd %s says\n%s", id, said)
		}
	})
	listens(t, id, n.doors["amqp"], n.routers)
	return n
}

// killOnce gives a function that kills a process and waits for its end, and may be called again.
func killOnce(process *exec.Cmd) func() {
	return func() {
		if process.ProcessState == nil {
			process.Process.Signal(syscall.SIGKILL)
			process.Wait()
		}
	}
}

// listens waits until a server takes connections.
func listens(t *testing.T, name string, addresses ...string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, address := range addresses {
		for {
			conn, err := net.DialTimeout("tcp", address, time.Second)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not listen at %s: %v", name, address, err)
			}
		}
	}
}

// startRouter starts a router of ours. It connects to others, as soon as they are there.
func startRouter(t *testing.T, id string, neighbors ...string) *member {
	t.Helper()
	return startRouterOf(t, id, "[{name: alerts/#, kind: broadcast}, {name: '#', kind: anycast}]", neighbors...)
}

// startRouterOf is startRouter with these addresses.
func startRouterOf(t *testing.T, id, addresses string, neighbors ...string) *member {
	t.Helper()
	var connectors []string
	for i, address := range neighbors {
		connectors = append(connectors, fmt.Sprintf("{name: c%d, role: inter-router, hosts: [%q]}", i, address))
	}
	g := startWith(t, t.TempDir(), fmt.Sprintf(`
anonymous: true
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
limits: {maxMessageSize: 8MiB}
network:
  reconnect: {initial: 100ms, max: 1s}
  router: {id: %s, port: 0, anonymous: true}
  connectors: [%s]
addresses: %s
`, id, strings.Join(connectors, ", "), addresses))
	return &member{gateway: g, id: id, routers: g.doors["router"], kill: killOnce(g.process)}
}

// chains are networks of three with a Qpid Dispatch Router in it, each of which is given from one end to the other.
var chains = map[string]func(*testing.T) []*member{
	"in the middle, accepting and connecting": func(t *testing.T) []*member {
		last := startRouter(t, "C")
		middle := startDispatch(t, "Q", last.routers)
		return []*member{startRouter(t, "A", middle.routers), middle, last}
	},
	"at the end, accepting": func(t *testing.T) []*member {
		last := startDispatch(t, "Q")
		middle := startRouter(t, "B", last.routers)
		return []*member{startRouter(t, "A", middle.routers), middle, last}
	},
	"at the end, connecting": func(t *testing.T) []*member {
		middle := startRouter(t, "B")
		return []*member{startRouter(t, "A", middle.routers), middle, startDispatch(t, "Q", middle.routers)}
	},
}

// TestDispatchIsARouterAmongOurs has a Qpid Dispatch Router in a network with ours, and sends both ways through it.
func TestDispatchIsARouterAmongOurs(t *testing.T) {
	need(t, qdrouterdName)
	for where, start := range chains {
		t.Run(where, func(t *testing.T) {
			all := start(t)
			for name, ends := range map[string][2]*member{"forth": {all[0], all[2]}, "back": {all[2], all[0]}} {
				p := newPassage(t, ends[0], ends[1])
				t.Run(name+", anycast", p.anycast)
				t.Run(name+", outcomes", p.outcomes)
				t.Run(name+", settled", p.settled)
				t.Run(name+", large messages", p.large)
				t.Run(name+", a reply to a dynamic address", p.reply)
				t.Run(name+", broadcast", func(t *testing.T) { p.broadcast(t, all) })
			}
			t.Run("qdstat", func(t *testing.T) { showsAll(t, all) })
			t.Run("the middle dies", func(t *testing.T) { newPassage(t, all[0], all[2]).loss(t, all[1]) })
		})
	}
}

// showsAll expects qdstat to list all routers, asking Dispatch and, through the network, ours.
func showsAll(t *testing.T, all []*member) {
	for _, asked := range all {
		if asked.process != nil {
			continue
		}
		q := newQpidTools(t, "-b", asked.doors["amqp"])
		for _, n := range all {
			if got := q.stat(t, "-n"); !strings.Contains(got, "\n  "+n.id+" ") {
				t.Errorf("%s is no router in\n%s", n.id, got)
			}
			if got := q.stat(t, "-r", n.id, "-g"); !strings.Contains(got, n.id) {
				t.Errorf("%s does not answer to its name:\n%s", n.id, got)
			}
		}
	}
}

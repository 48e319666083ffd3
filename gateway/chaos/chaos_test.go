package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// patience is how long anything may take that takes moments; the machine may have much else to do.
const patience = 2 * time.Minute

// wires are the connections of the network: a ring of five, and one across.
var wires = [][2]int{{1, 0}, {2, 1}, {3, 2}, {4, 3}, {4, 0}, {4, 1}}

const (
	routers = 5
	few     = 10 // cuts, unless the environment says how many
)

// Where clients are.
var (
	senders   = []int{0, 2, 4}
	consumers = []int{1, 3}
)

// TestCutsLoseNothingAndRepeatNothing harms one wire after the other while messages go through, mends each, and then looks
// at the ledger.
func TestCutsLoseNothingAndRepeatNothing(t *testing.T) {
	cuts := number(t, "MANIFOLD_CUTS", few)
	seed := uint64(number(t, "MANIFOLD_SEED", int(rand.Uint32())))
	t.Logf("MANIFOLD_SEED=%d MANIFOLD_CUTS=%d", seed, cuts)
	net := build(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	l, stop := newLedger(), make(chan struct{})
	var consuming, producing sync.WaitGroup
	for _, at := range consumers {
		in, err := session(ctx, t, net.doors[at]).NewReceiver(ctx, address, &amqp.ReceiverOptions{Credit: credit})
		if err != nil {
			t.Fatal(err)
		}
		consuming.Go(func() { consume(ctx, t, l, in) })
	}
	for _, at := range senders {
		out, err := session(ctx, t, net.doors[at]).NewSender(ctx, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		producing.Go(func() { produce(ctx, t, stop, l, fmt.Sprint("R", at), out) })
	}
	net.harm(l, cuts, rand.New(rand.NewPCG(seed, 0)))
	close(stop)
	if !within(&producing) {
		t.Error("messages are on their way that get no outcome")
		end()
		producing.Wait()
	}
	end()
	consuming.Wait()
	l.check(t)
}

func within(group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(patience):
		return false
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// network is the routers and the wires between them.
type network struct {
	t         *testing.T
	processes []*gatewaytest.Process
	doors     []string // for clients
	relays    []*relay // in the order of wires
}

// configuration is of a router that connects to others, on free ports. Its timers are short, so that a deaf wire is noticed
// soon, and the frames of clients small, so that a large message takes a while to come.
func configuration(id int, connectors []string) string {
	return fmt.Sprintf(`
anonymous: true
log: {level: warn}
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0, maxFrameSize: 2KiB}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
network:
  idleTimeout: 2s
  reconnect: {initial: 20ms, max: 200ms}
  router: {id: R%d, port: 0, anonymous: true, hello: 200ms, helloMaxAge: 1s}
  connectors: [%s]
addresses:
  - {name: %s, kind: anycast}
`, id, strings.Join(connectors, ", "), address)
}

// build starts the routers.
func build(t *testing.T) *network {
	t.Helper()
	net := &network{t: t}
	connectors := make([][]string, routers)
	for _, w := range wires {
		r := newRelay(t, fmt.Sprintf("R%d-R%d", w[0], w[1]))
		net.relays = append(net.relays, r)
		connectors[w[0]] = append(connectors[w[0]],
			fmt.Sprintf("{name: to-R%d, role: inter-router, hosts: [%q]}", w[1], r.address()))
	}
	program := gatewaytest.Build(t, configuration(0, connectors[0]))
	for id := range routers {
		if id > 0 {
			program = program.With(t, configuration(id, connectors[id]))
		}
		p := program.Launch(t)
		doors, err := p.Ready()
		if err != nil {
			t.Fatal(err)
		}
		net.processes, net.doors = append(net.processes, p), append(net.doors, doors["amqp"])
		for i, w := range wires {
			if w[1] == id {
				net.relays[i].lead(doors["router"])
			}
		}
	}
	return net
}

// harm does harm to the wires, one after the other. In between some messages have to get through, or to come back; a wire
// that was only slowed down, or deaf, is cut when there is harm to the next.
func (net *network) harm(l *ledger, cuts int, random *rand.Rand) {
	net.t.Helper()
	net.await(l, 100)
	var last *relay
	counts := make(map[string]int)
	for range cuts {
		r := net.relays[random.IntN(len(net.relays))]
		kind := r.harm(random)
		counts[kind]++
		net.t.Logf("%s is %s", r.name, kind)
		net.await(l, 1+random.IntN(1000))
		if last != nil && last != r {
			last.cut()
		}
		last = r
	}
	for _, r := range net.relays {
		r.cut()
	}
	net.await(l, 1000)
	net.t.Logf("wires were harmed: %v", counts)
}

// await waits until n more messages have their outcome.
func (net *network) await(l *ledger, n int) {
	net.t.Helper()
	select {
	case <-l.further(n):
	case <-time.After(patience):
		net.t.Fatalf("%d messages have not had an outcome for %v", n, patience)
	}
}

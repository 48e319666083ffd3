package main_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// federated is the configuration of one of two networks, of which the first gets a connector and a link.
const federated = `
anonymous: true
log: {level: error}
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {enabled: false}
addresses:
  - {name: orders, kind: queue, dedupWindow: {messages: 1000000}}
`

// dialling is what the network that dials has besides: where the other one is, and which way the messages go.
const dialling = `
network:
  containerID: here
  reconnect: {initial: 10ms, max: 100ms}
  linkRetry: 50ms
  connectors: [{name: there, hosts: [%q]}]
  federation: [{name: orders, connector: there, kind: queue, direction: %s, source: orders}]
`

// TestKillLosesNothingBetweenNetworks kills one of two gateways, or the other, at random instants while messages without
// message-ids are sent to a queue of the first network and go on to one of the second. Each that was acknowledged is there
// once in the end, and no other twice. MANIFOLD_FEDERATION_CRASHES sets how many instants there are, MANIFOLD_SEED which.
func TestKillLosesNothingBetweenNetworks(t *testing.T) {
	instants, seed := setting(t, "MANIFOLD_FEDERATION_CRASHES", 10), setting(t, "MANIFOLD_SEED", uint64(time.Now().UnixNano()))
	program := gatewaytest.Build(t, federated)
	for _, direction := range []string{"pull", "push"} {
		t.Run(direction, func(t *testing.T) {
			there := &network{program: program.With(t, federated+"network: {containerID: there}\n")}
			door := forward(t, &there.amqp)
			here := &network{program: program.With(t, federated+fmt.Sprintf(dialling, door, direction))}
			from, to := there, here
			if direction == "push" {
				from, to = here, there
			}
			random := rand.New(rand.NewPCG(seed, seed))
			here.start(t)
			there.start(t)
			s := &supply{to: from, acknowledged: make(map[string]bool)}
			s.begin()
			for range instants {
				victim := here
				if random.IntN(2) == 0 {
					victim = there
				}
				victim.process.Live(t, 20*time.Millisecond+time.Duration(random.Int64N(int64(longestLoad))))
				victim.process.Kill(t)
				victim.start(t)
			}
			s.end()
			t.Logf("instants %d, acknowledged %d, not acknowledged %d, seed %d", instants, len(s.acknowledged), s.unheard, seed)
			to.holds(t, s.acknowledged)
		})
	}
}

// network is a gateway that is killed and started again.
type network struct {
	program gatewaytest.Program
	process *gatewaytest.Process
	amqp    atomic.Value // of string: host:port
	http    atomic.Value // likewise
}

func (n *network) start(t *testing.T) {
	t.Helper()
	n.process = n.program.Launch(t)
	doors, err := n.process.Ready()
	if err != nil {
		t.Fatal(err)
	}
	n.amqp.Store(doors["amqp"])
	n.http.Store(doors["http"])
}

// messages is where the messages of the queue are.
func (n *network) messages() string {
	return "http://" + n.http.Load().(string) + "/v1/default/orders/messages"
}

// holds takes what the queue has, until all of wanted is there, and then what is left.
func (n *network) holds(t *testing.T, wanted map[string]bool) {
	t.Helper()
	seen := make(map[string]bool)
	missing := len(wanted)
	for deadline := time.Now().Add(2 * patience); ; {
		wait := "5"
		if missing == 0 {
			wait = "0"
		}
		body, there := n.take(t, wait)
		switch {
		case there && seen[body]:
			t.Errorf("%s has come twice", body)
		case there && wanted[body]:
			missing--
		case !there && missing == 0:
			return
		case !there && time.Now().After(deadline):
			t.Fatalf("%d of %d messages have not come", missing, len(wanted))
		}
		if there {
			seen[body] = true
		}
	}
}

// take receives and removes a message, if there is one within so many seconds.
func (n *network) take(t *testing.T, seconds string) (body string, there bool) {
	t.Helper()
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, n.messages()+"/head?timeout="+seconds, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		t.Fatalf("receiving gives status %d and %q, %v", answer.StatusCode, text, err)
	}
	return string(text), answer.StatusCode == http.StatusOK
}

// supply sends messages, of which each is another one, to a queue, whether it is there or not.
type supply struct {
	to      *network
	sending sync.WaitGroup
	over    atomic.Bool

	mu           sync.Mutex // guards everything below
	acknowledged map[string]bool
	unheard      int // messages of which nobody knows
}

// suppliers is how many send at the same time.
const suppliers = 4

func (s *supply) begin() {
	for i := range suppliers {
		s.sending.Go(func() {
			for n := 0; !s.over.Load(); n++ {
				s.send(fmt.Sprintf("%d-%d", i, n))
			}
		})
	}
}

func (s *supply) send(body string) {
	answer, err := http.Post(s.to.messages(), "text/plain", strings.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.unheard++
		return
	}
	answer.Body.Close()
	if answer.StatusCode == http.StatusCreated {
		s.acknowledged[body] = true
	} else {
		s.unheard++
	}
}

// end waits until nothing is sent any more.
func (s *supply) end() {
	s.over.Store(true)
	s.sending.Wait()
}

// forward gives the address of a relay to a door that changes its place.
func forward(t *testing.T, to *atomic.Value) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var relaying sync.WaitGroup
	relaying.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			relaying.Go(func() { pass(near, to) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		relaying.Wait()
	})
	return ln.Addr().String()
}

// pass passes on what is said over a connection, both ways, until one side ends it.
func pass(near net.Conn, to *atomic.Value) {
	defer near.Close()
	door, ok := to.Load().(string)
	if !ok {
		return
	}
	far, err := net.Dial("tcp", door)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(near, far)
		near.Close()
	})
	io.Copy(far, near)
	far.Close()
	back.Wait()
}

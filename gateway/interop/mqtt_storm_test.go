//go:build interop

package interop

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	stormClients  = 100
	stormSpeakers = 4
	stormLasting  = 3600 // seconds that sessions outlive their connections
)

// storm is what the clients of TestSoakReconnectStorm have sent, which is what has to arrive.
type storm struct {
	address string

	mu      sync.Mutex // guards everything below
	sent    map[string]int
	arrived map[string]int
}

func (s *storm) count(into map[string]int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	into[text]++
}

// stormText is the n-th that is sent to or from somebody; its last character is the QoS.
func stormText(way, name string, n int) (text string, qos byte) {
	qos = byte(1 + n%2)
	return fmt.Sprintf("%s %s %d %d", way, name, n, qos), qos
}

// stormClient loses its connection all the time, and remembers what MQTT asks it to. It publishes to a queue, text by text,
// and takes what comes for it.
type stormClient struct {
	storm *storm
	name  string
	rng   *rand.Rand
	w     *wire

	next     int             // the text being published
	began    bool            // it was sent before
	released bool            // its PUBREC has come
	pending  map[uint16]bool // ids of QoS 2 that were received and not released
	heard    map[string]int  // how often each text came, but for QoS 2 that came again before its release
	left     sync.WaitGroup  // connections that were left open for the next to take over
}

// live connects so many times, and ends with a publish that was seen through.
func (c *stormClient) live(connections int) error {
	for range connections {
		if err := c.connection(c.rng.IntN(12)); err != nil {
			return err
		}
		if c.rng.IntN(3) > 0 {
			c.w.nc.Close()
		} else { // as a kernel does whose program is gone
			w := c.w
			c.left.Go(func() { io.Copy(io.Discard, w.nc); w.nc.Close() })
		}
	}
	if err := c.begin(); err != nil {
		return err
	}
	for last := c.next; c.next == last; {
		if err := c.hear(); err != nil {
			return err
		}
	}
	return nil
}

// connection is one, of so many packets.
func (c *stormClient) connection(packetsLeft int) error {
	if err := c.begin(); err != nil {
		return err
	}
	for ; packetsLeft > 0; packetsLeft-- {
		if err := c.hear(); err != nil {
			return err
		}
	}
	return nil
}

// begin connects and goes on where the last connection ended.
func (c *stormClient) begin() (err error) {
	var present bool
	if c.w, present, err = connect(c.storm.address, c.name, stormLasting); err != nil {
		return fmt.Errorf("CONNECT: %w", err)
	}
	if !present {
		return fmt.Errorf("the session is dead")
	}
	return c.speak()
}

// speak sends the text being published, or what it is to be sent again.
func (c *stormClient) speak() error {
	id := uint16(c.next%7 + 1)
	if c.released {
		return c.w.send(answerPacket(packets.Pubrel, id))
	}
	text, qos := stormText("from", c.name, c.next)
	if !c.began {
		c.storm.count(c.storm.sent, text)
	}
	p := publishPacket("jobs", text, qos, id)
	p.FixedHeader.Dup, c.began = c.began, true
	return c.w.send(p)
}

// hear reads one packet and answers it.
func (c *stormClient) hear() error {
	p, err := c.w.next()
	if err != nil {
		return err
	}
	switch p.FixedHeader.Type {
	case packets.Puback, packets.Pubcomp:
		c.next, c.began, c.released = c.next+1, false, false
		return c.speak()
	case packets.Pubrec:
		c.released = true
		return c.w.send(answerPacket(packets.Pubrel, p.PacketID))
	case packets.Pubrel:
		delete(c.pending, p.PacketID)
		return c.w.send(answerPacket(packets.Pubcomp, p.PacketID))
	case packets.Publish:
		if !c.pending[p.PacketID] {
			c.heard[string(p.Payload)]++
		}
		if p.FixedHeader.Qos == 2 {
			c.pending[p.PacketID] = true
			return c.w.send(answerPacket(packets.Pubrec, p.PacketID))
		}
		return c.w.send(answerPacket(packets.Puback, p.PacketID))
	}
	return fmt.Errorf("packet type %d with code %#x", p.FixedHeader.Type, p.ReasonCode)
}

// finish takes what is left for it, and is done.
func (c *stormClient) finish(texts int) error {
	for len(c.heard) < texts || len(c.pending) > 0 {
		if err := c.hear(); err != nil {
			return fmt.Errorf("%d of %d texts came: %w", len(c.heard), texts, err)
		}
	}
	return c.w.nc.Close()
}

// speakTo publishes to random clients until ctx ends.
func (s *storm) speakTo(ctx context.Context, name string, rng *rand.Rand, names []string) error {
	w, _, err := connect(s.address, name, 0)
	if err != nil {
		return err
	}
	defer w.nc.Close()
	for n := 0; ctx.Err() == nil; n++ {
		to := names[rng.IntN(len(names))]
		text, qos := stormText("to", to+" by "+name, n)
		s.count(s.sent, text)
		if err := w.publish("telemetry/"+to, text, qos, uint16(n%1000+1)); err != nil {
			return err
		}
	}
	return nil
}

// TestSoakReconnectStorm: 100 clients reconnect under their ids, MANIFOLD_STORM times in all (10,000), many of them before the
// former connection has ended, and publish and are sent to with QoS 1 and 2 meanwhile. Nothing is lost, nothing of QoS 2
// comes twice, and no session is dead.
func TestSoakReconnectStorm(t *testing.T) {
	total := 10_000
	if asked := os.Getenv("MANIFOLD_STORM"); asked != "" {
		var err error
		if total, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := start(t, t.TempDir())
	s := &storm{address: g.doors["mqtt"], sent: make(map[string]int), arrived: make(map[string]int)}
	clients := s.clients(t, seed)
	var names []string
	for _, c := range clients {
		names = append(names, c.name)
	}

	ctx, hush := context.WithCancel(t.Context())
	var speaking, living sync.WaitGroup
	for i := range stormSpeakers {
		speaking.Go(func() {
			name := fmt.Sprint("speaker", i)
			if err := s.speakTo(ctx, name, rand.New(rand.NewPCG(seed, uint64(stormClients+i))), names); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for _, c := range clients {
		living.Go(func() {
			if err := c.live(total / stormClients); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
	living.Wait()
	hush()
	speaking.Wait()
	if t.Failed() {
		return
	}
	s.settle(t, clients)
	s.takeJobs(t)
	s.judge(t, total)
}

// clients makes them, each with its session and its subscription.
func (s *storm) clients(t *testing.T, seed uint64) (all []*stormClient) {
	t.Helper()
	for i := range stormClients {
		c := &stormClient{
			storm: s, name: fmt.Sprint("device", i), rng: rand.New(rand.NewPCG(seed, uint64(i))),
			pending: make(map[uint16]bool), heard: make(map[string]int),
		}
		w, _, err := connect(s.address, c.name, stormLasting)
		if err == nil {
			err = w.ask(subscribePacket("telemetry/"+c.name, 2), packets.Suback)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		w.nc.Close()
		all = append(all, c)
	}
	return all
}

// settle lets each client take what is left for it, of which it is told how much there is.
func (s *storm) settle(t *testing.T, clients []*stormClient) {
	t.Helper()
	texts := make(map[string]int)
	for text := range s.sent {
		var way, name string
		fmt.Sscanf(text, "%s %s", &way, &name)
		if way == "to" {
			texts[name]++
		}
	}
	for _, c := range clients {
		if err := c.finish(texts[c.name]); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		c.left.Wait()
		for text, n := range c.heard {
			s.arrived[text] += n
		}
	}
}

// takeJobs takes what the clients have published, and a last text after which there is nothing.
func (s *storm) takeJobs(t *testing.T) {
	t.Helper()
	last, _, err := connect(s.address, "last", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer last.nc.Close()
	if err := last.publish("jobs", "last", 1, 1); err != nil {
		t.Fatal(err)
	}
	worker, _, err := connect(s.address, "worker", 0)
	if err == nil {
		err = worker.ask(subscribePacket("jobs", 1), packets.Suback)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer worker.nc.Close()
	for {
		p, err := worker.await(packets.Publish)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Payload) == "last" {
			return
		}
		s.arrived[string(p.Payload)]++
		if err := worker.send(answerPacket(packets.Puback, p.PacketID)); err != nil {
			t.Fatal(err)
		}
	}
}

// judge compares what was sent with what arrived.
func (s *storm) judge(t *testing.T, total int) {
	t.Helper()
	var lost, twice, again int
	for text := range s.sent {
		switch n := s.arrived[text]; {
		case n == 0:
			lost++
			t.Errorf("%q is lost", text)
		case n > 1 && text[len(text)-1] == '2':
			twice++
			t.Errorf("%q came %d times", text, n)
		case n > 1:
			again++
		}
	}
	t.Logf("%d connections, %d texts: %d lost, %d of QoS 2 twice, %d of QoS 1 again", total, len(s.sent), lost, twice, again)
	if unknown := len(s.arrived) - len(s.sent); unknown > 0 {
		t.Errorf("%d texts came that nobody has sent: %v", unknown, slices.Sorted(maps.Keys(s.arrived)))
	}
}

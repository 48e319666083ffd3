//go:build interop

package interop

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

const mutators = 4

// TestMutatedPacketsHarmNobody: for as long as MANIFOLD_FUZZ says, by default shortly, clients send what was MQTT before it was
// damaged. The process goes on, other clients get every message, and when it is over nothing is left of them.
func TestMutatedPacketsHarmNobody(t *testing.T) {
	duration := 5 * time.Second
	if asked := os.Getenv("MANIFOLD_FUZZ"); asked != "" {
		var err error
		if duration, err = time.ParseDuration(asked); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := startWith(t, t.TempDir(), fmt.Sprintf(configuration, 0)+"log: {level: error}\n") // wills go nowhere all the time
	before := g.goroutines(t)
	ctx, stop := context.WithTimeout(t.Context(), duration)
	defer stop()
	var sent [mutators]int
	var running sync.WaitGroup
	for i := range mutators {
		running.Go(func() {
			m := mutator{rng: rand.New(rand.NewPCG(seed, uint64(i))), address: g.doors["mqtt"]}
			for ctx.Err() == nil {
				if err := m.converse(); err != nil {
					t.Errorf("mutator %d after %d conversations: %v", i, sent[i], err)
					return
				}
				sent[i]++
			}
		})
	}
	messages := undisturbed(t, ctx, g.doors["mqtt"])
	running.Wait()
	t.Logf("%d messages beside %v damaged conversations", messages, sent)
	g.calmsDown(t, before)
}

// undisturbed sends messages from one client to another until ctx ends, each after the one before has arrived.
func undisturbed(t *testing.T, ctx context.Context, address string) (n int) {
	t.Helper()
	speaker, _, err := connect(address, "undisturbed speaker", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer speaker.nc.Close()
	listener, _, err := connect(address, "undisturbed listener", 0)
	if err == nil {
		err = listener.ask(subscribePacket("telemetry/undisturbed", 1), packets.Suback)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer listener.nc.Close()
	for ; ctx.Err() == nil; n++ {
		want := strconv.Itoa(n)
		if err := speaker.publish("telemetry/undisturbed", want, byte(1+n%2), uint16(n%1000+1)); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		p, err := listener.await(packets.Publish)
		if err != nil || string(p.Payload) != want {
			t.Fatalf("got %q, %v; want %q", p.Payload, err, want)
		}
		if err := listener.send(answerPacket(packets.Puback, p.PacketID)); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
	return n
}

// mutator is a client that damages what it sends.
type mutator struct {
	rng     *rand.Rand
	address string
}

// converse sends one conversation, in pieces, reads what comes, and closes the connection. Its error says that the door is not
// open any more.
func (m *mutator) converse() error {
	nc, err := net.Dial("tcp", m.address)
	if err != nil {
		return err
	}
	defer nc.Close()
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(io.Discard, nc) })
	defer reading.Wait()
	defer nc.Close()
	for text := m.conversation(); len(text) > 0; {
		n := 1 + m.rng.IntN(len(text))
		if _, err := nc.Write(text[:n]); err != nil {
			return nil // it was disconnected
		}
		text = text[n:]
	}
	if m.rng.IntN(2) == 0 { // it says that there is no more, and hears the server out
		nc.(*net.TCPConn).CloseWrite()
		reading.Wait()
	}
	return nil
}

// conversation is a few packets, with damage in them. Every other time CONNECT is left whole, so that the client gets in.
func (m *mutator) conversation() []byte {
	head := m.encode(m.connect())
	var rest []byte
	for range m.rng.IntN(8) {
		rest = append(rest, m.encode(m.packet())...)
	}
	if m.rng.IntN(2) == 0 {
		return append(head, m.damage(rest)...)
	}
	return m.damage(append(head, rest...))
}

func (m *mutator) encode(p packets.Packet) []byte {
	b, err := encodePacket(p)
	if err != nil {
		return []byte{byte(m.rng.IntN(256))}
	}
	return b
}

func (m *mutator) connect() packets.Packet {
	p := connectPacket(fmt.Sprint("mutator", m.rng.IntN(50)), uint32(m.rng.IntN(2)))
	if m.rng.IntN(3) == 0 {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "telemetry/will", []byte("lost")
		p.Connect.WillQos = byte(m.rng.IntN(3))
	}
	p.Properties.ReceiveMaximum = uint16(m.rng.IntN(4))
	p.Properties.TopicAliasMaximum = uint16(m.rng.IntN(4))
	p.Properties.MaximumPacketSize = uint32(m.rng.IntN(2) * (50 + m.rng.IntN(200)))
	p.Connect.Keepalive = uint16(m.rng.IntN(5))
	return p
}

// packet is one of all that a client may send.
func (m *mutator) packet() packets.Packet {
	id := uint16(m.rng.IntN(5))
	topics := []string{"telemetry/mutated", "jobs", "commands/a", "alerts", "nowhere", "telemetry/#", "$share/g/telemetry/+"}
	topic := topics[m.rng.IntN(len(topics))]
	switch m.rng.IntN(8) {
	case 0, 1:
		p := publishPacket(topic, "mutated", byte(m.rng.IntN(3)), id)
		p.FixedHeader.Retain = m.rng.IntN(4) == 0
		p.Properties.MessageExpiryInterval = uint32(m.rng.IntN(3))
		p.Properties.User = []packets.UserProperty{{Key: "a", Val: "b"}}
		p.Properties.TopicAliasFlag, p.Properties.TopicAlias = m.rng.IntN(3) == 0, uint16(m.rng.IntN(20))
		return p
	case 2:
		p := subscribePacket(topic, byte(m.rng.IntN(3)))
		p.PacketID = id
		p.Filters[0].RetainHandling = byte(m.rng.IntN(3))
		p.Properties.SubscriptionIdentifier = []int{m.rng.IntN(3)}
		return p
	case 3:
		p := subscribePacket(topic, 0)
		p.FixedHeader.Type, p.PacketID = packets.Unsubscribe, id
		return p
	case 4:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}
	case 5:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Auth}, ReasonCode: 0x19}
	case 6:
		return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ReasonCode: byte(m.rng.IntN(2) * 4)}
	default:
		kinds := []byte{packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp}
		return answerPacket(kinds[m.rng.IntN(len(kinds))], id)
	}
}

// damage changes a few places: a bit, a byte, a piece that is cut out, doubled or put in.
func (m *mutator) damage(b []byte) []byte {
	for range 1 + m.rng.IntN(3) {
		if len(b) == 0 {
			return []byte{byte(m.rng.IntN(256))}
		}
		at := m.rng.IntN(len(b))
		end := at + m.rng.IntN(min(len(b)-at, 16)+1)
		switch m.rng.IntN(5) {
		case 0:
			b[at] ^= 1 << m.rng.IntN(8)
		case 1:
			b[at] = []byte{0, 1, 0x7F, 0x80, 0xFF}[m.rng.IntN(5)]
		case 2:
			b = slices.Delete(b, at, end)
		case 3:
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		default:
			b = slices.Insert(b, at, byte(m.rng.IntN(256)))
		}
	}
	return b
}

var goroutineCount = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

// goroutines is how many the process has.
func (g *gateway) goroutines(t *testing.T) int {
	t.Helper()
	answer, err := http.Get("http://" + g.doors["admin"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := goroutineCount.FindSubmatch(text)
	if found == nil {
		t.Fatal("no go_goroutines among the metrics")
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

// calmsDown waits until the process has about as many goroutines as before.
func (g *gateway) calmsDown(t *testing.T, before int) {
	t.Helper()
	const spare = 10 // of the metrics' own requests and of the store
	deadline := time.After(wirePatience)
	for n := g.goroutines(t); n > before+spare; n = g.goroutines(t) {
		select {
		case <-deadline:
			t.Fatalf("%d goroutines, %d before", n, before)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

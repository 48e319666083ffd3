package mqtt

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/router"
)

// device is a client that loses its connection all the time, and remembers what MQTT asks it to: it publishes texts one
// after the other with QoS 2, and takes what comes for it with QoS 1 and 2.
type device struct {
	h    *stored
	name string
	rng  *rand.Rand

	next     int             // the text being published
	released bool            // its PUBREC has come
	began    bool            // it was sent before
	pending  map[uint16]bool // ids of QoS 2 that were received and not released
	got      map[string]int  // how often each text came
}

const stormTexts = 20

// live connects again and again until all is published.
func (d *device) live() {
	for d.next < stormTexts {
		d.connection(d.rng.IntN(12), d.rng.IntN(3) > 0)
	}
}

// connection is one: it ends after so many packets, perhaps in a takeover by the next one.
func (d *device) connection(packetsLeft int, close bool) {
	c := d.h.dial(5)
	ends := func() {
		if close {
			c.nc.Close()
		} else {
			d.h.serving.Go(c.drain)
		}
	}
	defer ends()
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 5,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: d.name},
	}
	lasting(&p)
	c.send(p)
	ack, ok := c.next()
	if !ok || ack.ReasonCode != 0 {
		d.h.t.Errorf("%s: CONNACK %v %#x", d.name, ok, ack.ReasonCode)
		return
	}
	if !ack.SessionPresent {
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
			Filters: packets.Subscriptions{{Filter: "news/" + d.name, Qos: 2}},
		})
	}
	d.speak(c)
	for ; packetsLeft > 0 && d.next < stormTexts; packetsLeft-- {
		if p, ok = c.next(); !ok {
			return
		}
		d.hear(c, p)
	}
}

// speak sends what is to be sent, or to be sent again.
func (d *device) speak(c *peer) {
	if d.next == stormTexts {
		return
	}
	id := uint16(d.next%7 + 1)
	if d.released {
		c.answer(packets.Pubrel, id)
		return
	}
	c.publish("jobs", fmt.Sprint(d.name, "-", d.next), 2, id, func(p *packets.Packet) { p.FixedHeader.Dup = d.began })
	d.began = true
}

func (d *device) hear(c *peer, p packets.Packet) {
	switch p.FixedHeader.Type {
	case packets.Pubrec:
		d.released = true
		c.answer(packets.Pubrel, p.PacketID)
	case packets.Pubcomp:
		d.next, d.released, d.began = d.next+1, false, false
		d.speak(c)
	case packets.Publish:
		if !d.pending[p.PacketID] {
			d.got[string(p.Payload)]++
		}
		if p.FixedHeader.Qos == 2 {
			d.pending[p.PacketID] = true
			c.answer(packets.Pubrec, p.PacketID)
		} else {
			c.ack(p.PacketID)
		}
	case packets.Pubrel:
		delete(d.pending, p.PacketID)
		c.answer(packets.Pubcomp, p.PacketID)
	}
}

// listen takes what is left for it over one more connection.
func (d *device) listen() {
	c, _ := d.h.reconnect(5, d.name, lasting)
	for len(d.got) < stormTexts || len(d.pending) > 0 {
		p, ok := c.next()
		if !ok {
			d.h.t.Fatalf("%s: the connection ended", d.name)
		}
		d.hear(c, p)
	}
	c.silent()
	c.nc.Close()
}

// drain reads until the end, as a kernel does whose program is gone.
func (c *peer) drain() {
	buffer := make([]byte, 1024)
	for {
		if _, err := c.nc.Read(buffer); err != nil {
			return
		}
	}
}

// TestStormOfReconnectsLosesAndRepeatsNothing: 100 clients whose connections end all the time, many in takeovers, publish
// with QoS 2 and are sent to with QoS 2.
func TestStormOfReconnectsLosesAndRepeatsNothing(t *testing.T) {
	const clients = 100
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	runStored(t, func(h *stored) {
		devices := make([]*device, clients)
		var living sync.WaitGroup
		for i := range devices {
			d := &device{
				h: h, name: fmt.Sprint("device", i), rng: rand.New(rand.NewPCG(seed, uint64(i))),
				pending: make(map[uint16]bool), got: make(map[string]int),
			}
			devices[i] = d
			living.Go(func() {
				d.connection(2, true) // subscribed
				p := h.connect(5, "to-"+d.name)
				for n := range stormTexts {
					p.publish("news/"+d.name, fmt.Sprint(n), 2, uint16(n+1))
					p.receive(packets.Pubrec)
				}
				p.nc.Close()
				d.live()
			})
		}
		living.Wait()
		for _, d := range devices {
			d.listen()
			for n := range stormTexts {
				if got := d.got[fmt.Sprint(n)]; got != 1 {
					t.Errorf("%s got %d %d times", d.name, n, got)
				}
			}
		}
		published := make(map[string]int)
		worker := h.links.Receiver("jobs", clients*stormTexts+1)
		for range clients * stormTexts {
			got := worker.Next()
			published[string(bodyOf(got))]++
			got.Settle(router.Accept())
		}
		synctest.Wait()
		if len(published) != clients*stormTexts || !worker.Idle() {
			t.Errorf("%d texts were published, idle %v", len(published), worker.Idle())
		}
	})
}

func bodyOf(d router.Delivery) []byte {
	body, _, _ := d.Message.Body().Payload()
	return body
}

package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// house is a door on a router with direct nodes and a queue that never answers, and clients that speak to it.
type house struct {
	t       *testing.T
	ctx     context.Context
	server  *Server
	shelf   shelf
	links   routertest.Links
	serving sync.WaitGroup
}

// run gives a test a house within a synctest bubble.
func run(t *testing.T, test func(h *house), users ...tenancy.User) {
	runWith(t, func(*Config) {}, test, users...)
}

// runWith is run with other settings.
func runWith(t *testing.T, configure func(*Config), test func(h *house), users ...tenancy.User) {
	synctest.Test(t, func(t *testing.T) {
		user := routertest.User(t, "default",
			routertest.Define(t, "commands/#", addressing.Anycast),
			routertest.Define(t, "alerts/#", addressing.Broadcast),
		)
		user.Tenant.Users = users
		directory, err := tenancy.NewDirectory(user.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		direct := router.NewDirect(router.Limits{})
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct,
		})
		limits := DefaultLimits()
		limits.MaxSubscriptions = 3
		limits.SubscriptionCredit = 5
		ctx, stop := context.WithCancel(t.Context())
		h := &house{
			t: t, ctx: ctx,
			links: routertest.Links{T: t, Router: r, User: user},
		}
		config := Config{
			Router: r, Directory: directory, Sessions: &h.shelf, Limits: limits, Log: slog.New(slog.DiscardHandler),
			Driver: transport.NewDriver(transport.Options{}),
		}
		configure(&config)
		h.server, err = New(config)
		if err != nil {
			t.Fatal(err)
		}
		h.serving.Go(func() { _ = h.server.Run(ctx) })
		test(h)
		stop()
		h.serving.Wait()
	})
}

// peer is the other end of a connection, on the codec of another project.
type peer struct {
	t       *testing.T
	nc      net.Conn
	in      *bufio.Reader
	version byte
}

func (h *house) dial(version byte) *peer {
	ours, theirs := net.Pipe()
	h.serving.Go(func() { h.server.ServeConn(h.ctx, ours) })
	h.t.Cleanup(func() { theirs.Close() })
	return &peer{t: h.t, nc: theirs, in: bufio.NewReader(theirs), version: version}
}

func (h *house) connect(version byte, id string, with ...func(*packets.Packet)) *peer {
	h.t.Helper()
	c, _ := h.reconnect(version, id, with...)
	return c
}

// reconnect is connect that tells whether the session was present.
func (h *house) reconnect(version byte, id string, with ...func(*packets.Packet)) (c *peer, present bool) {
	h.t.Helper()
	c, ack := h.attempt(version, id, with...)
	if ack.ReasonCode != 0 {
		h.t.Fatalf("CONNACK %#x", ack.ReasonCode)
	}
	return c, ack.SessionPresent
}

// attempt sends CONNECT and gives the answer.
func (h *house) attempt(version byte, id string, with ...func(*packets.Packet)) (*peer, packets.Packet) {
	h.t.Helper()
	c := h.dial(version)
	p := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Connect},
		ProtocolVersion: version,
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), Clean: true, ClientIdentifier: id,
		},
	}
	for _, w := range with {
		w(&p)
	}
	c.send(p)
	return c, c.receive(packets.Connack)
}

func (c *peer) send(p packets.Packet) {
	c.t.Helper()
	p.ProtocolVersion = c.version
	p.Mods.AllowResponseInfo = true // the codec leaves out response topics otherwise
	var b bytes.Buffer
	var err error
	switch p.FixedHeader.Type {
	case packets.Connect:
		err = p.ConnectEncode(&b)
	case packets.Publish:
		err = p.PublishEncode(&b)
	case packets.Puback:
		err = p.PubackEncode(&b)
	case packets.Pubrec:
		err = p.PubrecEncode(&b)
	case packets.Pubrel:
		err = p.PubrelEncode(&b)
	case packets.Pubcomp:
		err = p.PubcompEncode(&b)
	case packets.Subscribe:
		err = p.SubscribeEncode(&b)
	case packets.Unsubscribe:
		err = p.UnsubscribeEncode(&b)
	case packets.Auth:
		err = p.AuthEncode(&b)
	case packets.Pingreq:
		err = p.PingreqEncode(&b)
	case packets.Disconnect:
		err = p.DisconnectEncode(&b)
	default:
		c.t.Fatalf("the test client cannot send packet type %d", p.FixedHeader.Type)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.nc.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// receive reads the next packet, which must be of a type.
func (c *peer) receive(kind byte) packets.Packet {
	c.t.Helper()
	p, ok := c.next()
	if !ok {
		c.t.Fatalf("the connection ended, want packet type %d", kind)
	}
	if p.FixedHeader.Type != kind {
		c.t.Fatalf("packet type %d, want %d", p.FixedHeader.Type, kind)
	}
	return p
}

// next reads the next packet; false at the end of the connection.
func (c *peer) next() (packets.Packet, bool) {
	c.t.Helper()
	first, err := c.in.ReadByte()
	if err != nil {
		return packets.Packet{}, false
	}
	p := packets.Packet{ProtocolVersion: c.version}
	if err := p.FixedHeader.Decode(first); err != nil {
		c.t.Fatal(err)
	}
	if p.FixedHeader.Remaining, _, err = packets.DecodeLength(c.in); err != nil {
		c.t.Fatal(err)
	}
	body := make([]byte, p.FixedHeader.Remaining)
	for read := 0; read < len(body); {
		n, err := c.in.Read(body[read:])
		if err != nil {
			c.t.Fatal(err)
		}
		read += n
	}
	switch p.FixedHeader.Type {
	case packets.Connack:
		err = p.ConnackDecode(body)
	case packets.Publish:
		err = p.PublishDecode(body)
	case packets.Puback:
		err = p.PubackDecode(body)
	case packets.Pubrec:
		err = p.PubrecDecode(body)
	case packets.Pubrel:
		err = p.PubrelDecode(body)
	case packets.Pubcomp:
		err = p.PubcompDecode(body)
	case packets.Suback:
		err = p.SubackDecode(body)
	case packets.Unsuback:
		err = p.UnsubackDecode(body)
	case packets.Auth:
		err = p.AuthDecode(body)
	case packets.Disconnect:
		err = p.DisconnectDecode(body)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return p, true
}

func (c *peer) publish(topic, payload string, qos byte, id uint16, with ...func(*packets.Packet)) {
	c.t.Helper()
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos},
		TopicName:   topic, Payload: []byte(payload), PacketID: id,
	}
	for _, w := range with {
		w(&p)
	}
	c.send(p)
}

func (c *peer) subscribe(filter string, qos byte) byte {
	c.t.Helper()
	return c.ask(filter, qos).ReasonCodes[0]
}

// ask subscribes and gives the answer.
func (c *peer) ask(filter string, qos byte) packets.Packet {
	c.t.Helper()
	c.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: filter, Qos: qos}},
	})
	return c.receive(packets.Suback)
}

func (c *peer) ack(id uint16) {
	c.t.Helper()
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: id})
}

func (c *peer) ends() {
	c.t.Helper()
	if p, ok := c.next(); ok {
		c.t.Fatalf("packet type %d, want the end of the connection", p.FixedHeader.Type)
	}
}

func TestPubackComesAfterTheConsumersOutcome(t *testing.T) {
	run(t, func(h *house) {
		worker := h.links.Receiver("commands/a", 10)
		c := h.connect(4, "device")
		c.publish("commands/a", "one", 1, 1)
		c.publish("commands/a", "two", 1, 2)
		got := worker.Expect("one", "two")
		got[1].Settle(router.Accept())
		synctest.Wait()
		if c.in.Buffered() > 0 {
			t.Error("a PUBACK overtook that of an earlier publish")
		}
		got[0].Settle(router.Accept())
		for want := uint16(1); want <= 2; want++ {
			if ack := c.receive(packets.Puback); ack.PacketID != want {
				t.Errorf("PUBACK for %d, want %d", ack.PacketID, want)
			}
		}
	})
}

func TestRefusalsAreToldInTheClientsVersion(t *testing.T) {
	for _, c := range []struct {
		name    string
		topic   string
		version byte
		code    int // of PUBACK; -1 for the end of the connection
	}{
		{"5 unknown address", "nowhere", 5, 0x90},
		{"5 anycast without consumer", "commands/x", 5, 0x97},
		{"5 broadcast without consumer", "alerts/x", 5, 0x10},
		{"3.1.1 unknown address", "nowhere", 4, -1},
		{"3.1.1 broadcast without consumer", "alerts/x", 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(h *house) {
				client := h.connect(c.version, "device")
				client.publish(c.topic, "x", 1, 1)
				if c.code < 0 {
					client.ends()
					return
				}
				if ack := client.receive(packets.Puback); int(ack.ReasonCode) != c.code {
					t.Errorf("PUBACK %#x, want %#x", ack.ReasonCode, c.code)
				}
			})
		})
	}
}

// TestOldClientIsNeverToldYesFalsely: before MQTT 5 a publish that nobody could take gets no PUBACK, and the connection
// ends at the delivery timeout.
func TestOldClientIsNeverToldYesFalsely(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect(4, "device")
		start := time.Now()
		c.publish("commands/nobody", "x", 1, 1)
		c.ends()
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("the connection ended after %v, want the delivery timeout of 30s", got)
		}
	})
}

func TestQoS0GetsNoAnswerAndEndsNothing(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect(4, "device")
		c.publish("nowhere", "x", 0, 0)
		c.publish("alerts/x", "x", 0, 0)
		if got := c.subscribe("alerts/x", 1); got != 1 {
			t.Errorf("SUBACK %#x", got)
		}
	})
}

func TestSubackSaysWhatWasGranted(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect(5, "device")
		for _, s := range []struct {
			filter string
			want   byte
		}{
			{"alerts/#", 1}, {"+/#", 1}, {"nowhere", 0x8F}, {"a/#/b", 0x8F}, {"$share/g/alerts/#", 0x8F},
			{"alerts/1", 1}, {"alerts/2", 0x97}, {"alerts/1", 1},
		} {
			if got := c.subscribe(s.filter, 1); got != s.want {
				t.Errorf("%s: SUBACK %#x, want %#x", s.filter, got, s.want)
			}
		}
	})
}

func TestDeliveriesCarryWhatMQTT5HasAPlaceFor(t *testing.T) {
	run(t, func(h *house) {
		sub, old, pub := h.connect(5, "new"), h.connect(4, "old"), h.connect(5, "pub")
		sub.subscribe("alerts/#", 1)
		old.subscribe("alerts/#", 0)
		user := []packets.UserProperty{{Key: "b", Val: "1"}, {Key: "a", Val: "2"}, {Key: "b", Val: "3"}}
		pub.publish("alerts/fire", "it burns", 1, 7, func(p *packets.Packet) {
			p.Properties = packets.Properties{
				PayloadFormat: 1, PayloadFormatFlag: true, MessageExpiryInterval: 60, ContentType: "text/plain",
				ResponseTopic: "commands/answer", CorrelationData: []byte{0, 1, 2}, User: user,
			}
		})
		pub.receive(packets.Puback)
		got := sub.receive(packets.Publish)
		sub.ack(got.PacketID)
		q := got.Properties
		if got.TopicName != "alerts/fire" || string(got.Payload) != "it burns" || got.FixedHeader.Qos != 1 ||
			q.PayloadFormat != 1 || q.MessageExpiryInterval != 60 || q.ContentType != "text/plain" ||
			q.ResponseTopic != "commands/answer" || string(q.CorrelationData) != "\x00\x01\x02" ||
			!slices.Equal(q.User, user) {
			t.Errorf("got %s %q QoS %d %+v", got.TopicName, got.Payload, got.FixedHeader.Qos, q)
		}
		if got := old.receive(packets.Publish); string(got.Payload) != "it burns" || got.FixedHeader.Qos != 0 {
			t.Errorf("the 3.1.1 subscriber got %q with QoS %d", got.Payload, got.FixedHeader.Qos)
		}
	})
}

func TestNoLocalLeavesOutTheClientsOwn(t *testing.T) {
	run(t, func(h *house) {
		c, other := h.connect(5, "a"), h.connect(5, "b")
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
			Filters: packets.Subscriptions{{Filter: "alerts/#", Qos: 0, NoLocal: true}},
		})
		c.receive(packets.Suback)
		c.publish("alerts/x", "own", 0, 0)
		other.publish("alerts/x", "other's", 0, 0)
		if got := c.receive(packets.Publish); string(got.Payload) != "other's" {
			t.Errorf("got %q", got.Payload)
		}
	})
}

func TestConsumerThatDisconnectsGivesBackWhatItHeld(t *testing.T) {
	run(t, func(h *house) {
		worker := h.connect(4, "worker")
		worker.subscribe("commands/#", 1)
		p := h.links.Sender("commands/a")
		p.Send("job")
		worker.receive(packets.Publish)
		worker.nc.Close()
		if got := p.Next().Outcome; got.State != router.Modified {
			t.Errorf("the outcome is %v, want modified", got.State)
		}
	})
}

func TestPubackOfTheConsumerSettles(t *testing.T) {
	run(t, func(h *house) {
		worker := h.connect(4, "worker")
		worker.subscribe("commands/#", 1)
		p := h.links.Sender("commands/a")
		p.Send("job")
		got := worker.receive(packets.Publish)
		synctest.Wait()
		if p.Heard() {
			t.Error("settled before PUBACK")
		}
		worker.ack(got.PacketID)
		p.Accepted(1)
	})
}

// TestSlowSubscriberCostsItsCredit: what a subscriber of a broadcast does not take beyond its credit is dropped for it
// alone and counted; later messages reach it again.
func TestSlowSubscriberCostsItsCredit(t *testing.T) {
	run(t, func(h *house) {
		slow := h.connect(4, "slow")
		slow.subscribe("alerts/x", 0)
		p := h.links.Sender("alerts/x")
		const credit = 5
		for range 3 * credit {
			p.Send("x")
			synctest.Wait()
		}
		p.Accepted(credit) // the rest was released: its only receiver had no credit
		dropped := h.links.Router.Counters("default").Kind(addressing.Broadcast).Dropped()
		if dropped == 0 || dropped > 2*credit {
			t.Errorf("%d dropped", dropped)
		}
		for range 3*credit - int(dropped) {
			slow.receive(packets.Publish)
		}
		synctest.Wait()
		p.Send("again")
		if got := slow.receive(packets.Publish); string(got.Payload) != "again" {
			t.Errorf("got %q", got.Payload)
		}
	})
}

func TestTakeoverEndsTheFormerConnection(t *testing.T) {
	run(t, func(h *house) {
		former := h.connect(5, "same")
		var next sync.WaitGroup
		next.Go(func() { h.connect(5, "same") })
		defer next.Wait()
		if got := former.receive(packets.Disconnect); got.ReasonCode != 0x8E {
			t.Errorf("DISCONNECT %#x, want 0x8E", got.ReasonCode)
		}
		former.ends()
	})
}

// TestTakeoverWaitsForNobody: a former connection whose client does not read delays the next one by a moment only.
func TestTakeoverWaitsForNobody(t *testing.T) {
	run(t, func(h *house) {
		h.connect(5, "same")
		start := time.Now()
		h.connect(5, "same")
		if took := time.Since(start); took > takeoverPatience {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWillIsPublishedWhenTheConnectionIsLost(t *testing.T) {
	for _, goodbye := range []bool{false, true} {
		run(t, func(h *house) {
			watcher := h.links.Receiver("alerts/gone", 5)
			c := h.connect(5, "device", func(p *packets.Packet) {
				p.Connect.WillFlag = true
				p.Connect.WillTopic, p.Connect.WillPayload, p.Connect.WillQos = "alerts/gone", []byte("lost"), 1
			})
			if goodbye {
				c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
			}
			c.nc.Close()
			synctest.Wait()
			if watcher.Idle() != goodbye {
				t.Errorf("goodbye %v, will published %v", goodbye, !watcher.Idle())
			}
		})
	}
}

func TestStoppingSaysGoodbye(t *testing.T) {
	run(t, func(h *house) {
		ctx, stop := context.WithCancel(h.ctx)
		h.ctx = ctx
		c := h.connect(5, "device")
		stop()
		if got := c.receive(packets.Disconnect); got.ReasonCode != 0x8B {
			t.Errorf("DISCONNECT %#x, want 0x8B", got.ReasonCode)
		}
		c.ends()
	})
}

func TestUnsubscribeEndsTheRoute(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect(5, "device")
		c.subscribe("alerts/x", 0)
		c.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 2,
			Filters: packets.Subscriptions{{Filter: "alerts/x"}, {Filter: "alerts/y"}},
		})
		if got := c.receive(packets.Unsuback).ReasonCodes; !slices.Equal(got, []byte{0, 0x11}) {
			t.Errorf("UNSUBACK %x", got)
		}
		p := h.links.Sender("alerts/x")
		p.Send("x")
		if got := p.Next().Outcome.State; got != router.Released {
			t.Errorf("outcome %v, want released", got)
		}
	})
}

func TestEveryReasonHasCodes(t *testing.T) {
	puback := []byte{0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
	suback := []byte{0x00, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}
	for r := range router.Reason(router.ReasonCount) {
		c := reasons[r]
		if (c.puback == 0) != (r == router.OK) || !slices.Contains(puback, byte(c.puback)) {
			t.Errorf("%v: PUBACK %#x", r, byte(c.puback))
		}
		if (c.suback == 0) != (r == router.OK) || !slices.Contains(suback, byte(c.suback)) {
			t.Errorf("%v: SUBACK %#x", r, byte(c.suback))
		}
		if (c.connack == 0) != (r == router.OK) {
			t.Errorf("%v: CONNACK %#x", r, byte(c.connack))
		}
		if (c.beforeMQTT5 == acknowledge) != (r == router.OK) {
			t.Errorf("%v: a 3.1.1 client would be told yes", r)
		}
	}
}

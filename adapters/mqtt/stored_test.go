package mqtt

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// stored is a house whose queues and topics are kept on a disk in memory. Its power can be cut.
type stored struct {
	house
	disk      *vfs.MemFS
	broker    *broker.Broker
	configure func(*Config) // nil for nothing
	stop      func()
}

// runStored gives a test such a house within a synctest bubble.
func runStored(t *testing.T, test func(h *stored)) { runStoredWith(t, nil, test) }

// runStoredWith is runStored with other settings.
func runStoredWith(t *testing.T, configure func(*Config), test func(h *stored)) {
	synctest.Test(t, func(t *testing.T) {
		h := &stored{disk: vfs.NewCrashableMem(), configure: configure}
		h.t = t
		h.open()
		defer func() { h.close() }()
		test(h)
	})
}

// open starts the broker and the door on what is on the disk.
func (h *stored) open() {
	h.t.Helper()
	var err error
	h.broker, err = broker.Open(broker.Options{Dir: "data", FS: h.disk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	user := routertest.User(h.t, "default",
		routertest.Define(h.t, "news/#", addressing.Topic),
		routertest.Define(h.t, "jobs", addressing.Queue),
		routertest.Define(h.t, "alerts/#", addressing.Broadcast),
	)
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		h.t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: h.broker, addressing.Topic: h.broker,
	})
	h.links = routertest.Links{T: h.t, Router: r, User: user}
	config := Config{
		Router: r, Directory: directory, Sessions: h.broker.Sessions(), Limits: DefaultLimits(),
		Log: slog.New(slog.DiscardHandler), Driver: transport.NewDriver(transport.Options{}),
	}
	if h.configure != nil {
		h.configure(&config)
	}
	h.server, err = New(config)
	if err != nil {
		h.t.Fatal(err)
	}
	var stop context.CancelFunc
	h.ctx, stop = context.WithCancel(h.t.Context())
	h.serving.Go(func() { _ = h.server.Run(h.ctx) })
	h.stop = stop
}

// close stops everything in an orderly way.
func (h *stored) close() {
	h.t.Helper()
	h.stop()
	h.serving.Wait()
	if err := h.broker.Close(); err != nil {
		h.t.Error(err)
	}
}

// cutPower loses what was not synced and starts again with the rest.
func (h *stored) cutPower() {
	h.t.Helper()
	after := h.disk.CrashClone(vfs.CrashCloneCfg{})
	h.close()
	h.disk = after
	h.serving = sync.WaitGroup{}
	h.open()
}

// lasting asks for a session that outlives its connection.
func lasting(p *packets.Packet) {
	p.Connect.Clean = false
	if p.ProtocolVersion == 5 {
		p.Properties.SessionExpiryInterval, p.Properties.SessionExpiryIntervalFlag = 3600, true
	}
}

// gone ends a client's connection without a goodbye, and waits until that is known.
func (c *peer) gone() {
	c.nc.Close()
	synctest.Wait()
}

func TestWhatArrivesWhileAwayIsKept(t *testing.T) {
	for _, version := range []byte{4, 5} {
		runStored(t, func(h *stored) {
			c := h.connect(version, "device", lasting)
			if got := c.subscribe("news/+", 1); got != 1 {
				t.Fatalf("SUBACK %#x", got)
			}
			c.gone()
			pub := h.connect(4, "publisher")
			for id, text := range []string{"one", "two", "three"} {
				pub.publish("news/a", text, 1, uint16(id+1))
				pub.receive(packets.Puback)
			}
			c, present := h.reconnect(version, "device", lasting)
			if !present {
				t.Error("the session is not present")
			}
			for _, want := range []string{"one", "two", "three"} {
				got := c.receive(packets.Publish)
				if string(got.Payload) != want || got.FixedHeader.Dup {
					t.Errorf("got %q, dup %v, want %q", got.Payload, got.FixedHeader.Dup, want)
				}
				c.ack(got.PacketID)
			}
		})
	}
}

package network_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	doors "github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// world is several networks, each of one gateway with a broker and an AMQP door, and the connections between them.
type world struct {
	t    *testing.T
	ctx  context.Context // of the doors
	ends sync.WaitGroup

	mu     sync.Mutex        // guards everything below
	realms map[string]*realm // the test, which alone writes it, reads it without
	apart  bool              // nobody can be reached
	pipes  map[net.Conn]bool
	mute   end // whose words are lost
}

// end is one of the ends of a connection.
type end int

const (
	neither end = iota
	dialler
	dialled
)

// voice is an end of a connection whose words may be lost.
type voice struct {
	net.Conn
	world *world
	end   end
}

// Write implements net.Conn.
func (v voice) Write(b []byte) (int, error) {
	v.world.mu.Lock()
	lost := v.world.mute == v.end
	v.world.mu.Unlock()
	if lost {
		return len(b), nil
	}
	return v.Conn.Write(b)
}

// silence has the words of one end of each connection be lost from now on.
func (w *world) silence(e end) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = e
}

// realm is one of the networks.
type realm struct {
	routertest.Links
	network *network.Network
	door    *doors.Server
	broker  *broker.Broker
	halt    context.CancelFunc
	halted  sync.WaitGroup
}

// among gives a test a world in a bubble of virtual time.
func among(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		w := &world{t: t, ctx: ctx, realms: make(map[string]*realm), pipes: make(map[net.Conn]bool)}
		test(t, w)
		for _, r := range w.realms {
			r.halt()
			r.halted.Wait()
		}
		stop()
		w.cut()
		w.ends.Wait()
		for _, r := range w.realms {
			if err := r.broker.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// found founds a network, with links to others; the name of each connector is that of the network that it leads to.
func (w *world) found(name string, links ...network.FederationLink) *realm {
	w.t.Helper()
	r := w.settle(name, vfs.NewMem(), links...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.realms[name] = r
	return r
}

func (w *world) settle(name string, disk vfs.FS, links ...network.FederationLink) *realm {
	w.t.Helper()
	known := routertest.Define(w.t, "orders", addressing.Queue)
	known.Queue.Dedup.Messages = 10_000
	small := routertest.Define(w.t, "small", addressing.Queue)
	small.Queue.MaxMessages = 5
	user := routertest.User(w.t, "default", known, small, routertest.Define(w.t, "jobs/#", addressing.Queue),
		routertest.Define(w.t, "news/#", addressing.Topic), routertest.Define(w.t, "all", addressing.Topic))
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	federation := network.NewFederation(name, links...)
	store, err := broker.Open(broker.Options{
		Dir: "data", FS: disk, Log: slog.New(slog.DiscardHandler), MinFree: -1, Watcher: federation,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	rt := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Queue: store, addressing.Topic: store})
	r := &realm{
		Links: routertest.Links{T: w.t, Router: rt, User: user}, broker: store,
		door: doors.New(doors.Config{
			Router: rt, Directory: directory, Limits: doors.DefaultLimits(), Log: slog.New(slog.DiscardHandler),
			Driver: transport.NewDriver(transport.Options{}), ContainerID: name, Version: "test",
		}),
	}
	c := network.Config{
		Router: rt, Directory: directory, Driver: transport.NewDriver(transport.Options{}), Federation: federation,
		ContainerID: name, Version: "test", Log: slog.New(slog.DiscardHandler), Dial: w.dial,
	}
	seen := make(map[string]bool)
	for _, l := range links {
		if !seen[l.Connector] {
			c.Connectors = append(c.Connectors, network.Connector{
				Name: l.Connector, Hosts: []string{l.Connector + ":5672"}, Limits: network.DefaultLimits(),
			})
		}
		seen[l.Connector] = true
	}
	r.network = network.New(c)
	var running context.Context
	running, r.halt = context.WithCancel(context.Background())
	r.halted.Go(func() { r.network.Run(running) })
	return r
}

// dial connects to the door of a network.
func (w *world) dial(_ context.Context, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.realms[host]
	if w.apart || r == nil {
		return nil, net.ErrClosed
	}
	near, far := net.Pipe()
	w.pipes[far] = true
	w.ends.Go(func() {
		defer far.Close()
		r.door.ServeConn(w.ctx, voice{far, w, dialled})
	})
	return voice{near, w, dialler}, nil
}

// cut breaks all connections.
func (w *world) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for nc := range w.pipes {
		nc.Close()
	}
	clear(w.pipes)
}

// part breaks all connections until there are to be some again.
func (w *world) part(apart bool) {
	w.mu.Lock()
	w.apart = apart
	w.mu.Unlock()
	w.cut()
}

// later lets time pass, and waits until nothing more happens at that moment.
func (w *world) later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// soon is long enough for connections and links to be made.
const soon = time.Minute

// link declares a link with what tests have in common.
func link(name, to string, kind addressing.Kind, d network.Direction, source string) network.FederationLink {
	f, err := addressing.ParseFilter(source)
	if err != nil {
		panic(err)
	}
	return network.FederationLink{Name: name, Tenant: "default", Connector: to, Kind: kind, Direction: d, Source: f}
}

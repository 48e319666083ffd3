package network

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// broker is somebody else's: it keeps what comes in queues, in memory.
type broker struct {
	limits engine.Limits
	driver *transport.Driver

	mu        sync.Mutex // guards everything below
	away      bool       // nobody answers
	silent    bool       // messages are taken in and not settled
	greedy    bool       // no drain is answered
	verdict   frame.State
	refused   string        // an address
	password  string        // none is for anybody
	tells     amqp.RawValue // properties of its open
	credit    int
	queues    map[string][][]byte
	sent      int // deliveries, also those that came back
	outcomes  []frame.StateKind
	consumers map[*engine.Link]*client
	clients   map[net.Conn]bool
	heard     []*frame.Attach
	dials     int
}

func newBroker() *broker {
	limits := engine.DefaultLimits()
	limits.MaxMessageSize = 64 << 20
	return &broker{
		limits: limits, driver: transport.NewDriver(transport.Options{}), credit: 10,
		verdict: frame.State{Kind: frame.Accepted}, queues: make(map[string][][]byte),
		consumers: make(map[*engine.Link]*client), clients: make(map[net.Conn]bool),
	}
}

// client is a connection as the broker has it.
type client struct {
	*engine.Conn
	broker   *broker
	commands transport.Mailbox[func()]
}

// events is a client as the engine's events find it.
type events struct{ *client }

func (c *client) Flush(dst []byte) []byte {
	for _, f := range c.commands.Take() {
		f()
	}
	return c.Conn.Flush(dst)
}

// serve serves one connection.
func (b *broker) serve(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	var c *client
	b.driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		c = &client{broker: b}
		c.commands.Init(wake)
		mechanisms := []amqp.Symbol{"ANONYMOUS"}
		if b.password != "" {
			mechanisms = []amqp.Symbol{"PLAIN"}
		}
		c.Conn = engine.NewServer(time.Now(), &b.limits, engine.Server{ContainerID: "broker", Mechanisms: mechanisms}, events{c})
		b.set(func() { b.clients[nc] = true })
		return c
	})
	c.Lost()
	b.set(func() { delete(b.clients, nc) })
}

// set changes how the broker is.
func (b *broker) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// cut breaks all connections.
func (b *broker) cut() {
	b.set(func() {
		for nc := range b.clients {
			nc.Close()
		}
	})
}

// put puts messages into a queue.
func (b *broker) put(queue string, bodies ...string) {
	b.set(func() {
		for _, body := range bodies {
			b.queues[queue] = append(b.queues[queue], amqp.AppendData(nil, []byte(body)))
		}
		b.wake()
	})
}

// wake has all consumers looked at. It is called with the lock.
func (b *broker) wake() {
	for l, c := range b.consumers {
		c.commands.Put(func() { events{c}.Sendable(l) })
	}
}

// bodies gives what is in a queue.
func (b *broker) bodies(queue string) (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.queues[queue] {
		m, err := amqp.ParseMessage(p)
		if err != nil {
			return []string{err.Error()}
		}
		payload, _, _ := m.Body().Payload()
		all = append(all, string(payload))
	}
	return all
}

func (c events) Authenticate(a engine.Authentication) {
	if c.broker.password != "" && string(a.Response) != "\x00manifold\x00"+c.broker.password {
		c.Deny(frame.SASLAuth)
		return
	}
	c.Admit(nil)
}
func (c events) Opened(*frame.Open) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.Open(frame.Open{Properties: c.broker.tells})
}
func (c events) Closed(engine.Ending)                {}
func (c events) Begun(*engine.Session)               {}
func (c events) Ended(*engine.Session, *frame.Error) {}
func (c events) Attached(*engine.Link)               {}
func (c events) Drained(*engine.Link)                {}

func (c events) Requested(l *engine.Link) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, l.Remote())
	address := l.Remote().Target.Address
	if l.Role() == frame.Sender {
		address = l.Remote().Source.Address
		b.consumers[l] = c.client
	}
	l.Context = address
	if address == b.refused {
		l.Refuse(&frame.Error{Condition: frame.NotFound, Description: "no such queue"})
		return
	}
	l.Accept(frame.Attach{})
	if l.Role() == frame.Receiver {
		l.Grant(b.credit)
	}
}

func (c events) Detached(l *engine.Link, _ engine.Detachment) {
	c.broker.set(func() { delete(c.broker.consumers, l) })
}

func (c events) Sendable(l *engine.Link) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := l.Context.(string)
	for l.Credit() > 0 && len(b.queues[queue]) > 0 {
		p := b.queues[queue][0]
		b.queues[queue] = b.queues[queue][1:]
		b.sent++
		l.Send(engine.Delivery{Payload: p, Token: p})
	}
	if l.Draining() && !b.greedy {
		l.Drained()
	}
}

func (c events) Received(l *engine.Link, t *engine.Transfer) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := l.Context.(string)
	if b.verdict.Kind == frame.Accepted {
		b.queues[queue] = append(b.queues[queue], append([]byte(nil), t.Payload...))
		b.wake()
	}
	if !b.silent {
		l.Settle(t.ID, b.verdict)
	}
	l.Grant(1)
}

func (c events) Progressed(l *engine.Link, u engine.Update) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	kind := frame.NoState
	if u.State != nil {
		kind = u.State.Kind
	}
	b.outcomes = append(b.outcomes, kind)
	if kind != frame.Accepted && kind != frame.Rejected {
		queue := l.Context.(string)
		b.queues[queue] = append([][]byte{u.Token.([]byte)}, b.queues[queue]...)
		b.wake()
	}
}

// site is a network with brokers, and clients of ours.
type site struct {
	t       *testing.T
	links   routertest.Links
	network *Network
	brokers map[string]*broker // by host:port
	stop    func()
}

// at runs a test within a synctest bubble, with brokers at hosts and a connector to each, but for those in stand-ins.
func at(t *testing.T, test func(*testing.T, *site), hosts ...[]string) {
	synctest.Test(t, func(t *testing.T) {
		big := routertest.Define(t, "big", addressing.Anycast)
		big.MaxMessageSize = 64 << 20
		way := routertest.Define(t, "way", addressing.Anycast)
		way.Egress = WaypointEgress
		spare := routertest.Define(t, "spare", addressing.Anycast)
		spare.Fallback = true
		user := routertest.User(t, "default", routertest.Define(t, "orders", addressing.Anycast), big, way, spare)
		directory, err := tenancy.NewDirectory(user.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: router.NewDirect(router.Limits{}),
		})
		s := &site{t: t, links: routertest.Links{T: t, Router: r, User: user}, brokers: make(map[string]*broker)}
		ctx, stop := context.WithCancel(context.Background())
		var serving sync.WaitGroup
		config := Config{
			Router: r, Directory: directory, Driver: transport.NewDriver(transport.Options{}),
			ContainerID: "here", Version: "test", Log: slog.New(slog.DiscardHandler),
			Dial: func(dialling context.Context, hostPort string) (net.Conn, error) {
				b := s.brokers[hostPort]
				b.mu.Lock()
				defer b.mu.Unlock()
				b.dials++
				if b.away {
					return nil, net.ErrClosed
				}
				near, far := net.Pipe()
				serving.Go(func() { b.serve(ctx, far) })
				return near, nil
			},
		}
		if len(hosts) == 0 {
			hosts = [][]string{{"a:5672"}}
		}
		for _, h := range hosts {
			for _, host := range h {
				s.brokers[host] = newBroker()
			}
			limits := DefaultLimits()
			limits.MaxMessageSize, limits.MaxPartial, limits.IncomingBytes = 64<<20, 1<<20, 1<<18 // far less than a message is kept
			config.Connectors = append(config.Connectors, Connector{Name: h[0][:1], Hosts: h, Limits: limits, Follow: h[0][:1] == "a"})
		}
		s.network = New(config)
		running, halt := context.WithCancel(context.Background())
		var network sync.WaitGroup
		network.Go(func() { s.network.Run(running) })
		s.stop = func() { halt(); network.Wait() }
		defer func() {
			s.stop()
			stop()
			serving.Wait()
		}()
		test(t, s)
	})
}

// out and in are links between an address of ours and a queue of the first broker's.
func out(address, queue string) AutoLink {
	return AutoLink{Tenant: "default", Address: addressing.Address(address), Connector: "a", External: queue}
}

func in(address, queue string) AutoLink {
	l := out(address, queue)
	l.Direction = In
	return l
}

package amqp

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// BenchmarkThroughTheDoor is a message of 256 bytes from a client of an anycast address to another one, and its outcome
// back, without the sockets; the clients' engines are part of it.
func BenchmarkThroughTheDoor(b *testing.B) {
	for name, settled := range map[string]bool{"settled": true, "unsettled": false} {
		b.Run(name, func(b *testing.B) {
			s := benchServer(b)
			from, to := newTalk(b, s), newTalk(b, s)
			out := from.attach(frame.Attach{
				Name: "out", Role: frame.Sender, SenderSettleMode: frame.SendMixed,
				Source: &frame.Source{}, Target: &frame.Target{Address: "commands/x", HasAddress: true},
			})
			in := to.attach(frame.Attach{
				Name: "in", Role: frame.Receiver, SenderSettleMode: frame.SendMixed,
				Source: &frame.Source{Address: "commands/x", HasAddress: true}, Target: &frame.Target{},
			})
			in.Grant(1000)
			to.pump()
			payload := text(string(make([]byte, 256)))
			b.ReportAllocs()
			for b.Loop() {
				from.pump() // with credit
				if err := out.Send(engine.Delivery{Payload: payload, Settled: settled}); err != nil {
					b.Fatal(err)
				}
				from.pump()
				to.pump()
			}
			if from.pump(); to.received != b.N || !settled && from.accepted != b.N {
				b.Errorf("of %d messages %d were received, and %d accepted", b.N, to.received, from.accepted)
			}
		})
	}
}

func benchServer(b *testing.B) *Server {
	b.Helper()
	user := routertest.User(b, "default", routertest.Define(b, "commands/#", addressing.Anycast))
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		b.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	return New(Config{
		Router:    router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Anycast: direct}),
		Directory: directory, Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler),
		Driver: transport.NewDriver(transport.Options{}),
	})
}

// talk is a client's engine and the door's, which hear each other when they are pumped. The client accepts all that comes.
type talk struct {
	client         // for the events that do not count here
	server   *conn // at the door
	engine   *engine.Conn
	now      time.Time // it stands still
	received int
	accepted int
	there    []byte // buffers
	back     []byte
}

func newTalk(b *testing.B, s *Server) *talk {
	b.Helper()
	nc, _ := net.Pipe()
	k := &talk{now: time.Now()}
	k.server = newConn(s, s.newLogin(b.Context(), nc), func() {}, k.now)
	limits := engine.DefaultLimits()
	k.engine = engine.NewClient(k.now, &limits, engine.Client{}, k)
	k.engine.Open(frame.Open{ContainerID: "client"})
	k.pump()
	return k
}

// pump has both sides say all that they have to say.
func (k *talk) pump() {
	for {
		k.there, k.back = k.engine.Flush(k.there[:0]), k.server.Flush(k.back[:0])
		if len(k.there)+len(k.back) == 0 {
			return
		}
		_ = k.server.Feed(k.now, k.there) // what goes wrong shows in what does not come
		_ = k.engine.Feed(k.now, k.back)
	}
}

func (k *talk) attach(a frame.Attach) *engine.Link {
	l := k.engine.Begin().Attach(a)
	l.Context = new(link)
	k.pump()
	return l
}

// Received implements engine.Handler.
func (k *talk) Received(l *engine.Link, t *engine.Transfer) {
	k.received++
	if !t.Settled {
		l.Settle(t.ID, frame.State{Kind: frame.Accepted})
	}
	l.Grant(1)
}

// Progressed implements engine.Handler.
func (k *talk) Progressed(_ *engine.Link, u engine.Update) {
	if u.State != nil && u.State.Kind == frame.Accepted {
		k.accepted++
	}
}

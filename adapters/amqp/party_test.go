package amqp

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

const mebibyte = 1 << 20

// works is a door with an anycast address "bulk" for very large messages, and clients that are driven by hand.
type works struct {
	t       *testing.T
	ctx     context.Context
	server  *Server
	links   routertest.Links
	serving sync.WaitGroup
}

// inWorks runs a test within a synctest bubble: after synctest.Wait all that can happen has happened.
func inWorks(t *testing.T, test func(*testing.T, *works)) {
	synctest.Test(t, func(t *testing.T) {
		bulk := routertest.Define(t, "bulk", addressing.Anycast)
		bulk.MaxMessageSize = 256 * mebibyte
		user := routertest.User(t, "default",
			bulk, routertest.Define(t, "modest", addressing.Anycast), routertest.Define(t, "news", addressing.Broadcast))
		directory, err := tenancy.NewDirectory(user.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		direct := router.NewDirect(router.Limits{})
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct,
		})
		limits := DefaultLimits()
		limits.MaxMessageSize, limits.IncomingBytes = math.MaxInt64, 2*mebibyte
		ctx, stop := context.WithCancel(t.Context())
		w := &works{
			t: t, ctx: ctx,
			links: routertest.Links{T: t, Router: r, User: user},
			server: New(Config{
				Router: r, Directory: directory, Limits: limits, Log: slog.New(slog.DiscardHandler),
				Driver: transport.NewDriver(transport.Options{}), ContainerID: "works", Version: "test",
			}),
		}
		test(t, w)
		stop()
		w.serving.Wait()
	})
}

// party is a client that is driven by hand: an engine to which a test gives commands, and which notes what it hears.
type party struct {
	*engine.Conn
	works    *works
	nc       net.Conn
	commands transport.Mailbox[func()]
	sink     func(*engine.Transfer) // instead of noting what comes

	got      []byte // of the message that comes in
	messages [][]byte
	aborted  int
	states   []frame.StateKind // how what was sent ended
	feed     func(*engine.Link)
}

// ears are a party as its engine's events find it.
type ears struct{ *party }

var (
	_ engine.Handler   = ears{}
	_ transport.Engine = (*party)(nil)
)

// party connects a client, whose limits may be set.
func (w *works) party(settings ...func(*engine.Limits)) *party {
	p := &party{works: w}
	ours, theirs := net.Pipe()
	p.nc = theirs
	w.serving.Go(func() { w.server.ServeConn(w.ctx, ours) })
	w.serving.Go(func() {
		driver := transport.NewDriver(transport.Options{})
		_ = driver.Serve(w.ctx, theirs, func(wake func()) transport.Engine { // it ends with the test
			limits := engine.DefaultLimits()
			limits.IncomingWindow, limits.MaxMessageSize = 8, math.MaxInt64
			for _, set := range settings {
				set(&limits)
			}
			p.commands.Init(wake)
			p.Conn = engine.NewClient(time.Now(), &limits, engine.Client{}, ears{p})
			p.Conn.Open(frame.Open{ContainerID: "party"})
			return p
		})
		p.Lost()
	})
	synctest.Wait()
	return p
}

// do gives a command and waits until nothing more comes of it.
func (p *party) do(command func()) {
	p.commands.Put(command)
	synctest.Wait()
}

// Flush implements transport.Engine.
func (p *party) Flush(dst []byte) []byte {
	for _, command := range p.commands.Take() {
		command()
	}
	return p.Conn.Flush(dst)
}

func (p *party) session() (s *engine.Session) {
	p.do(func() { s = p.Begin() })
	return s
}

// sender attaches a link in a session; an empty address is a relay's.
func (p *party) sender(s *engine.Session, name, address string) (l *engine.Link) {
	p.do(func() {
		l = s.Attach(frame.Attach{Name: name, Role: frame.Sender, SenderSettleMode: frame.SendMixed,
			Source: &frame.Source{}, Target: &frame.Target{Address: address, HasAddress: address != ""}})
	})
	return l
}

// receiver attaches a link that has credit.
func (p *party) receiver(s *engine.Session, name, address string, credit int) (l *engine.Link) {
	p.do(func() {
		l = s.Attach(frame.Attach{Name: name, Role: frame.Receiver,
			Source: &frame.Source{Address: address, HasAddress: true}, Target: &frame.Target{}})
		l.Stream()
		l.Grant(credit)
	})
	return l
}

func (p ears) Authenticate(engine.Authentication)       {}
func (p ears) Opened(*frame.Open)                       {}
func (p ears) Closed(engine.Ending)                     {}
func (p ears) Begun(*engine.Session)                    {}
func (p ears) Ended(*engine.Session, *frame.Error)      {}
func (p ears) Requested(*engine.Link)                   {}
func (p ears) Attached(*engine.Link)                    {}
func (p ears) Detached(*engine.Link, engine.Detachment) {}
func (p ears) Drained(*engine.Link)                     {}

func (p ears) Sendable(l *engine.Link) {
	if p.feed != nil && l.Unwritten() == 0 {
		p.feed(l)
	}
}

func (p ears) Received(l *engine.Link, t *engine.Transfer) {
	switch {
	case p.sink != nil:
		p.sink(t)
	case t.First:
		p.got = bytes.Clone(t.Payload)
	default:
		p.got = append(p.got, t.Payload...)
	}
	switch {
	case t.Aborted:
		p.aborted++
	case t.Last && !t.Settled:
		l.Settle(t.ID, frame.State{Kind: frame.Accepted})
		fallthrough
	case t.Last:
		p.messages = append(p.messages, p.got)
	}
}

func (p ears) Progressed(_ *engine.Link, u engine.Update) {
	if u.Progress == engine.Settled {
		p.states = append(p.states, u.State.Kind)
	}
}

// letter is the encoding of a message of one data section of size bytes; to is where it goes, or "".
func letter(to string, size int) []byte {
	properties := codec.Properties{To: to}
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i >> 8)
	}
	return codec.AppendData(properties.Append(nil), body)
}

// begin sends the first n bytes of a message.
func (p *party) begin(l *engine.Link, message []byte, n int) {
	p.works.t.Helper()
	p.do(func() {
		if err := l.Send(engine.Delivery{Payload: message[:n], More: true}); err != nil {
			p.works.t.Error(err)
		}
	})
}

// goOn sends the bytes of a message from n on.
func (p *party) goOn(l *engine.Link, message []byte, n int) {
	p.works.t.Helper()
	p.do(func() {
		if err := l.Continue(message[n:], false); err != nil {
			p.works.t.Error(err)
		}
	})
}

// arrived checks that these messages have come, and no more.
func (p *party) arrived(want ...[]byte) {
	p.works.t.Helper()
	if len(p.messages) != len(want) {
		p.works.t.Fatalf("%d messages have come, want %d", len(p.messages), len(want))
	}
	for i := range want {
		if !bytes.Equal(p.messages[i], want[i]) {
			p.works.t.Errorf("message %d is not as it was sent", i)
		}
	}
}

// ended checks how the messages that were sent have ended, in that order.
func (p *party) ended(want ...frame.StateKind) {
	p.works.t.Helper()
	if len(p.states) != len(want) {
		p.works.t.Fatalf("messages have ended %v, want %v", p.states, want)
	}
	for i := range want {
		if p.states[i] != want[i] {
			p.works.t.Fatalf("messages have ended %v, want %v", p.states, want)
		}
	}
}

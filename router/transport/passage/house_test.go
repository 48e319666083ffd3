package passage

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
)

// house is two connections of ours, one to a client and one to a broker, along which the links of the client lead on.
type house struct {
	t      *testing.T
	driver *transport.Driver
	limits engine.Limits
	ctx    context.Context
	stop   context.CancelFunc
	all    sync.WaitGroup
	inside *middle // to the broker
	way    Way     // but for the desk
	broker *party
}

// in runs a test within a synctest bubble.
func in(t *testing.T, test func(*house)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		h := &house{t: t, driver: transport.NewDriver(transport.Options{}), limits: engine.DefaultLimits(), ctx: ctx, stop: stop}
		h.limits.IncomingBytes, h.limits.MaxMessageSize = 1<<20, 1<<30
		h.way.Name = "there"
		h.inside, h.broker = h.join(true)
		defer func() {
			stop()
			h.all.Wait()
		}()
		test(h)
	})
}

// client gives a client that has a connection to the house.
func (h *house) client() *party {
	_, p := h.join(false)
	return p
}

// join makes a connection between the house and somebody; to a broker it is the house that connects.
func (h *house) join(toBroker bool) (*middle, *party) {
	ours, theirs := net.Pipe()
	m, p := &middle{house: h}, &party{house: h, nc: theirs, links: make(map[string]*engine.Link)}
	p.credit = 10
	h.serve(ours, func(wake func()) transport.Engine {
		if toBroker {
			m.Conn = engine.NewClient(time.Now(), &h.limits, engine.Client{}, Handler(rooms{m}))
			m.Open(frame.Open{ContainerID: "house"})
		} else {
			m.Conn = engine.NewServer(time.Now(), &h.limits, engine.Server{ContainerID: "house"}, Handler(rooms{m}))
		}
		m.desk, m.wake = NewDesk(m.Conn, wake), wake
		return m
	}, func() { m.Lost(); m.desk.Close() })
	h.serve(theirs, func(wake func()) transport.Engine {
		p.commands.Init(wake)
		if toBroker {
			p.Conn = engine.NewServer(time.Now(), &h.limits, engine.Server{ContainerID: "broker"}, ears{p})
		} else {
			p.Conn = engine.NewClient(time.Now(), &h.limits, engine.Client{}, ears{p})
			p.Open(frame.Open{ContainerID: "client"})
		}
		return p
	}, func() { p.Lost() })
	synctest.Wait()
	return m, p
}

func (h *house) serve(nc net.Conn, make func(func()) transport.Engine, end func()) {
	h.all.Go(func() {
		defer nc.Close()
		_ = h.driver.Serve(h.ctx, nc, make) // it ends with the test
		end()
	})
}

// middle is a connection of the house.
type middle struct {
	*engine.Conn
	house *house
	desk  *Desk
	wake  func()
	away  atomic.Bool // it leaves its mail unread
	pays  atomic.Bool // its clients can afford to go on
}

func (m *middle) Flush(dst []byte) []byte {
	if !m.away.Load() {
		m.desk.Work()
	}
	if m.pays.Load() {
		m.desk.Afford()
	}
	dst = m.Conn.Flush(dst)
	m.desk.Written()
	return dst
}

// rooms is a middle as the engine's events find it, but for routed links.
type rooms struct{ *middle }

func (r rooms) Authenticate(engine.Authentication)       {}
func (r rooms) Opened(*frame.Open)                       { r.Open(frame.Open{}) }
func (r rooms) Closed(engine.Ending)                     {}
func (r rooms) Begun(*engine.Session)                    {}
func (r rooms) Ended(*engine.Session, *frame.Error)      {}
func (r rooms) Attached(*engine.Link)                    {}
func (r rooms) Detached(*engine.Link, engine.Detachment) {}
func (r rooms) Sendable(*engine.Link)                    {}
func (r rooms) Drained(*engine.Link)                     {}
func (r rooms) Received(*engine.Link, *engine.Transfer)  {}
func (r rooms) Progressed(*engine.Link, engine.Update)   {}
func (r rooms) Requested(l *engine.Link) {
	w := r.house.way
	w.Desk = r.house.inside.desk
	r.desk.Pass(l, w)
}

// party is a client or broker that a test drives, and which notes what it hears.
type party struct {
	*engine.Conn
	house    *house
	nc       net.Conn
	commands transport.Mailbox[func()]

	credit  int                     // that a link gets which is asked for; below 0 it is not answered
	answer  frame.Attach            // to such a link
	refuse  *frame.Error            // or why it gets none
	parts   func(*engine.Link) bool // answers a detach itself
	sink    func(*engine.Transfer)  // takes pieces
	deaf    bool                    // does not settle
	settles frame.State             // how it does
	links   map[string]*engine.Link // by name
	begun   int                     // sessions that there are
	heard   []string
	got     []byte
	drained int
}

// ears is a party as the engine's events find it.
type ears struct{ *party }

func (p *party) Flush(dst []byte) []byte {
	for _, f := range p.commands.Take() {
		f()
	}
	return p.Conn.Flush(dst)
}

// do gives a command and waits until nothing more comes of it.
func (p *party) do(f func()) {
	p.commands.Put(f)
	synctest.Wait()
}

// note notes what was heard.
func (p *party) note(format string, args ...any) {
	p.heard = append(p.heard, fmt.Sprintf(format, args...))
}

// hears fails unless that is what was heard since it was last asked.
func (p *party) hears(want ...string) {
	p.house.t.Helper()
	synctest.Wait()
	if !slices.Equal(p.heard, want) {
		p.house.t.Fatalf("heard %q\nwant %q", p.heard, want)
	}
	p.heard = nil
}

// attach attaches a link, in a session of its own.
func (p *party) attach(a frame.Attach) (l *engine.Link) {
	p.do(func() { l = p.Begin().Attach(a) })
	return l
}

func sender(name string) frame.Attach {
	return frame.Attach{Name: name, Role: frame.Sender, SenderSettleMode: frame.SendMixed,
		Source: &frame.Source{}, Target: &frame.Target{Address: "queue", HasAddress: true}}
}

func receiver(name string) frame.Attach {
	return frame.Attach{Name: name, Role: frame.Receiver, SenderSettleMode: frame.SendMixed,
		Source: &frame.Source{Address: "queue", HasAddress: true}, Target: &frame.Target{}}
}

func (p ears) Authenticate(engine.Authentication)  {}
func (p ears) Opened(*frame.Open)                  { p.Open(frame.Open{}) }
func (p ears) Closed(engine.Ending)                {}
func (p ears) Begun(*engine.Session)               { p.begun++ }
func (p ears) Ended(*engine.Session, *frame.Error) { p.begun-- }
func (p ears) Attached(l *engine.Link)             { p.note("attached %s", l.Name()) }
func (p ears) Drained(l *engine.Link)              { p.drained++ }

func (p ears) Requested(l *engine.Link) {
	p.links[l.Name()] = l
	if p.refuse != nil {
		l.Refuse(p.refuse)
		return
	}
	if p.credit < 0 {
		return
	}
	l.Stream()
	l.Accept(p.answer)
	l.Grant(p.credit)
}

func (p ears) Parting(l *engine.Link, d engine.Detachment) bool {
	p.note("detach %s closed=%v %v", l.Name(), d.Closed, d.Error)
	return p.parts != nil && p.parts(l)
}

func (p ears) Detached(l *engine.Link, d engine.Detachment) {
	p.note("detached %s %v closed=%v %v", l.Name(), d.By, d.Closed, d.Error)
}

func (p ears) Sendable(l *engine.Link) {
	if l.Unwritten() == 0 {
		p.note("credit %d drain=%v", l.Credit(), l.Draining())
	}
}

func (p ears) Received(l *engine.Link, t *engine.Transfer) {
	if p.sink != nil {
		p.sink(t)
		return
	}
	if t.First {
		p.got = nil
		state := ""
		if t.State.Kind != frame.NoState {
			state = fmt.Sprintf(" %v %s", t.State.Kind, t.State.TxnID)
		}
		p.note("delivery %s format=%d settled=%v batchable=%v%s", t.Tag, t.Format, t.Settled, t.Batchable, state)
	}
	p.got = append(p.got, t.Payload...)
	if t.Aborted {
		p.note("aborted")
		return
	}
	if t.Last && !p.deaf && !t.Settled {
		l.Settle(t.ID, p.settles)
	}
}

func (p ears) Progressed(l *engine.Link, u engine.Update) {
	state := frame.State{}
	if u.State != nil {
		state = u.State.Clone()
	}
	p.note("%v %v %s%s%v", u.Progress, state.Kind, state.TxnID, bytes.TrimSpace(state.Annotations), state.Error)
}

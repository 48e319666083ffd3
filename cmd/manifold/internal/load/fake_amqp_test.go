package load

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// fakeRouter is the smallest AMQP server that a load run accepts: the receivers of an address get its messages in turn.
// It has one place to make it misbehave.
type fakeRouter struct {
	// fate says how often the n-th message (from 0) is delivered and what its sender hears; nil: once, accepted.
	fate   func(n int) (times int, state frame.StateKind)
	refuse bool // every link

	listener net.Listener
	wg       sync.WaitGroup

	mu        sync.Mutex // guards everything below, and all engines
	peers     []*fakePeer
	receivers map[string][]*engine.Link
	waiting   map[string][]letter
	turn      int
	messages  int
	accepted  int // by receivers
}

// start listens until the test ends.
func (f *fakeRouter) start(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener = ln
	f.receivers, f.waiting = map[string][]*engine.Link{}, map[string][]letter{}
	f.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() { f.serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		f.mu.Lock()
		for _, p := range f.peers {
			p.nc.Close()
		}
		f.mu.Unlock()
		f.wg.Wait()
	})
	return ln.Addr().String()
}

// serve runs one connection.
func (f *fakeRouter) serve(nc net.Conn) {
	defer nc.Close()
	p := &fakePeer{router: f, nc: nc}
	server := engine.Server{ContainerID: "fake", Mechanisms: []amqp.Symbol{"ANONYMOUS", "PLAIN"}}
	p.conn = engine.NewServer(time.Now(), amqpLimits(), server, p)
	f.mu.Lock()
	f.peers = append(f.peers, p)
	f.mu.Unlock()
	buf := make([]byte, 64<<10)
	for {
		n, err := nc.Read(buf)
		f.mu.Lock()
		if err == nil {
			err = p.conn.Feed(time.Now(), buf[:n])
		}
		f.flush()
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// flush writes what the engines have to say; who does not take it is gone.
func (f *fakeRouter) flush() {
	for _, p := range f.peers {
		for out := p.conn.Flush(nil); len(out) > 0; out = p.conn.Flush(nil) {
			_, _ = p.nc.Write(out)
		}
	}
}

// letter is a message that waits for a receiver.
type letter struct {
	payload []byte
	settled bool
}

// forward hands out what waits at an address: to the receivers in turn, as far as they have credit.
func (f *fakeRouter) forward(address string) {
	for len(f.waiting[address]) > 0 {
		var link *engine.Link
		for range f.receivers[address] {
			f.turn++
			if l := f.receivers[address][f.turn%len(f.receivers[address])]; l.Credit() > 0 {
				link = l
				break
			}
		}
		if link == nil {
			return
		}
		next := f.waiting[address][0]
		f.waiting[address] = f.waiting[address][1:]
		_ = link.Send(engine.Delivery{Payload: next.payload, Settled: next.settled})
	}
}

// fakePeer is one connection of a fakeRouter.
type fakePeer struct {
	router *fakeRouter
	nc     net.Conn
	conn   *engine.Conn
}

var _ engine.Handler = (*fakePeer)(nil)

func (p *fakePeer) Authenticate(engine.Authentication)  { p.conn.Admit(nil) }
func (p *fakePeer) Opened(*frame.Open)                  { p.conn.Open(frame.Open{}) }
func (p *fakePeer) Closed(engine.Ending)                {}
func (p *fakePeer) Begun(*engine.Session)               {}
func (p *fakePeer) Ended(*engine.Session, *frame.Error) {}
func (p *fakePeer) Attached(*engine.Link)               {}
func (p *fakePeer) Drained(*engine.Link)                {}
func (p *fakePeer) Detached(l *engine.Link, _ engine.Detachment) {
	for address, links := range p.router.receivers {
		p.router.receivers[address] = slices.DeleteFunc(links, func(r *engine.Link) bool { return r == l })
	}
}

func (p *fakePeer) Sendable(l *engine.Link) {
	if l.Local() != nil {
		p.router.forward(l.Remote().Source.Address)
	}
}

func (p *fakePeer) Requested(l *engine.Link) {
	if p.router.refuse {
		l.Refuse(&frame.Error{Condition: frame.NotAllowed, Description: "not here"})
		return
	}
	l.Accept(frame.Attach{})
	if l.Role() == frame.Receiver {
		const credit = 20
		l.Grant(credit)
		return
	}
	address := l.Remote().Source.Address
	p.router.receivers[address] = append(p.router.receivers[address], l)
}

func (p *fakePeer) Received(l *engine.Link, t *engine.Transfer) {
	times, state, address := 1, frame.Accepted, l.Remote().Target.Address
	if p.router.fate != nil {
		times, state = p.router.fate(p.router.messages)
	}
	p.router.messages++
	for range times {
		p.router.waiting[address] = append(p.router.waiting[address], letter{bytes.Clone(t.Payload), t.Settled})
	}
	p.router.forward(address)
	if !t.Settled {
		l.Settle(t.ID, frame.State{Kind: state})
	}
	l.Grant(1)
}

func (p *fakePeer) Progressed(_ *engine.Link, u engine.Update) {
	if u.Progress == engine.Settled && u.State.Kind == frame.Accepted {
		p.router.accepted++
	}
}

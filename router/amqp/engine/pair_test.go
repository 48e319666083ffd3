package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// TestEverythingSentArrivesOnceAndInOrder has a client's engine talk to a server's over bytes that are cut at random,
// while both owners do what they like: several sessions and links in both directions, messages of many frames,
// streamed, settled and unsettled, aborted, drained, settled late and out of order. Each engine watches that the other
// never goes beyond a window or credit: a violation would end the link, the session or the connection, which fails the
// test.
func TestEverythingSentArrivesOnceAndInOrder(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			p := newPair(t, seed)
			for range 3000 {
				p.step()
			}
			p.finish()
		})
	}
}

// TestEveryDeliveryEndsOnceHoweverTheConnectionEnds stops in the middle: the network is lost, one side closes with an
// error, or sessions and links end one by one.
func TestEveryDeliveryEndsOnceHoweverTheConnectionEnds(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			p := newPair(t, 1000+seed)
			for range 200 + p.random.IntN(500) {
				p.step()
			}
			p.ending = true
			p.interrupt(p.ends[p.random.IntN(2)])
			for !p.quiet() {
				p.carry()
			}
			for _, e := range p.ends {
				e.conn.Lost()
				if !e.closed {
					t.Error("an end is not closed")
				}
				for _, s := range e.senders {
					if n := len(s.ended) + s.settledBy; n != s.next {
						t.Errorf("%s: %d of %d deliveries have ended", s.link.Name(), n, s.next)
					}
				}
			}
		})
	}
}

// interrupt ends things at one end.
func (p *pair) interrupt(e *end) {
	fault := &frame.Error{Condition: frame.InternalError}
	switch p.random.IntN(5) {
	case 0:
		e.conn.Lost()
	case 1:
		e.conn.Close(fault)
	case 2:
		e.conn.Close(nil)
	case 3:
		for _, s := range e.senders {
			s.link.Detach()
		}
		for _, s := range e.sinks {
			s.link.Close(fault)
		}
	default:
		for _, s := range e.senders {
			s.link.Session().End(fault)
		}
	}
}

// pair is two engines with the bytes between them.
type pair struct {
	t      *testing.T
	random *rand.Rand
	now    time.Time
	limits [2]Limits
	ends   [2]*end
	wires  [2][]byte // from ends[i] to the other
	calm   bool      // no delivery is begun any more
	ending bool      // the links are ended on purpose
}

// end is one engine and its owner.
type end struct {
	pair    *pair
	conn    *Conn
	senders []*source
	sinks   []*sink
	closed  bool
}

// source is what a sender's link has sent.
type source struct {
	link      *Link
	sent      [][]byte // all that are to arrive, in order
	open      []byte   // of a streamed delivery so far; nil when none is open
	ended     map[int]Progress
	next      int // token of the next delivery
	settledBy int // tokens that were ended by abort
}

// sink is what a receiver's link has got.
type sink struct {
	link    *Link
	got     [][]byte
	granted int
	piece   []byte
	pending []uint32
	streams bool
	begun   int
}

func newPair(t *testing.T, seed uint64) *pair {
	p := &pair{t: t, random: rand.New(rand.NewPCG(seed, 1)), now: start()}
	for i := range p.limits {
		p.limits[i] = DefaultLimits()
		p.limits[i].MaxFrameSize = uint32(512 + p.random.IntN(2000))
		p.limits[i].IncomingWindow = uint32(2 + p.random.IntN(30))
		p.limits[i].IncomingBytes = 1 + p.random.IntN(40_000)
		p.limits[i].MaxUnsettled = 1 + p.random.IntN(40)
		p.ends[i] = &end{pair: p}
	}
	p.ends[0].conn = NewClient(p.now, &p.limits[0], Client{Mechanisms: []Mechanism{WithPlain("a", "b")}}, p.ends[0])
	p.ends[1].conn = NewServer(p.now, &p.limits[1], Server{ContainerID: "server", Mechanisms: []amqp.Symbol{"PLAIN"}}, p.ends[1])
	for _, e := range p.ends {
		e.conn.initialID = uint32(p.random.IntN(200)) - 100 // near the wrap
	}
	p.ends[0].conn.Open(frame.Open{ContainerID: "client"})
	for !p.quiet() {
		p.carry()
	}
	p.attachAll()
	return p
}

// attachAll has the client begin sessions and attach links in both directions.
func (p *pair) attachAll() {
	for i := range 2 {
		s := p.ends[0].conn.Begin()
		for j := range 1 + p.random.IntN(3) {
			a := frame.Attach{Name: fmt.Sprintf("link-%d-%d", i, j), Role: frame.Role(p.random.IntN(2) == 0),
				SenderSettleMode: frame.SendMixed, ReceiverSettleMode: frame.ReceiverSettleMode(p.random.IntN(2)),
				Source: &frame.Source{Address: "s"}, Target: &frame.Target{Address: "t"},
				InitialDeliveryCount: uint32(p.random.IntN(20)) - 10}
			p.ends[0].own(s.Attach(a))
		}
	}
}

// own notes a link of this end.
func (e *end) own(l *Link) {
	if l.Role() == frame.Sender {
		s := &source{link: l, ended: map[int]Progress{}}
		l.Context = s
		e.senders = append(e.senders, s)
		return
	}
	s := &sink{link: l, streams: e.pair.random.IntN(2) == 0}
	if s.streams {
		l.Stream()
	}
	l.Context = s
	e.sinks = append(e.sinks, s)
}

// carry moves some bytes.
func (p *pair) carry() {
	i := p.random.IntN(2)
	if p.random.IntN(3) > 0 {
		p.wires[i] = p.ends[i].conn.Flush(p.wires[i])
	}
	to := p.ends[1-i].conn
	if to.phase == ended { // nobody reads
		p.wires[i] = nil
	}
	n := min(len(p.wires[i]), p.random.IntN(3000))
	if n == 0 || !to.Ready() {
		return
	}
	piece := bytes.Clone(p.wires[i][:n])
	p.wires[i] = p.wires[i][n:]
	if err := to.Feed(p.now, piece); err != nil {
		p.t.Fatal(err)
	}
	clear(piece)
}

// quiet tells whether nothing is under way.
func (p *pair) quiet() bool {
	for i, e := range p.ends {
		p.wires[i] = e.conn.Flush(p.wires[i])
	}
	return len(p.wires[0])+len(p.wires[1]) == 0
}

func (p *pair) step() {
	p.carry()
	e := p.ends[p.random.IntN(2)]
	switch n := p.random.IntN(13); {
	case n < 5 && len(e.senders) > 0:
		e.senders[p.random.IntN(len(e.senders))].act(p)
	case n < 8 && len(e.sinks) > 0:
		e.sinks[p.random.IntN(len(e.sinks))].settleOne(p)
	case n < 10 && len(e.sinks) > 0:
		s := e.sinks[p.random.IntN(len(e.sinks))]
		k := 1 + p.random.IntN(10)
		s.granted += k
		s.link.Grant(k)
	case n == 10 && len(e.sinks) > 0 && p.random.IntN(10) == 0:
		e.sinks[p.random.IntN(len(e.sinks))].link.Drain()
	case n == 11 && len(e.sinks) > 0:
		s := e.sinks[p.random.IntN(len(e.sinks))]
		if taken := s.link.Take(); taken != nil {
			s.begun++
			s.piece = taken
		}
	case n == 12:
		p.now = p.now.Add(time.Second)
		if err := e.conn.Advance(p.now); err != nil {
			p.t.Fatal(err)
		}
	}
}

// payload begins with the number of the delivery.
func (p *pair) payload(number int) []byte {
	size := 4 + p.random.IntN(100)
	if p.random.IntN(5) == 0 {
		size += p.random.IntN(8000)
	}
	b := bytes.Repeat([]byte{byte(size)}, size)
	binary.BigEndian.PutUint32(b, uint32(number))
	return b
}

// act sends a message, or goes on with a streamed one.
func (s *source) act(p *pair) {
	if s.open != nil {
		s.goOn(p)
		return
	}
	b := p.payload(s.next)
	d := Delivery{Payload: b, Settled: p.random.IntN(2) == 0, More: p.random.IntN(4) == 0, Token: s.next}
	err := s.link.Send(d)
	if err == nil {
		s.next++
		if s.open = nil; d.More {
			s.open = b
			return
		}
		s.sent = append(s.sent, b)
	} else if err != NoCredit && err != NotAttached {
		p.t.Fatal(err)
	}
}

func (s *source) goOn(p *pair) {
	if p.random.IntN(6) == 0 {
		if err := s.link.Abort(); err != nil {
			p.t.Fatal(err)
		}
		s.open = nil
		s.settledBy++
		return
	}
	b := bytes.Repeat([]byte{'+'}, p.random.IntN(3000))
	more := p.random.IntN(3) > 0
	if err := s.link.Continue(b, more); err != nil {
		p.t.Fatal(err)
	}
	s.open = append(bytes.Clone(s.open), b...)
	if !more {
		s.sent = append(s.sent, s.open)
		s.open = nil
	}
}

// settleOne settles one of what has come, in any order.
func (s *sink) settleOne(p *pair) {
	if len(s.pending) == 0 {
		return
	}
	i := p.random.IntN(min(3, len(s.pending)))
	id := s.pending[i]
	s.pending = append(s.pending[:i], s.pending[i+1:]...)
	kinds := []frame.State{{Kind: frame.Accepted}, {Kind: frame.Accepted}, {Kind: frame.Released},
		{Kind: frame.Modified, DeliveryFailed: true}, {Kind: frame.Rejected, Error: &frame.Error{Condition: frame.NotFound}}}
	s.link.Settle(id, kinds[p.random.IntN(len(kinds))]) // false when its sender has aborted it
}

// finish lets all that is sent arrive, ends it all and compares.
func (p *pair) finish() {
	p.calm = true
	for _, e := range p.ends {
		for _, s := range e.senders {
			for s.open != nil {
				s.goOn(p)
			}
		}
	}
	for range 100_000 {
		for _, e := range p.ends {
			for _, s := range e.sinks {
				s.settleOne(p)
			}
		}
		p.carry()
		if p.quiet() && p.settled() {
			break
		}
	}
	p.ending = true
	p.ends[p.random.IntN(2)].conn.Close(nil)
	for !p.quiet() {
		p.carry()
	}
	for i, e := range p.ends {
		if !e.closed || !e.conn.Closed() {
			p.t.Errorf("end %d is not closed", i)
		}
		for _, s := range e.senders {
			p.compare(s)
		}
	}
}

// settled tells whether nothing is left to settle.
func (p *pair) settled() bool {
	for _, e := range p.ends {
		for _, s := range e.sinks {
			if len(s.pending) > 0 {
				return false
			}
		}
		for _, s := range e.senders {
			if s.link.unsettled > 0 || s.link.Unwritten() > 0 || s.link.pieces.len() > 0 {
				return false
			}
		}
	}
	return true
}

// compare checks that what a source has sent is what the sink at the other end of its link has got.
func (p *pair) compare(s *source) {
	var other *sink
	for _, e := range p.ends {
		for _, k := range e.sinks {
			if k.link.Name() == s.link.Name() {
				other = k
			}
		}
	}
	if other == nil {
		p.t.Fatalf("no sink for %s", s.link.Name())
	}
	if len(other.got) != len(s.sent) {
		p.t.Fatalf("%s: %d sent, %d arrived", s.link.Name(), len(s.sent), len(other.got))
	}
	for i := range s.sent {
		if !bytes.Equal(s.sent[i], other.got[i]) {
			p.t.Fatalf("%s: message %d of %d bytes arrived as one of %d", s.link.Name(), i, len(s.sent[i]), len(other.got[i]))
		}
	}
	if len(s.ended)+s.settledBy != s.next {
		p.t.Errorf("%s: %d of %d deliveries have ended", s.link.Name(), len(s.ended)+s.settledBy, s.next)
	}
	if other.begun > other.granted {
		p.t.Errorf("%s: %d deliveries for credit of %d", s.link.Name(), other.begun, other.granted)
	}
}

var _ Handler = (*end)(nil)

func (e *end) Authenticate(Authentication) { e.conn.Admit(nil) }

func (e *end) Opened(*frame.Open) { e.conn.Open(frame.Open{}) }

func (e *end) Closed(why Ending) {
	e.closed = true
	if !e.pair.ending {
		e.pair.t.Fatalf("closed by %v: %v", why.By, why.Error)
	}
}

func (e *end) Begun(*Session) {}

func (e *end) Ended(_ *Session, err *frame.Error) {
	if !e.pair.ending {
		e.pair.t.Fatalf("session ended: %v", err)
	}
}

func (e *end) Requested(l *Link) {
	l.Accept(frame.Attach{InitialDeliveryCount: uint32(e.pair.random.IntN(20)) - 10})
	e.own(l)
}

func (e *end) Attached(*Link) {}

func (e *end) Detached(l *Link, d Detachment) {
	if !e.pair.ending {
		e.pair.t.Fatalf("%s detached by %v: %v", l.Name(), d.By, d.Error)
	}
}

func (e *end) Sendable(l *Link) {
	s := l.Context.(*source)
	if !e.pair.calm && e.pair.random.IntN(2) == 0 {
		s.act(e.pair)
	}
	if l.Draining() {
		l.Drained()
	}
}

func (e *end) Drained(*Link) {}

func (e *end) Received(l *Link, x *Transfer) {
	s := l.Context.(*sink)
	if x.First {
		s.begun++
		s.piece = nil
	}
	if x.Aborted {
		return
	}
	if x.First && !x.Last && e.pair.random.IntN(2) == 0 {
		s.begun--
		l.Gather()
		return
	}
	s.piece = append(s.piece, x.Payload...)
	if !x.Last {
		return
	}
	s.got = append(s.got, s.piece)
	if !x.Settled {
		s.pending = append(s.pending, x.ID)
	}
}

func (e *end) Progressed(l *Link, u Update) {
	if l.Role() == frame.Receiver {
		return
	}
	if u.Progress == Updated {
		if u.State.IsOutcome() && l.Remote().ReceiverSettleMode == frame.ReceiveSecond {
			l.Settle(u.ID, *u.State)
			e.end(l, u.Token.(int), Settled)
		}
		return
	}
	e.end(l, u.Token.(int), u.Progress)
}

// end notes the one end of a delivery.
func (e *end) end(l *Link, token int, how Progress) {
	s := l.Context.(*source)
	if _, twice := s.ended[token]; twice {
		e.pair.t.Fatalf("%s: delivery %d ends twice", l.Name(), token)
	}
	s.ended[token] = how
}

package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// An Update is what became of a delivery.
type Update struct {
	ID       uint32       // delivery-id, for Settle
	Token    any          // as given to Send; nil for a delivery of the peer
	State    *frame.State // what the peer said, borrowed; nil when it said nothing, and its Kind may be NoState
	Progress Progress
}

// Progress is the kind of an Update. Each delivery that Send took ends once: in Written, Settled, Lost or Unsent, or
// because the owner called Settle or Abort.
type Progress uint8

// The kinds of updates.
const (
	// Written is the end of a settled delivery of ours: Flush has appended the last of it. It is reported in that Flush.
	Written Progress = iota
	// Updated is a state that the peer told without settling. A sender whose receiver settles second answers an outcome
	// with Settle.
	Updated
	// Settled is a delivery that the peer has settled, with the state it told; without one, the source's default outcome
	// counts.
	Settled
	// Lost is a delivery of ours that was sent, at least in part, and unsettled when its link ended.
	Lost
	// Unsent is a delivery of ours of which nothing was written when its link ended.
	Unsent
)

var progressNames = [...]string{"written", "updated", "settled", "lost", "unsent"}

// String gives the name for logs.
func (p Progress) String() string { return progressNames[p] }

func (l *Link) progress(u Update) { l.session.conn.handler.Progressed(l, u) }

// verdict is a disposition that waits for the next Flush, so that neighbours with the same state share a frame
// [2.6.12].
type verdict struct {
	active      bool
	role        frame.Role
	settled     bool
	first, last uint32
	state       frame.State // plain
}

// ledger gives where the unsettled deliveries of the link are.
func (l *Link) ledger() *ledger {
	if l.role == frame.Sender {
		return &l.session.outgoing
	}
	return &l.session.incoming
}

// Settle ends a delivery with a state, and tells the peer. On a receiver's link whose deliveries are settled second,
// the peer is told the state, and the delivery ends when the peer has settled it [2.6.12]. It is false when the
// delivery is not open any more.
func (l *Link) Settle(id uint32, state frame.State) bool {
	g := l.ledger()
	e := g.find(id)
	if e == nil || e.link != l || e.answered || !l.attached() {
		return false
	}
	if l.role == frame.Receiver && e.second {
		e.answered = true
		l.session.tell(l.role, id, state, false)
		return true
	}
	g.remove(e)
	l.unsettled--
	l.session.tell(l.role, id, state, true)
	l.relieved()
	return true
}

// Update tells the peer the state of a delivery without settling it. It is false when the delivery is not open any
// more.
func (l *Link) Update(id uint32, state frame.State) bool {
	e := l.ledger().find(id)
	if e == nil || e.link != l || !l.attached() {
		return false
	}
	l.session.tell(l.role, id, state, false)
	return true
}

// relieved goes on where MaxUnsettled was in the way: at once with credit, in the next Flush with what the owner sends.
func (l *Link) relieved() {
	if l.role == frame.Receiver {
		l.regrant()
		return
	}
	bound := l.session.conn.limits.MaxUnsettled
	if room := bound - l.unsettled - l.waiting; l.short && 4*room >= bound {
		l.short = false
		l.session.conn.relieved.push(l)
	}
}

// tell has the peer told of a delivery's state, together with its neighbours if possible.
func (s *Session) tell(role frame.Role, id uint32, state frame.State, settled bool) {
	v := &s.pending
	if v.active && v.role == role && v.settled == settled && state.IsPlain() && v.state.Same(&state) {
		switch id {
		case v.last + 1:
			v.last++
			return
		case v.first - 1:
			v.first--
			return
		}
	}
	s.flushVerdict()
	if state.IsPlain() {
		*v = verdict{active: true, role: role, settled: settled, first: id, last: id, state: state}
		s.touch()
		return
	}
	x := &frame.Disposition{Role: role, First: id, Last: id, Settled: settled, State: state}
	if s.conn.write(s.channel, x) {
		return
	}
	x.State.Annotations = nil
	s.conn.writeFault(s.channel, &x.State.Error, x)
}

// flushVerdict puts the waiting disposition behind the control frames that there are.
func (s *Session) flushVerdict() { s.conn.out = s.appendVerdict(s.conn.out) }

func (s *Session) appendVerdict(dst []byte) []byte {
	v := &s.pending
	if !v.active {
		return dst
	}
	x := frame.Disposition{Role: v.role, First: v.first, Last: v.last, Settled: v.settled, State: v.state}
	*v = verdict{}
	start := len(dst)
	return frame.Finish(x.Append(frame.Start(dst, frame.AMQP, s.channel)), start)
}

// remoteDisposition reads what the peer says of a range of deliveries [2.7.6]. It costs what there is in the range, not
// what the range spans; ids that are settled or were never used are skipped.
func (s *Session) remoteDisposition(x *frame.Disposition) {
	g := &s.outgoing
	if x.Role == frame.Sender {
		g = &s.incoming
	}
	if g.live == 0 {
		return
	}
	span, next := x.Last-x.First, x.First
	if span > maxSpan { // no longer a range in the order of serial numbers
		next = g.entries[0].id
	}
	for left := g.live; left > 0; left-- {
		e := g.from(next)
		if e == nil {
			return
		}
		next = e.id + 1
		if e.id-x.First <= span {
			s.judge(g, e, x)
		} else if span <= maxSpan {
			return
		}
		if !s.alive() {
			return
		}
	}
}

// judge hands what the peer says of one delivery to the owner.
func (s *Session) judge(g *ledger, e *entry, x *frame.Disposition) {
	l := e.link
	u := Update{ID: e.id, Token: e.token, State: &x.State, Progress: Updated}
	if x.Settled {
		u.Progress = Settled
		g.remove(e)
		l.unsettled--
	}
	l.progress(u)
	if x.Settled && s.alive() {
		l.relieved()
	}
}

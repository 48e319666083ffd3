package passage

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
)

// A Desk is the part of a connection that its routed links need. It belongs to the connection's owner, who calls its
// methods; but that a link shall go on along it may be said from elsewhere, and so may what is to happen when it is closed.
type Desk struct {
	Number uint64 // of the connection, for a List; the owner sets it, and Router, before the first link
	Router bool   // another router is at the other end of the connection

	conn   *engine.Conn
	wake   func()
	mail   transport.Mailbox[post]
	closed atomic.Bool

	sessions map[*engine.Session]*mirror // by the session of the peer that asked
	names    map[name]*End               // of links that were asked for elsewhere
	holds    map[*engine.Session]int     // how many ends hold it back
	busy     []*End                      // with something to write
	waiting  []*End                      // for Afford

	mu        sync.Mutex // guards everything below; a leaf
	farewells []func()   // for when the connection is over
}

// post is a letter to an end of this desk.
type post struct {
	to     *End
	letter letter
}

// mirror is a session for the links of a session elsewhere.
type mirror struct {
	session *engine.Session
	ends    []*End
}

// name tells links that were asked for elsewhere apart.
type name struct {
	name string
	role frame.Role // of who asked
}

// NewDesk gives the desk of a connection. wake wakes the owner; it must not block.
func NewDesk(c *engine.Conn, wake func()) *Desk {
	d := &Desk{conn: c, wake: wake}
	d.mail.Init(wake)
	return d
}

// Work reads the mail. It comes before the connection's Flush.
func (d *Desk) Work() {
	for _, p := range d.mail.Take() {
		p.to.unread.Add(-1)
		if !p.to.over {
			p.letter.read(p.to)
		}
	}
}

// Written tells those who wait for it what has been written. It comes after the connection's Flush.
func (d *Desk) Written() {
	if len(d.busy) > 0 {
		d.busy = slices.DeleteFunc(d.busy, (*End).acknowledge)
	}
}

// Close ends what is left when the connection is over, which the engine has told.
func (d *Desk) Close() {
	d.closed.Store(true)
	d.Work()
	d.mu.Lock()
	farewells := d.farewells
	d.farewells = nil
	d.mu.Unlock()
	for _, f := range farewells {
		f()
	}
}

// OnClose has the owner call f, once, when the connection is over. It is false, and f is not called, when it is over already.
// It may be called from any goroutine.
func (d *Desk) OnClose(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return false
	}
	d.farewells = append(d.farewells, f)
	return true
}

// sessionFor gives the session for the links of one elsewhere; nil when the peer allows no more.
func (d *Desk) sessionFor(elsewhere *engine.Session) *mirror {
	m := d.sessions[elsewhere]
	if m == nil {
		s := d.conn.Begin()
		if s == nil {
			return nil
		}
		m = &mirror{session: s}
		if d.sessions == nil {
			d.sessions, d.names = make(map[*engine.Session]*mirror), make(map[name]*End)
		}
		d.sessions[elsewhere] = m
	}
	return m
}

// leave takes a link out of its session, which ends with the last one.
func (d *Desk) leave(e *End) {
	m := d.sessions[e.elsewhere]
	if m == nil {
		return
	}
	m.ends = slices.DeleteFunc(m.ends, func(other *End) bool { return other == e })
	if len(m.ends) == 0 {
		delete(d.sessions, e.elsewhere)
		m.session.End(nil)
	}
}

// hold holds a session back for one end more.
func (d *Desk) hold(s *engine.Session) {
	if d.holds == nil {
		d.holds = make(map[*engine.Session]int)
	}
	d.holds[s]++
}

// release lets a session go on that no end holds back any more.
func (d *Desk) release(s *engine.Session) {
	if d.holds[s]--; d.holds[s] <= 0 {
		delete(d.holds, s)
		s.Resume()
	}
}

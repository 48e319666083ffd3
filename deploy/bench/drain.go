package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

const (
	drainCredit  = 1_000
	drainSilence = time.Minute // after which nothing more is expected to come
)

// drainQueue takes n messages out of a server's queue over AMQP, one receiver accepting each as it comes. It works on our
// engine, as the load driver does, so that the server is what limits the pace.
func drainQueue(ctx context.Context, p *process, queue string, n int) (drained, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.doors[amqp])
	if err != nil {
		return drained{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	clock, err := newStopwatch(n, p.cpu)
	if err != nil {
		return drained{}, err
	}
	d := &drain{queue: queue, clock: clock}
	limits := engine.DefaultLimits()
	limits.IdleTimeout = 0
	d.engine = engine.NewClient(time.Now(), &limits, engine.Client{Mechanisms: []engine.Mechanism{engine.WithAnonymous("")}}, d)
	d.engine.Open(frame.Open{ContainerID: "drain"})
	if err := d.pump(conn); err != nil {
		return drained{}, cmp.Or(context.Cause(ctx), fmt.Errorf("after %d messages: %w", clock.seen, err))
	}
	return clock.drained, clock.fault
}

// drain is the receiver. The engine calls its methods, and everything happens on one goroutine.
type drain struct {
	queue  string
	engine *engine.Conn
	clock  *stopwatch
	closed bool
	fault  error
}

var _ engine.Handler = (*drain)(nil)

// pump moves bytes until the connection is closed in good order, which it is after the last message.
func (d *drain) pump(conn net.Conn) error {
	in, out := make([]byte, 256<<10), []byte(nil)
	for {
		for out = d.engine.Flush(out[:0]); len(out) > 0; out = d.engine.Flush(out[:0]) {
			if _, err := conn.Write(out); err != nil {
				return cmp.Or(d.fault, err)
			}
		}
		if d.closed {
			return d.fault
		}
		if err := conn.SetReadDeadline(time.Now().Add(drainSilence)); err != nil {
			return err
		}
		n, err := conn.Read(in)
		if err == nil {
			err = d.engine.Feed(time.Now(), in[:n])
		}
		if err != nil {
			return cmp.Or(d.fault, err)
		}
	}
}

// Opened implements engine.Handler with all that the receiver asks for.
func (d *drain) Opened(*frame.Open) {
	const name = "drain"
	session := d.engine.Begin()
	if session == nil {
		d.end("allows no session", nil)
		return
	}
	link := session.Attach(frame.Attach{Name: name, Role: frame.Receiver, SenderSettleMode: frame.SendUnsettled,
		Source: &frame.Source{Address: d.queue}, Target: &frame.Target{Address: name}})
	if link == nil {
		d.end("allows no link", nil)
		return
	}
	link.Grant(drainCredit)
}

// Received implements engine.Handler. Messages of this size come in one piece.
func (d *drain) Received(l *engine.Link, t *engine.Transfer) {
	l.Settle(t.ID, frame.State{Kind: frame.Accepted})
	l.Grant(1)
	if d.clock.take(t.Payload) {
		d.engine.Close(nil)
	}
}

// end gives up, for a reason.
func (d *drain) end(what string, e *frame.Error) {
	fault := errors.New("the server " + what)
	if e != nil {
		fault = fmt.Errorf("%w: %s: %s", fault, e.Condition, e.Description)
	}
	d.fault = cmp.Or(d.fault, fault)
	d.engine.Close(nil)
}

// Closed implements engine.Handler.
func (d *drain) Closed(e engine.Ending) {
	if d.closed = true; !d.clock.done() {
		d.end("closed the connection", e.Error)
	}
}

// Ended implements engine.Handler.
func (d *drain) Ended(_ *engine.Session, e *frame.Error) {
	if !d.clock.done() {
		d.end("ended the session", e)
	}
}

// Detached implements engine.Handler.
func (d *drain) Detached(_ *engine.Link, why engine.Detachment) {
	if !d.clock.done() {
		d.end("detached the link", why.Error)
	}
}

// Requested implements engine.Handler; nobody asks a receiver for links.
func (d *drain) Requested(l *engine.Link) { l.Refuse(&frame.Error{Condition: frame.NotAllowed}) }

// Authenticate implements engine.Handler; a client authenticates nobody.
func (d *drain) Authenticate(engine.Authentication) {}

// Begun implements engine.Handler.
func (d *drain) Begun(*engine.Session) {}

// Attached implements engine.Handler.
func (d *drain) Attached(*engine.Link) {}

// Sendable implements engine.Handler.
func (d *drain) Sendable(*engine.Link) {}

// Drained implements engine.Handler.
func (d *drain) Drained(*engine.Link) {}

// Progressed implements engine.Handler.
func (d *drain) Progressed(*engine.Link, engine.Update) {}

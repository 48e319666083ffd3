package engine

import (
	"fmt"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// This file is how a conversation writes down what it hears as a Handler.

func (c *conversation) Authenticate(a Authentication) {
	c.logf("event authenticate %s first=%v response=%s hostname=%s", a.Mechanism, a.First, plain(a.Response), a.Hostname)
}

func (c *conversation) Opened(o *frame.Open) {
	c.logf("event opened container=%s hostname=%q", o.ContainerID, o.Hostname)
}

func (c *conversation) Closed(e Ending) { c.logf("event closed by=%s%s", e.By, faultText(e.Error)) }

func (c *conversation) Begun(s *Session) {
	name := fmt.Sprint(s.channel)
	for given, known := range c.sessions {
		if known == s {
			name = given
		}
	}
	c.sessions[name] = s
	c.logf("event begun session=%s", name)
}

func (c *conversation) Ended(s *Session, e *frame.Error) {
	c.logf("event ended session=%d%s", s.channel, faultText(e))
}

func (c *conversation) Requested(l *Link) {
	c.links[l.Name()] = l
	c.logf("event requested %s role=%s", l.Name(), l.Role())
}

func (c *conversation) Attached(l *Link) { c.logf("event attached %s", l.Name()) }

func (c *conversation) Detached(l *Link, d Detachment) {
	c.logf("event detached %s by=%s closed=%v%s", l.Name(), d.By, d.Closed, faultText(d.Error))
}

func (c *conversation) Sendable(l *Link) {
	c.logf("event sendable %s credit=%d draining=%v", l.Name(), l.Credit(), l.Draining())
}

func (c *conversation) Drained(l *Link) { c.logf("event drained %s", l.Name()) }

// gathers is the Context of a link whose messages are gathered.
const gathers = "gathers"

func (c *conversation) Received(l *Link, x *Transfer) {
	var flags strings.Builder
	for _, f := range []struct {
		set  bool
		name string
	}{{x.Settled, "settled"}, {x.First, "first"}, {x.Last, "last"}, {x.Aborted, "aborted"}, {x.Resume, "resume"}} {
		if f.set {
			flags.WriteString(" " + f.name)
		}
	}
	payload := fmt.Sprintf("(%d bytes)", len(x.Payload))
	if len(x.Payload) <= 40 {
		payload = plain(x.Payload)
	}
	c.logf("event received %s id=%d tag=%s payload=%s%s%s", l.Name(), x.ID, plain(x.Tag), payload, flags.String(),
		stateText(x.State))
	if l.Context == gathers {
		l.Gather()
	}
}

func (c *conversation) Progressed(l *Link, u Update) {
	c.logf("event progressed %s id=%d token=%v %s%s", l.Name(), u.ID, u.Token, u.Progress, stateText(u.State))
}

func faultText(e *frame.Error) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf(" error=%q", e.Error())
}

func stateText(s *frame.State) string {
	if s == nil || s.Kind == frame.NoState {
		return ""
	}
	text := " state=" + s.Kind.String()
	if s.Outcome != frame.NoState {
		text += "/" + s.Outcome.String()
	}
	if s.TxnID != nil {
		text += " txn=" + plain(s.TxnID)
	}
	if s.DeliveryFailed {
		text += " failed"
	}
	return text + faultText(s.Error)
}

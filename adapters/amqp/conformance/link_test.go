package conformance

import (
	"encoding/binary"
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// sender attaches a link to an address, and waits for its first credit.
func (s *session) sender(address string) *link {
	l := s.attach(toward(address))
	l.awaitCredit()
	return l
}

// awaitCredit reads flows until there is credit, and a window.
func (l *link) awaitCredit() {
	for l.credit == 0 || l.remoteWindow == 0 {
		expect[frame.Flow](l.client)
	}
}

// text gives an encoded message.
func text(s string) []byte { return amqp.AppendData(nil, []byte(s)) }

// transfer gives the first transfer of the link's next delivery.
func (l *link) transfer() *frame.Transfer {
	id := l.session.nextDeliveryID
	l.session.nextDeliveryID++
	tag := binary.BigEndian.AppendUint32(nil, l.deliveries)
	l.deliveries++
	l.deliveryCount++
	l.credit--
	return &frame.Transfer{
		Handle: l.handle, DeliveryID: id, HasDeliveryID: true, DeliveryTag: tag, HasMessageFormat: true, HasSettled: true,
	}
}

// piece sends a transfer, which takes an id of the session.
func (l *link) piece(t *frame.Transfer, payload []byte) {
	l.session.nextOutgoingID++
	l.session.remoteWindow--
	l.session.say(t, payload...)
}

// put sends messages and waits until the host has accepted all.
func (l *link) put(messages ...[]byte) {
	for _, m := range messages {
		l.awaitCredit()
		t := l.transfer()
		l.piece(t, m)
		l.accepted(t.DeliveryID)
	}
}

// fill sends messages on a link of its own.
func (s *session) fill(address string, texts ...string) {
	a := toward(address)
	a.Name = fmt.Sprintf("fill with link %d", s.handles)
	l := s.attach(a)
	for _, x := range texts {
		l.put(text(x))
	}
	l.detach(true)
}

// accepted reads the outcome of a delivery, which has to be accepted and settled.
func (l *link) accepted(id uint32) {
	d, _ := expect[frame.Disposition](l.client)
	if d.Role != frame.Receiver || d.First > id || d.Last < id || d.State.Kind != frame.Accepted || !d.Settled {
		l.failf("disposition of %d to %d as %v is %v, settled %v; want %d accepted", d.First, d.Last, d.Role, d.State.Kind,
			d.Settled, id)
	}
}

// receiver attaches a link from an address and gives credit.
func (s *session) receiver(address string, credit uint32) *link {
	l := s.attach(from(address))
	if credit > 0 {
		l.give(credit)
	}
	return l
}

// give sets the link's credit.
func (l *link) give(credit uint32) {
	f := l.linkFlow(credit)
	l.session.say(&f)
}

func (l *link) linkFlow(credit uint32) frame.Flow {
	f := l.session.flow()
	f.Handle, f.HasHandle = l.handle, true
	f.DeliveryCount, f.HasDeliveryCount = l.deliveryCount, true
	f.LinkCredit, f.HasLinkCredit = credit, true
	return f
}

// message is a whole delivery.
type message struct {
	frame.Transfer // its first
	amqp.Message
	frames int
}

func (m message) text() string {
	p, _, _ := m.Body().Payload()
	return string(p)
}

// get reads one message; the host has to have one at once.
func (l *link) get() message {
	var m message
	var b []byte
	for {
		t, r := expect[frame.Transfer](l.client)
		l.session.nextIncomingID++
		l.checkTransfer(t, m)
		l.checkFields(t, m)
		if m.frames++; m.frames == 1 {
			m.Transfer = *t
			m.DeliveryTag = append([]byte(nil), t.DeliveryTag...)
		}
		if b = append(b, r.payload...); !t.More {
			break
		}
	}
	l.deliveryCount++
	parsed, err := amqp.ParseMessage(b)
	if err != nil {
		l.failf("message of %d bytes: %v", len(b), err)
	}
	m.Message = parsed
	return m
}

// checkTransfer knows what the first transfer of a delivery has to have, and that later ones may not differ [2.7.5].
func (l *link) checkTransfer(t *frame.Transfer, m message) {
	switch {
	case t.Handle != l.remote.Handle:
		l.failf("transfer on handle %d, want %d", t.Handle, l.remote.Handle)
	case m.frames == 0 && !t.HasDeliveryID:
		l.failf("the first transfer has no delivery-id")
	case m.frames == 0 && len(t.DeliveryTag) == 0:
		l.failf("the first transfer has no delivery-tag")
	case len(t.DeliveryTag) > frame.MaxTagSize:
		l.failf("delivery-tag of %d bytes", len(t.DeliveryTag))
	case m.frames > 0 && t.HasDeliveryID && t.DeliveryID != m.DeliveryID:
		l.failf("delivery-id changes from %d to %d", m.DeliveryID, t.DeliveryID)
	case t.MessageFormat != 0:
		l.failf("message-format is %d", t.MessageFormat)
	}
}

// checkFields knows what else a transfer has to have, and may not have [2.7.5, 3.4.1].
func (l *link) checkFields(t *frame.Transfer, m message) {
	switch {
	case m.frames == 0 && !t.HasMessageFormat:
		l.slip("the first transfer has no message-format")
	case m.frames > 0 && t.DeliveryTag != nil && string(t.DeliveryTag) != string(m.DeliveryTag):
		l.slip("delivery-tag changes within a delivery")
	case t.State.Kind == frame.Received && !(t.Resume && m.frames == 0):
		l.slip("a transfer has the state received")
	}
}

// expectTexts reads messages, which have to be these.
func (l *link) expectTexts(want ...string) (got []message) {
	for _, w := range want {
		m := l.get()
		if m.text() != w {
			l.failf("message is %q, want %q", m.text(), w)
		}
		got = append(got, m)
	}
	return got
}

// settle settles a range of deliveries with a state.
func (l *link) settle(first, last message, state frame.State) {
	l.session.say(&frame.Disposition{
		Role: frame.Receiver, First: first.DeliveryID, Last: last.DeliveryID, Settled: true, State: state,
	})
}

// drain asks for what is left, and gives how many messages came before the credit was used up.
func (l *link) drain(credit uint32) (n int) {
	f := l.linkFlow(credit)
	f.Drain = true
	l.session.say(&f)
	want := l.deliveryCount + credit
	for {
		r, ok := l.next()
		if !ok {
			l.failf("the connection was closed")
		}
		switch p := r.body.(type) {
		case *frame.Transfer:
			l.session.nextIncomingID++
			if !p.More {
				l.deliveryCount++
				n++
			}
		case *frame.Flow:
			if p.HasHandle && p.Handle == l.remote.Handle && p.DeliveryCount == want && p.LinkCredit == 0 {
				l.deliveryCount = want
				return n
			}
		case *frame.Disposition:
		default:
			l.failf("%v came", r)
		}
	}
}

// detach says detach and reads the answer.
func (l *link) detach(closed bool) *frame.Detach {
	l.session.say(&frame.Detach{Handle: l.handle, Closed: closed})
	d, _ := expect[frame.Detach](l.client)
	if d.Handle != l.remote.Handle || d.Error != nil {
		l.failf("detach is answered with one of handle %d and the error %v", d.Handle, d.Error)
	}
	return d
}

// remains checks that the queue has exactly these messages, by what comes in front of another one, and takes them.
func (s *session) remains(address string, want ...string) {
	const last = "the last one"
	s.fill(address, last)
	a := from(address)
	a.Name = fmt.Sprintf("rest of %s with link %d", address, s.handles)
	l := s.attach(a)
	l.give(uint32(len(want) + 1))
	got := l.expectTexts(append(want, last)...)
	for _, m := range got {
		l.settle(m, m, frame.State{Kind: frame.Accepted})
	}
	l.detach(true)
}

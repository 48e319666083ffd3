package conformance

import (
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// authenticate speaks SASL up to the outcome, which has to be good.
func (c *client) authenticate() {
	c.header(frame.ProtocolSASL)
	expect[frame.SASLMechanisms](c)
	c.send(0, c.login)
	if o, _ := expect[frame.SASLOutcome](c); o.Code != frame.SASLOK {
		c.failf("the outcome of SASL is %d", o.Code)
	}
}

// layer goes up to the AMQP header.
func (c *client) layer() {
	c.authenticate()
	c.header(frame.ProtocolAMQP)
}

// hello is our open.
func hello() *frame.Open {
	return &frame.Open{ContainerID: "conformance", MaxFrameSize: 64 << 10, ChannelMax: 1000}
}

// open goes up to the host's open.
func (c *client) open(o *frame.Open) {
	c.layer()
	c.send(0, o)
	c.opened(o)
}

// opened reads the host's open.
func (c *client) opened(o *frame.Open) {
	c.maxFrame, c.maxChannel = o.MaxFrameSize, o.ChannelMax
	p, r := expect[frame.Open](c)
	if r.channel != 0 {
		c.failf("open came on channel %d", r.channel)
	}
	c.remote = *p
}

// session is a session that we have begun.
type session struct {
	*client
	channel        uint16 // ours
	begin          *frame.Begin
	nextIncomingID uint32
	nextOutgoingID uint32 // of transfers
	nextDeliveryID uint32
	window         uint32           // incoming, as we tell it
	remoteWindow   uint32           // transfers that the host takes
	handles        uint32           // the next of ours
	handleMax      uint32           // of the host's
	senders        map[uint32]*link // by the host's handle
	attached       map[uint32]bool  // handles that the host uses
}

// session opens with the defaults and begins a session.
func (c *client) session() *session {
	c.open(hello())
	return c.begin(0, 1000)
}

// begin begins a session on a channel, with an incoming window.
func (c *client) begin(channel uint16, window uint32) *session {
	return c.beginAs(channel, frame.Begin{IncomingWindow: window, OutgoingWindow: 1000, HandleMax: 1000})
}

// beginAs begins a session on a channel.
func (c *client) beginAs(channel uint16, ours frame.Begin) *session {
	s := &session{
		client: c, channel: channel, window: ours.IncomingWindow, handleMax: ours.HandleMax,
		nextOutgoingID: ours.NextOutgoingID, nextDeliveryID: ours.NextOutgoingID,
		senders: map[uint32]*link{}, attached: map[uint32]bool{},
	}
	c.send(channel, &ours)
	b, r := expect[frame.Begin](c)
	if !b.HasRemoteChannel || b.RemoteChannel != channel {
		c.failf("begin on channel %d is answered with one for channel %d", channel, b.RemoteChannel)
	}
	if r.channel > c.maxChannel {
		c.failf("begin came on channel %d, above our channel-max of %d", r.channel, c.maxChannel)
	}
	s.begin, s.nextIncomingID, s.remoteWindow = b, b.NextOutgoingID, b.IncomingWindow
	c.sessions[r.channel] = s
	return s
}

func (s *session) say(p performative, payload ...byte) {
	s.send(s.channel, p, payload...)
}

// flow gives the fields of a flow that are the session's.
func (s *session) flow() frame.Flow {
	return frame.Flow{
		NextIncomingID: s.nextIncomingID, HasNextIncomingID: true, IncomingWindow: s.window,
		NextOutgoingID: s.nextOutgoingID, OutgoingWindow: 1000,
	}
}

// checkHandle knows which handles the host has attached links to [2.6.2].
func (s *session) checkHandle(r received) {
	handle, uses := uint32(0), true
	switch p := r.body.(type) {
	case *frame.Attach:
		if s.attached[p.Handle] {
			s.failf("attach came with handle %d, which is in use", p.Handle)
		}
		s.attached[p.Handle] = true
		return
	case *frame.Detach:
		defer delete(s.attached, p.Handle)
		handle = p.Handle
	case *frame.Flow:
		handle, uses = p.Handle, p.HasHandle
	case *frame.Transfer:
		handle = p.Handle
	default:
		return
	}
	if uses && !s.attached[handle] {
		s.failf("%v came with handle %d, to which no link is attached", r, handle)
	}
}

// flowed checks a flow of the host [2.7.4], and makes use of it [2.5.6, 2.6.7].
func (s *session) flowed(f *frame.Flow) {
	switch {
	case !f.HasNextIncomingID:
		s.slip("a flow without next-incoming-id came after our begin")
	case !f.HasHandle && saysOfLink(f):
		s.slip("a flow without a handle says something of a link")
	case f.HasHandle && !f.HasDeliveryCount:
		s.slip("a flow of a link that both sides have attached has no delivery-count")
	}
	s.remoteWindow = f.NextIncomingID + f.IncomingWindow - s.nextOutgoingID
	if !f.HasHandle {
		return
	}
	if l := s.senders[f.Handle]; l != nil && f.HasLinkCredit {
		l.credit = f.DeliveryCount + f.LinkCredit - l.deliveryCount
	}
}

// expectEnd reads up to an end with one of these conditions, any for none, and answers it.
func (s *session) expectEnd(conditions ...amqp.Symbol) {
	for {
		r, ok := s.next()
		if !ok {
			s.failf("the connection was closed without a word, want end")
		}
		switch p := r.body.(type) {
		case *frame.End:
			s.checkCondition("end", p.Error, conditions)
			s.say(&frame.End{})
			return
		case *frame.Close:
			s.failf("%v came, want end", r)
		}
	}
}

// link is a link that we have attached.
type link struct {
	*session
	handle        uint32        // ours
	remote        *frame.Attach // the host's
	deliveryCount uint32
	credit        uint32 // of a sender: what the host gave and we have not used
	deliveries    uint32
}

// attach attaches a link and reads the answer, which has to have the termini that were asked for.
func (s *session) attach(a frame.Attach) *link {
	l := s.offer(a)
	l.answered(a)
	if a.Role == frame.Sender && l.remote.Target == nil && a.Target != nil || l.remote.Source == nil {
		s.failf("attach is answered without a terminus")
	}
	return l
}

// offer writes an attach with a handle of its own.
func (s *session) offer(a frame.Attach) *link {
	l := &link{session: s, handle: s.handles, deliveryCount: a.InitialDeliveryCount}
	s.handles++
	a.Handle = l.handle
	a.HasInitialCount = a.Role == frame.Sender
	s.say(&a)
	return l
}

// answered reads the attach that answers.
func (l *link) answered(a frame.Attach) {
	p, _ := expect[frame.Attach](l.client)
	l.take(p, a)
}

// take makes use of the attach that answers.
func (l *link) take(p *frame.Attach, a frame.Attach) {
	if p.Name != a.Name || p.Role == a.Role {
		l.failf("attach of %q as %v is answered with %q as %v", a.Name, a.Role, p.Name, p.Role)
	}
	l.checkAttach(p)
	if l.remote = p; a.Role == frame.Receiver {
		l.deliveryCount = p.InitialDeliveryCount
	} else {
		l.session.senders[p.Handle] = l
	}
}

// saysOfLink tells whether a flow has fields that are a link's.
func saysOfLink(f *frame.Flow) bool {
	return f.HasDeliveryCount || f.HasLinkCredit || f.Available > 0 || f.Drain || f.Properties != nil
}

// checkAttach knows what an answer may say [2.7.3, 3.5.3, 3.5.4].
func (l *link) checkAttach(p *frame.Attach) {
	if p.Handle > l.handleMax {
		l.failf("attach came with handle %d, above our handle-max of %d", p.Handle, l.handleMax)
	}
	if p.Role == frame.Sender && !p.HasInitialCount {
		l.slip("the sender's attach has no initial-delivery-count")
	}
	if p.Role == frame.Sender && p.Source != nil {
		l.checkSource(p.Source)
	}
	if unsettled, ok := p.Unsettled.Map(); ok {
		for tag := range unsettled.All() {
			if _, ok := tag.Binary(); !ok {
				l.slip("the unsettled map has a key that is no delivery-tag")
			}
		}
	}
}

// checkSource knows what the host may say of a source of its own [3.5.3].
func (l *link) checkSource(s *frame.Source) {
	switch {
	case s.Dynamic && s.Address == "":
		l.slip("a source that was made has no address")
	case !s.Dynamic && s.DynamicNodeProperties != nil:
		l.slip("a source that was not made has dynamic-node-properties")
	case s.DefaultOutcome.Kind != frame.NoState && !s.DefaultOutcome.IsOutcome():
		l.slip("the default-outcome is none of the outcomes")
	}
	filters, _ := s.Filter.Map()
	for _, filter := range filters.All() {
		if _, _, ok := filter.Described(); !ok && filter.Code() != amqp.CodeNull {
			l.slip("a filter is not a described type")
		}
	}
}

// source and target give a terminus with an address.
func source(address string) *frame.Source { return &frame.Source{Address: address, HasAddress: true} }
func target(address string) *frame.Target { return &frame.Target{Address: address, HasAddress: true} }

// toward gives the attach of a link that sends to an address.
func toward(address string) frame.Attach {
	return frame.Attach{
		Name: "to " + address, Role: frame.Sender, SenderSettleMode: frame.SendMixed,
		Source: source("here"), Target: target(address),
	}
}

// from gives the attach of a link that receives from an address.
func from(address string) frame.Attach {
	return frame.Attach{
		Name: "from " + address, Role: frame.Receiver, SenderSettleMode: frame.SendMixed,
		Source: source(address), Target: target("here"),
	}
}

// barrier returns once the host has answered something that was said after all else; what it sends meanwhile is
// counted: transfers and dispositions.
func (s *session) barrier() (transfers, dispositions int) {
	s.barriers++
	a := toward(s.host.newQueue())
	a.Name = fmt.Sprintf("barrier %d", s.barriers)
	s.offer(a)
	for {
		r, ok := s.next()
		if !ok {
			s.failf("the connection was closed")
		}
		switch p := r.body.(type) {
		case *frame.Attach:
			if p.Name == a.Name {
				return transfers, dispositions
			}
		case *frame.Transfer:
			transfers++
			s.nextIncomingID++
		case *frame.Disposition:
			dispositions++
		case *frame.Flow:
		default:
			s.failf("%v came", r)
		}
	}
}

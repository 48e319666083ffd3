package mqtt

import (
	"context"
	"slices"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// subscription is what a client has asked for with one topic filter, or $share/group/filter.
type subscription struct {
	options options
	filter  addressing.Filter // of addresses
	rule    *rewrite.Rule     // by which it was renamed; nil if it was not
	stored  bool              // there is a durable subscription for what it takes from topics
	resumes bool              // its session goes on: it was there before
	system  bool              // it is for the topics below $SYS
	inlets  []*inlet
}

// options are what a client may choose for a subscription [3.8.3.1].
type options struct {
	Group       string   `json:"group,omitempty"` // the share name; empty without one
	Topic       string   `json:"topic"`           // the filter, without the share
	QoS         byte     `json:"qos"`
	NoLocal     bool     `json:"noLocal,omitempty"`
	AsPublished bool     `json:"asPublished,omitempty"`
	IDs         []uint32 `json:"ids,omitempty"` // the Subscription Identifier, or none

	// The rule by which the topic was renamed; empty if it was not.
	Match string `json:"match,omitempty"`
	To    string `json:"to,omitempty"`
}

func optionsOf(f session.Filter, id uint32) options {
	o := options{
		Group: string(f.Group), Topic: string(f.Topic), QoS: f.QoS, NoLocal: f.NoLocal, AsPublished: f.RetainAsPublished,
	}
	if o.Group != "" { // another member gets what this one leaves, which QoS 2 forbids [MQTT-4.8.2-5]
		o.QoS = min(o.QoS, 1)
	}
	if id != 0 {
		o.IDs = []uint32{id}
	}
	return o
}

// text is the filter as a client writes it.
func (o *options) text() string {
	if o.Group == "" {
		return o.Topic
	}
	return "$share/" + o.Group + "/" + o.Topic
}

// inlet is a link that brings messages for a subscription. One with wildcards may have several: a durable subscription
// keeps what is published to topics, and only those.
type inlet struct {
	client       *client
	subscription *subscription
	link         *router.Receiver
	owed         int  // credit to give back at the end of Flush
	ended        bool // what still arrives is given back
	kept         bool // by a durable subscription of this client alone, so that it has what the client was sent
	replays      bool // it brings the retained messages that the subscription begins with, and nothing else
}

var _ router.Consumer = (*inlet)(nil)

// Deliver implements router.Consumer.
func (in *inlet) Deliver(_ *router.Receiver, d router.Delivery) { in.client.mail.arrive(in, d) }

// own tells whether the messages are this client's and nobody else's, so that they wait for it.
func (in *inlet) own() bool { return in.kept || !in.competes() }

// competes tells whether somebody else gets a message that this client gives back.
func (in *inlet) competes() bool {
	kind := in.link.Kind()
	return kind == addressing.Queue || kind == addressing.Anycast || in.subscription.options.Group != ""
}

// open links a subscription to where its messages come from: at least one of its sources must be there. With retained, it
// begins with the retained messages.
func (s *subscription) open(c *client, retained bool) error {
	var missing error
	before := len(s.inlets)
	for _, source := range s.sources(c, retained) {
		err := s.link(c, source)
		if router.ReasonOf(err) == router.NotFound {
			missing = err
		} else if err != nil {
			s.close()
			return err
		}
	}
	if len(s.inlets) == 0 {
		return missing
	}
	for _, in := range s.inlets[before:] {
		in.link.Grant(c.credit(in))
	}
	if s.stored && retained {
		s.replay(c)
	}
	return nil
}

// link adds an inlet, as yet without credit.
func (s *subscription) link(c *client, source router.Source) (err error) {
	in := &inlet{client: c, subscription: s, kept: source.Subscription != "" && !source.Shared}
	if in.link, err = c.server.config.Router.Receiver(context.Background(), c.user, source, in); err != nil {
		return err
	}
	s.inlets = append(s.inlets, in)
	return nil
}

// sources are what the subscription takes from and is not linked to yet.
func (s *subscription) sources(c *client, retained bool) []router.Source {
	plain := router.Source{Filter: s.filter}
	if s.options.NoLocal {
		plain.Except = c.origin
	}
	shared := s.options.Group != ""
	if !s.stored && !shared {
		plain.Retained = retained
		return []router.Source{plain}
	}
	var all []router.Source
	if len(s.inlets) == 0 { // else it was kept open while the client was away
		topics := plain
		topics.Kind = addressing.Topic
		topics.Subscription, topics.Shared, topics.Volatile = c.nameOf(s), shared, !s.stored
		topics.Resumes = s.resumes
		all = append(all, topics)
	}
	for _, kind := range []addressing.Kind{addressing.Queue, addressing.Anycast, addressing.Broadcast} {
		if shared && kind == addressing.Broadcast {
			continue // each message goes to everybody: it cannot be shared
		}
		plain.Kind = kind
		all = append(all, plain)
	}
	return all
}

// replay begins a stored subscription with the retained messages of the topics that it selects.
func (s *subscription) replay(c *client) {
	source := router.Source{Filter: s.filter, Kind: addressing.Topic, Kept: true}
	if s.options.NoLocal {
		source.Except = c.origin
	}
	in := &inlet{client: c, subscription: s, replays: true}
	var err error
	if in.link, err = c.server.config.Router.Receiver(context.Background(), c.user, source, in); err != nil {
		return // it takes from no topics
	}
	s.inlets = append(s.inlets, in)
	in.grant(c.server.config.Limits.SubscriptionCredit)
}

// grant gives credit.
func (in *inlet) grant(n int) {
	in.link.Grant(n)
	in.endReplay()
}

// endReplay closes an inlet that replays and is at its end, as it is when credit is left for which nothing comes.
func (in *inlet) endReplay() {
	if in.replays && in.link.HasCredit() && !in.link.Pending() {
		in.link.Close()
	}
}

// end closes one of the inlets.
func (s *subscription) end(in *inlet) {
	in.ended = true
	in.link.Close()
	s.inlets = slices.DeleteFunc(s.inlets, func(other *inlet) bool { return other == in })
}

// close closes the inlets.
func (s *subscription) close() {
	for _, in := range s.inlets {
		in.ended = true
		in.link.Close()
	}
	s.inlets = nil
}

// nameOf is the name of the subscription of topics that stands behind one of this client. One that a rule renames has a
// name of its own, as another one may be of the same addresses.
func (c *client) nameOf(s *subscription) string {
	if s.options.Group != "" {
		return "$share/" + s.options.Group
	}
	if s.rule != nil {
		return "$mqtt/" + c.key.id + " " + s.rule.Match()
	}
	return "$mqtt/" + c.key.id
}

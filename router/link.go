package router

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/selector"
	"github.com/manifoldmq/manifold/tenancy"
)

// Producer is a door's side of its senders. Its methods are called with locks held; see the package's promises.
type Producer interface {
	// Settled tells how a delivery ended that was sent with this tag.
	Settled(s *Sender, tag uint64, o Outcome)
	// Credit tells that n more messages are welcome. A door whose protocol can hold its peer back passes it on; one
	// that cannot bounds what it has unsettled and stops reading. A message sent beyond credit is not lost or refused
	// for that, it only has no room promised.
	Credit(s *Sender, n int)
}

// Withdrawer is a Producer whose peer can be asked for credit that it has not used.
type Withdrawer interface {
	// Withdraw tells that nobody is there any more for what the sender sends. What its peer gives back goes to
	// Sender.TakeBack, later. It is called with locks held, as the others are.
	Withdraw(s *Sender)
}

// Consumer is a door's side of its receivers. Deliver is called with locks held; see the package's promises. The
// consumer owns the delivery and settles it.
type Consumer interface {
	Deliver(r *Receiver, d Delivery)
}

// Target says where a sender sends to.
type Target struct {
	Address  addressing.Address
	Kind     addressing.Kind // when not zero, the address must be of this kind
	Origin   any             // whose messages these are, for Source.Except; nil for its producer's
	Phase    *uint8          // of an anycast address, where the messages come in; nil for the first
	Name     string          // what its client calls the link, for those who list links; may be empty
	Window   int             // messages that may be unsettled at once; 0 is Limits.LinkCredit
	Returned bool            // it comes from the fallback of the address, and does not go there again
	Lingers  bool            // what it has sent and nobody has taken yet stays when it leaves, of an address that stores nothing
	Unpaced  bool            // the client cannot be held back: what it sends too fast for its tenant's plan is rejected

	Undeclared *addressing.Definition // what the address is if none is declared for it; nil refuses it then
}

// Source says what a receiver takes from.
type Source struct {
	Filter       addressing.Filter
	Kind         addressing.Kind // when not zero, the addresses must be of this kind
	Phase        *uint8          // of an anycast address, which messages it takes; nil for those that are for consumers
	Name         string          // what its client calls the link, for those who list links; may be empty
	Subscription string          // the name of a subscription that keeps what it has not delivered, on topics only; empty for none
	Shared       bool            // the subscription may have several consumers, who compete
	Volatile     bool            // the subscription ends with its last consumer or with the process, and is not on disk
	Retained     bool            // on topics, begin with the retained messages that match
	Kept         bool            // of topics, the retained messages that match and nothing else; see Revocable
	Except       any             // from topics and broadcast, leave out what is of this Target.Origin; nil for nobody

	Streams  bool               // it takes a message of an anycast address while that still comes in
	Resumes  bool               // the client was told before that the subscription is there: it need not be in reach at once
	Lent     bool               // on behalf of another router: of what is stored here for the network, and nothing else
	Selector *selector.Selector // only the messages that it matches; nil for all
	Browse   bool               // on a queue: read what is there, in order, and take nothing
	Priority int                // on a queue: who has a higher one is served first, as long as it has credit

	Undeclared *addressing.Definition // what a literal address is if none is declared for it; nil refuses it then

	Via        federation.Path // the networks on whose behalf another one receives; empty for a client of ours
	Identified bool            // what is stored and has no message-id says by an annotation what its queue calls it
}

// Wants is for nodes that give a message to many: it tells whether who takes from this source is to be one of them.
func (s *Source) Wants(d Delivery) bool {
	if s.Except != nil && d.isBy(s.Except) {
		return false
	}
	return s.Selector.Matches(d.Message)
}

// Sender is a link into one address. Its methods may be called from any goroutine; to keep messages in order, one
// goroutine sends.
type Sender struct {
	listed
	target   Target
	def      *addressing.Definition
	node     Node
	producer Producer
	watcher  SenderWatcher // who was told of it; nil for nobody
	counts   *KindCounters
	rank     rank
	author   string // what it writes into Delivery.Author
	maxSize  int
	window   int
	tenant   string
	protocol string
	tracer   Tracer // nil for none

	streamBuffer int
	streamMemory *pieces
	streamed     atomic.Pointer[Stream] // the latest; nil before the first
	granted      atomic.Int64           // credit, all in all
	redirected   atomic.Uint64          // messages that the fallback has got
}

// Address is where the sender sends to.
func (s *Sender) Address() addressing.Address { return s.target.Address }

// Kind is the kind of its address.
func (s *Sender) Kind() addressing.Kind { return s.def.Kind }

// Definition is the name that its address is declared with: its own, or a pattern that covers it.
func (s *Sender) Definition() addressing.Filter { return s.def.Name }

// Tenant is the name of the tenant that it sends in.
func (s *Sender) Tenant() string { return s.tenant }

// Protocol is what its client speaks; see Router.Through.
func (s *Sender) Protocol() string { return s.protocol }

// MaxMessageSize is the greatest encoded message that it takes, in bytes.
func (s *Sender) MaxMessageSize() int {
	if most := s.principal.Allowance().Most(tenancy.MaxMessageSize); most > 0 {
		return int(min(most, int64(s.maxSize)))
	}
	return s.maxSize
}

const tooLarge = "the message is larger than the address's maxMessageSize"

// Send hands over a message: its Message, Expires, Due, Settled, Retain and Route fields are read, the rest is the
// router's. The producer hears the outcome once under tag, possibly before Send returns.
func (s *Sender) Send(tag uint64, d Delivery) {
	if d, ok := s.own(tag, d); ok {
		s.node.Offer(d)
	}
}

// own gives a delivery as this sender's. It is false for one that is too large, which has its outcome then.
func (s *Sender) own(tag uint64, d Delivery) (Delivery, bool) {
	size := d.Message.Len()
	d.To, d.origin, d.tag = s.target.Address, s, tag
	s.sign(&d)
	if s.def.Home == addressing.Here { // from where it is stored it sets out anew
		d.Route = nil
	}
	if s.tracer != nil {
		d = s.follow(d)
	}
	s.began(&d)
	if size > s.maxSize {
		d.Settle(Reject(TooLarge, tooLarge))
		return d, false
	}
	if err := s.permit(size); err != nil {
		d.Settle(Reject(ReasonOf(err), err.Error()))
		return d, false
	}
	return d, true
}

// permit counts a message for what the tenant may use, or tells why it may not be sent.
func (s *Sender) permit(size int) error {
	allowance := s.principal.Allowance()
	if err := allowance.Fits(tenancy.MaxMessageSize, int64(size)); err != nil {
		return err
	}
	if s.target.Unpaced {
		if err := allowance.MaySend(); err != nil {
			return err
		}
	}
	s.principal.Sent(size)
	return nil
}

// SendWith is Send with a record that the message's store keeps besides it: both are on disk, or neither is. What a record
// is only the store knows. It is false, and nothing is done, for an address that stores nothing.
func (s *Sender) SendWith(tag uint64, d Delivery, record any) bool {
	stored, ok := s.node.(Stored)
	if !ok {
		return false
	}
	if d, ok := s.own(tag, d); ok {
		stored.Transactor().Commit(Work{Offers: []Offer{{s.node, d}}, Records: []any{record}}, func(error) {})
	}
	return true
}

// Settle implements Settler: nodes end through it what this sender sent.
func (s *Sender) Settle(tag uint64, o Outcome, done func(error)) {
	s.counts.outcome(o)
	s.producer.Settled(s, tag, o)
	s.welcome(1)
	if done != nil {
		done(nil)
	}
}

// Grant is for nodes: it welcomes a sender that joined with its first window of credit. From then on each settlement
// gives one back.
func (s *Sender) Grant() { s.welcome(s.window) }

// welcome gives credit.
func (s *Sender) welcome(n int) {
	s.granted.Add(int64(n))
	s.producer.Credit(s, n)
}

// began counts a message that is sent, and notes when that is.
func (s *Sender) began(d *Delivery) {
	d.began = s.Begin()
	s.sent(d)
}

// sent counts a message that is sent.
func (s *Sender) sent(d *Delivery) {
	if s.granted.Load() <= int64(s.delivered.Add(1)) {
		s.usedUp()
	}
	s.counts.sent(&s.listed, s.protocol, d.Settled)
	if d.Settled {
		s.presettled.Add(1)
	}
}

// ended counts how a message ended that was sent. One that was settled has no outcome that anybody waits for.
func (s *Sender) ended(d *Delivery, o Outcome) {
	now := s.house.now()
	if i, late := delayOf(s.ages.end(d.began, now)); late {
		s.counts.delayed[i].Add(1)
	}
	switch {
	case !d.Settled:
		s.listed.ended[o.State].Add(1)
	case o.State != Accepted:
		s.missed.Add(1)
	}
}

// TakeBack notes that the peer has given back n credits after Withdrawer.Withdraw: they are granted again when somebody is there.
func (s *Sender) TakeBack(n int) {
	if node, ok := s.node.(Returner); ok && n > 0 {
		s.granted.Add(-int64(n))
		node.TakeBack(s, n)
	}
}

// Close unlinks the sender.
func (s *Sender) Close() {
	s.left()
	s.node.Leave(s)
	s.delist()
}

// Receiver is a link out of the addresses that its filter selects.
type Receiver struct {
	listed
	source   Source
	kind     addressing.Kind
	phase    uint8 // of an anycast address
	nodes    []Node
	consumer Consumer
	way      Way     // the consumer, if it is one; nil otherwise
	watcher  Watcher // who was told of it; nil for nobody
	counts   *KindCounters
	credit   atomic.Int64
	retired  atomic.Bool // a way that leads on for nothing any more

	pacing pacing

	stream   atomic.Pointer[Stream] // the latest that it was given
	tenant   string
	protocol string
	tracer   Tracer // nil for none
	followed holdings
}

// Source is what the receiver takes from.
func (r *Receiver) Source() Source { return r.source }

// Kind is the kind of the addresses it takes from; zero when a wildcard spans several kinds.
func (r *Receiver) Kind() addressing.Kind { return r.kind }

// Tenant is the name of the tenant that it receives in.
func (r *Receiver) Tenant() string { return r.tenant }

// Protocol is what its client speaks; see Router.Through.
func (r *Receiver) Protocol() string { return r.protocol }

// Grant gives credit for n more deliveries. Nothing is delivered without. Where the tenant's plan says how much may be
// delivered in a second, the node gets some of it later.
func (r *Receiver) Grant(n int) {
	if n > 0 {
		r.give(r.pacing.pass(r, n))
	}
}

// Retry is for a Way that leads on for other messages than before: the nodes hand out what has waited for that, and release
// what waits for nobody any more.
func (r *Receiver) Retry() {
	for _, node := range r.nodes {
		if n, ok := node.(Rerouter); ok {
			n.Reroute(r)
		}
		node.Grant(r)
	}
}

// give gives credit to the nodes.
func (r *Receiver) give(n int) {
	if n <= 0 || r.credit.Add(int64(n)) <= 0 {
		return
	}
	for _, node := range r.nodes {
		node.Grant(r)
	}
}

// attach links the receiver to each of its nodes, or to none.
func (r *Receiver) attach() error {
	for i, n := range r.nodes {
		if err := n.Attach(r); err != nil {
			for _, done := range r.nodes[:i] {
				done.Detach(r)
			}
			return err
		}
	}
	return nil
}

// Pending tells whether a node has a message for the receiver's credit that it has not handed out yet. When it is false,
// credit that is left will only be used by messages still to be sent.
func (r *Receiver) Pending() bool {
	return (r.HasCredit() || r.pacing.holds()) && slices.ContainsFunc(r.nodes, func(n Node) bool { return n.Pending(r) })
}

// closedCredit is so far below zero that no sum of grants lifts it.
const closedCredit = math.MinInt64 / 2

// Close unlinks the receiver. After it returns nothing more is delivered, but for a call of Deliver that was already
// under way in another goroutine; what was delivered and not settled comes back to its node.
func (r *Receiver) Close() {
	r.credit.Store(closedCredit)
	r.went()
	r.pacing.end()
	for _, node := range r.nodes {
		node.Detach(r)
	}
	r.delist()
	r.followed.end()
}

// Take is for nodes: it uses up one credit, or tells that there is none.
func (r *Receiver) Take() bool {
	for {
		c := r.credit.Load()
		if c <= 0 {
			return false
		}
		if r.credit.CompareAndSwap(c, c-1) {
			if c == 1 {
				r.usedUp()
			}
			return true
		}
	}
}

// TakeBack takes one credit back that was granted and is not used. It is false when there is none.
func (r *Receiver) TakeBack() bool { return r.pacing.takeBack() || r.Take() }

// Credit is for nodes: how much is left that was granted.
func (r *Receiver) Credit() int { return int(max(r.credit.Load(), 0)) }

// HasCredit is for nodes that choose among receivers before they Take.
func (r *Receiver) HasCredit() bool { return r.credit.Load() > 0 }

// Wants is for nodes that give a message to many: it tells whether this receiver is to be one of them.
func (r *Receiver) Wants(d Delivery) bool { return r.source.Wants(d) && r.leads(d) }

// Streaming is for nodes: it tells whether the receiver is in the middle of a stream, so that another one would wait.
func (r *Receiver) Streaming() bool {
	s := r.stream.Load()
	return s != nil && !s.over()
}

// Deliver is for nodes: after a successful Take it hands the delivery to the door.
func (r *Receiver) Deliver(d Delivery) {
	r.delivers(&d)
	r.consumer.Deliver(r, d)
}

// deliverAfter is Deliver for a message of a sender that may have streamed: a way is told the latest of its streams.
func (r *Receiver) deliverAfter(leader *Stream, d Delivery) {
	r.delivers(&d)
	if r.way != nil {
		r.way.DeliverAfter(leader, r, d)
	} else {
		r.consumer.Deliver(r, d)
	}
}

// delivers counts a delivery, which may be followed from now on.
func (r *Receiver) delivers(d *Delivery) {
	r.counts.received(&r.listed)
	r.delivered.Add(1)
	r.principal.Received(d.Message.Len())
	r.pacing.delivered(r)
	if !d.Owned() {
		r.presettled.Add(1)
	}
	if r.tracer != nil {
		*d = r.follow(*d)
	}
	if d.Stream != nil {
		d.Stream.to = r.principal
		r.stream.Store(d.Stream)
	}
}

// Drop is for nodes: it counts a message that the receiver missed for want of credit where none waits for it.
func (r *Receiver) Drop() {
	r.counts.dropped.Add(1)
	r.missed.Add(1)
}

package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/register"
)

// Limits bound what links may ask of the router. The zero value of a field means its default.
type Limits struct {
	MaxMessageSize int // bytes of one encoded message, where the address sets none; default 1 MiB
	MaxWaiting     int // bytes of messages that wait at the addresses of one anycast definition, or in one temporary queue; default 64 MiB
	LinkCredit     int // messages that a sender may have unsettled before it waits; default 1000
	StreamBuffer   int // bytes of a message that wait for a slower consumer while it streams; default 256 KiB

	MaxTransactionOperations int // sends and settlements of one transaction; default 10,000
	MaxTransactionSize       int // bytes of the messages that one transaction sends; default 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.MaxMessageSize == 0 {
		l.MaxMessageSize = 1 << 20
	}
	if l.MaxWaiting == 0 {
		l.MaxWaiting = 64 << 20
	}
	if l.LinkCredit == 0 {
		l.LinkCredit = 1000
	}
	if l.StreamBuffer == 0 {
		l.StreamBuffer = 256 << 10
	}
	if l.MaxTransactionOperations == 0 {
		l.MaxTransactionOperations = 10_000
	}
	if l.MaxTransactionSize == 0 {
		l.MaxTransactionSize = 64 << 20
	}
	return l
}

// Router makes links. It knows no protocol but by name, and stores nothing.
type Router struct {
	*house
	protocol   string
	containers bool
}

// house is what a router is over all protocols.
type house struct {
	limits        Limits
	tracer        Tracer        // nil for none
	watcher       Watcher       // nil for nobody
	senderWatcher SenderWatcher // likewise
	waits         func(func())  // see Aside; nil for at once
	resolvers     map[addressing.Kind]Resolver
	services      map[addressing.Address]service
	below         map[string]Node  // by prefix; see ServeBelow
	pieces        pieces           // for all streams
	numbers       register.Numbers // of links
	clock         atomic.Uint32    // see Advance

	temporaryNames names

	mu          sync.Mutex // guards everything below; a leaf
	counters    map[string]*Counters
	temporaries map[addressKey]*temporary
	defined     map[string]*tenancy.Tenant // by name; see Define
}

// New gives a router that finds nodes through one resolver per kind of address.
func New(limits Limits, resolvers map[addressing.Kind]Resolver) *Router {
	r := &Router{house: &house{
		limits:      limits.withDefaults(),
		resolvers:   resolvers,
		services:    make(map[addressing.Address]service),
		counters:    make(map[string]*Counters),
		temporaries: make(map[addressKey]*temporary),
		defined:     make(map[string]*tenancy.Tenant),

		temporaryNames: usualNames,
	}}
	r.Advance(0)
	return r
}

// Through gives the same router for the door of a protocol, such as "mqtt", whose name its links have.
func (r *Router) Through(protocol string) *Router {
	return &Router{house: r.house, protocol: protocol, containers: r.containers}
}

// ForContainers gives the same router for links of brokers, whose messages are counted apart.
func (r *Router) ForContainers() *Router {
	return &Router{house: r.house, protocol: r.protocol, containers: true}
}

// Define has links that are made from now on, also by those who came before, find the addresses of t in place of those
// that its tenant had. Links that exist stay what they are.
func (r *Router) Define(t *tenancy.Tenant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.defined[t.Name] = t
}

// current gives a tenant as it is defined now.
func (r *Router) current(t *tenancy.Tenant) *tenancy.Tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.defined[t.Name]; ok {
		return now
	}
	return t
}

// Counters gives a tenant's counters; they live as long as the router.
func (r *Router) Counters(tenant string) *Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counters[tenant]
	if c == nil {
		c = new(Counters)
		r.counters[tenant] = c
	}
	return c
}

// Sender links p to an address for sending. The error is a *Error with reason NotFound, Denied, Conflict or what the
// node says.
func (r *Router) Sender(ctx context.Context, p *tenancy.Principal, target Target, producer Producer) (*Sender, error) {
	a := target.Address
	if !r.may(p, tenancy.Send, a.Filter()) {
		return nil, Errorf(Denied, "not allowed to send to %s", a)
	}
	def, err := r.defineOr(p.Tenant, a, target.Kind, target.Undeclared)
	if err != nil {
		return nil, err
	}
	if target.Phase == nil {
		target.Phase = new(uint8)
	}
	if *target.Phase == addressing.Fallback && def.Kind != addressing.Anycast {
		return nil, Errorf(NotFound, "%s has no fallback: only an anycast address may have one", a)
	}
	if target.Origin == nil {
		target.Origin = producer
	}
	if err := claim(p, a.Filter()); err != nil {
		return nil, err
	}
	for {
		s, err := r.sender(ctx, p, target, def, producer)
		switch {
		case err == nil:
			s.enlist(r, s)
			r.joined(s)
			return s, nil
		case !errors.Is(err, ErrEnded):
			waive(p)
			return nil, err
		}
	}
}

// sender links a sender to the node of a definition.
func (r *Router) sender(
	ctx context.Context, p *tenancy.Principal, target Target, def *addressing.Definition, producer Producer,
) (*Sender, error) {
	a := target.Address
	node, err := r.resolve(ctx, p.Tenant, def, Source{
		Filter: a.Filter(), Kind: target.Kind, Phase: target.Phase, Undeclared: target.Undeclared,
	})
	if err != nil {
		return nil, fmt.Errorf("sender to %s: %w", a, err)
	}
	s := &Sender{
		target: target, def: def, node: node, producer: producer, listed: r.listed(p),
		tenant: p.Tenant.Name, protocol: r.protocol, tracer: r.tracer,
		counts:  r.Counters(p.Tenant.Name).Kind(def.Kind),
		rank:    rankOf(&target, def),
		author:  authorOf(target, def),
		maxSize: r.limits.MaxMessageSize,
		window:  p.Allowance().Window(cmp.Or(target.Window, r.limits.LinkCredit)),

		streamBuffer: r.limits.StreamBuffer,
		streamMemory: &r.pieces,
	}
	if def.MaxMessageSize > 0 {
		s.maxSize = int(def.MaxMessageSize)
	}
	_, s.passes = producer.(Passage)
	s.dry.Store(uint32(s.house.now()))
	if err := node.Join(s); err != nil {
		return nil, fmt.Errorf("sender to %s: %w", a, err)
	}
	return s, nil
}

// Receiver links p to the addresses of a filter for receiving. A literal filter takes from that one address. A filter
// with wildcards takes from every topic and broadcast address that it overlaps; it competes for the messages of an
// anycast address only when it lies wholly within that definition, so that a curious "#" steals no commands; and it
// never takes from queues. When the call returns without an error the route is live, as yet without credit. The error
// is a *Error with reason NotFound, Denied, Conflict, Unsupported or what the node says.
func (r *Router) Receiver(ctx context.Context, p *tenancy.Principal, source Source, consumer Consumer) (*Receiver, error) {
	right := tenancy.Receive
	if source.Browse {
		right = tenancy.Browse
	}
	if !r.may(p, right, source.Filter) {
		return nil, Errorf(Denied, "not allowed to %s from %s", right, source.Filter)
	}
	_, way := consumer.(Way)
	defs, err := r.sources(p.Tenant, source, way)
	if err != nil {
		return nil, err
	}
	if err := claim(p, source.Filter); err != nil {
		return nil, err
	}
	for {
		rcv, err := r.receiver(ctx, p, source, defs, consumer)
		switch {
		case err == nil:
			rcv.enlist(r, rcv)
			r.came(rcv, defs)
			return rcv, nil
		case !errors.Is(err, ErrEnded):
			waive(p)
			return nil, err
		}
	}
}

// receiver links a receiver to the nodes of definitions.
func (r *Router) receiver(
	ctx context.Context, p *tenancy.Principal, source Source, defs []*addressing.Definition, consumer Consumer,
) (*Receiver, error) {
	rcv := &Receiver{
		listed: r.listed(p), source: source, kind: defs[0].Kind, consumer: consumer,
		tenant: p.Tenant.Name, protocol: r.protocol, tracer: r.tracer,
	}
	if rcv.phase = defs[0].ConsumerPhase(); source.Phase != nil {
		rcv.phase = *source.Phase
	}
	rcv.way, _ = consumer.(Way)
	_, outpost := consumer.(Outpost)
	rcv.passes = rcv.way != nil && !outpost
	rcv.dry.Store(uint32(rcv.house.now()))
	for _, def := range defs {
		nodes, err := r.nodes(ctx, p.Tenant, def, source)
		if err != nil {
			return nil, fmt.Errorf("receiver from %s: %w", source.Filter, err)
		}
		for _, node := range nodes {
			if !slices.Contains(rcv.nodes, node) {
				rcv.nodes = append(rcv.nodes, node)
			}
		}
		if def.Kind != rcv.kind {
			rcv.kind = 0
		}
	}
	rcv.source.Streams = source.Streams && rcv.kind == addressing.Anycast
	rcv.counts = r.Counters(p.Tenant.Name).Kind(rcv.kind)
	if err := r.aside(rcv.attach); err != nil {
		return nil, fmt.Errorf("receiver from %s: %w", source.Filter, err)
	}
	return rcv, nil
}

// nodes finds those that a receiver takes from of a definition: several for one of the fallback, which gets what nobody wants that is
// sent, and what nobody wants that has come through others, and for one that begins with what is kept elsewhere.
func (r *Router) nodes(ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source Source) ([]Node, error) {
	node, err := r.resolve(ctx, t, def, source)
	if p, ok := r.resolvers[def.Kind].(Prologue); ok && err == nil && source.Retained {
		if begin := p.Prologue(def, source); begin != nil {
			return []Node{node, begin}, nil
		}
	}
	if err != nil || !source.isFallback() || def.Egress == 0 {
		return []Node{node}, err
	}
	source.Phase = &def.Egress
	last, err := r.resolve(ctx, t, def, source)
	return []Node{node, last}, err
}

// Forget ends the durable subscription that source names and drops what it keeps. It needs the right to receive from its
// filter. The error is a *Error with reason NotFound, Denied, Conflict (it has a consumer) or what the store says.
func (r *Router) Forget(ctx context.Context, p *tenancy.Principal, source Source) error {
	if !p.May(tenancy.Receive, source.Filter) {
		return Errorf(Denied, "not allowed to receive from %s", source.Filter)
	}
	resolver, ok := r.resolvers[addressing.Topic]
	if !ok || source.Subscription == "" {
		return Errorf(NotFound, "no such subscription")
	}
	return r.aside(func() error { return resolver.Forget(ctx, p.Tenant, source) })
}

// Subscriptions gives the durable subscriptions of p's tenant that have the name that wanted says, each of another filter, as
// far as p has the right to receive from it. If wanted has a filter, it is only that one. With an error, which is a *Error,
// those are missing that other routers have which are out of reach.
func (r *Router) Subscriptions(ctx context.Context, p *tenancy.Principal, wanted Source) (found []Source, err error) {
	resolver, ok := r.resolvers[addressing.Topic]
	if !ok || wanted.Subscription == "" {
		return nil, nil
	}
	err = r.aside(func() (err error) {
		found, err = resolver.Subscriptions(ctx, r.current(p.Tenant), wanted)
		return err
	})
	return slices.DeleteFunc(found, func(s Source) bool {
		return !p.May(tenancy.Receive, s.Filter) || !wanted.Filter.IsZero() && s.Filter != wanted.Filter
	}), err
}

// KindOf gives the kind of an address in p's tenant; AnyKind if none is declared.
func (r *Router) KindOf(p *tenancy.Principal, a addressing.Address) addressing.Kind {
	def, err := r.define(p.Tenant, a, addressing.AnyKind)
	if err != nil {
		return addressing.AnyKind
	}
	return def.Kind
}

// sources finds the definitions that a receiver, or a way, takes from: at least one, or an error.
func (r *Router) sources(t *tenancy.Tenant, source Source, way bool) ([]*addressing.Definition, error) {
	f := source.Filter
	var defs []*addressing.Definition
	if a, literal := f.Literal(); literal {
		def, err := r.defineOr(t, a, source.Kind, source.Undeclared)
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	} else {
		for def := range r.current(t).Addresses.Overlapping(f) {
			if (way || spans(f, def)) && (source.Kind == 0 || source.Kind == def.Kind) {
				defs = append(defs, def)
			}
		}
	}
	if source.Lent {
		defs = slices.DeleteFunc(defs, func(def *addressing.Definition) bool { return def.Home != addressing.Here })
	}
	if way {
		defs = slices.DeleteFunc(defs, func(def *addressing.Definition) bool { return !leadsFrom(source, def) })
	}
	if len(defs) == 0 {
		return nil, Errorf(NotFound, "no address that %s may select is declared", f)
	}
	if source.isFallback() && slices.ContainsFunc(defs, notAnycast) {
		return nil, Errorf(Unsupported, "%s: only an anycast address has a fallback", f)
	}
	if !utf8.ValidString(source.Subscription) {
		return nil, Errorf(Malformed, "the name of a subscription is not UTF-8")
	}
	if source.Subscription != "" && slices.ContainsFunc(defs, notTopic) {
		return nil, Errorf(Unsupported, "%s: only a topic has subscriptions", f)
	}
	return defs, nil
}

func notAnycast(def *addressing.Definition) bool { return def.Kind != addressing.Anycast }

func notTopic(def *addressing.Definition) bool { return def.Kind != addressing.Topic }

// spans tells whether a filter with wildcards takes from the addresses of def.
func spans(f addressing.Filter, def *addressing.Definition) bool {
	switch def.Kind {
	case addressing.Topic, addressing.Broadcast:
		return true
	case addressing.Anycast:
		return f.Within(def.Name)
	default:
		return false
	}
}

// define finds the definition of an address, which is of the kind wanted if that is not zero. A temporary address is of
// whatever kind its maker calls it: there is no other.
func (r *Router) define(t *tenancy.Tenant, a addressing.Address, want addressing.Kind) (*addressing.Definition, error) {
	if made, ok := r.temporary(t.Name, a); ok {
		return made.def, nil
	}
	if s, ok := r.service(a); ok {
		return s.def, nil
	}
	def, ok := r.current(t).Addresses.Lookup(a)
	if !ok || def.Unavailable {
		return nil, Errorf(NotFound, "no address is declared for %s", a)
	}
	if want != 0 && def.Kind != want {
		return nil, Errorf(NotFound, "%s is declared with kind %s, not %s", a, def.Kind, want)
	}
	return def, nil
}

// defineOr is define for a network, which knows what the address is where none is declared for it: one that is stored for
// this router alone is none for it.
func (r *Router) defineOr(
	t *tenancy.Tenant, a addressing.Address, want addressing.Kind, undeclared *addressing.Definition,
) (*addressing.Definition, error) {
	def, err := r.define(t, a, want)
	if undeclared == nil || err == nil && !def.Confined() {
		return def, err
	}
	if _, declared := r.current(t).Addresses.Lookup(a); declared && err != nil {
		return nil, err
	}
	return undeclared, nil
}

func (r *Router) resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source Source,
) (Node, error) {
	if a, literal := source.Filter.Literal(); literal {
		if made, ok := r.temporary(t.Name, a); ok {
			return made.node, nil
		}
		if s, ok := r.service(a); ok {
			return s.node, nil
		}
	}
	resolver, ok := r.resolvers[def.Kind]
	if !ok {
		return nil, Errorf(Unsupported, "addresses of kind %s are not offered here", def.Kind)
	}
	return resolver.Resolve(ctx, r.current(t), def, source)
}

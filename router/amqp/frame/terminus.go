package frame

import "github.com/manifoldmq/manifold/router/amqp"

// Durability says what of a terminus survives a restart [3.5.5].
type Durability uint32

// The kinds of durability.
const (
	NotDurable           Durability = 0
	DurableConfiguration Durability = 1
	DurableUnsettled     Durability = 2
)

// When a terminus begins to expire [3.5.6]. The empty symbol means ExpireSessionEnd.
const (
	ExpireLinkDetach      amqp.Symbol = "link-detach"
	ExpireSessionEnd      amqp.Symbol = "session-end"
	ExpireConnectionClose amqp.Symbol = "connection-close"
	ExpireNever           amqp.Symbol = "never"
)

// How a source hands out messages [3.5.7].
const (
	DistributionMove amqp.Symbol = "move"
	DistributionCopy amqp.Symbol = "copy"
)

// Source is where a link takes its messages from [3.5.3].
type Source struct {
	Address               string
	HasAddress            bool // an address is given; an empty one is one too
	Durable               Durability
	ExpiryPolicy          amqp.Symbol
	Timeout               uint32        // seconds that the source is kept after it began to expire
	Dynamic               bool          // asks for a node, or says that it was made
	DynamicNodeProperties amqp.RawValue // map with symbol keys
	DistributionMode      amqp.Symbol
	Filter                amqp.RawValue // map of symbols to described values [3.5.8]
	DefaultOutcome        State
	Outcomes              []amqp.Symbol
	Capabilities          []amqp.Symbol
}

// Append appends the source, or null for nil.
func (s *Source) Append(dst []byte) []byte {
	if s == nil {
		return amqp.AppendNull(dst)
	}
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSource))
	putAddress(&f, s.Address, s.HasAddress)
	putUint(&f, uint32(s.Durable), 0)
	f.SymbolOrNull(s.ExpiryPolicy)
	putUint(&f, s.Timeout, 0)
	f.BoolOrNull(s.Dynamic)
	putRaw(&f, s.DynamicNodeProperties)
	f.SymbolOrNull(s.DistributionMode)
	putRaw(&f, s.Filter)
	f.Put(s.DefaultOutcome.Append(f.Buffer()))
	f.Symbols(s.Outcomes...)
	f.Symbols(s.Capabilities...)
	return f.End()
}

// Target is where a link brings its messages to [3.5.4].
type Target struct {
	Address               string
	HasAddress            bool // an address is given; without one, and not dynamic, it is the anonymous terminus
	Durable               Durability
	ExpiryPolicy          amqp.Symbol
	Timeout               uint32        // seconds that the target is kept after it began to expire
	Dynamic               bool          // asks for a node, or says that it was made
	DynamicNodeProperties amqp.RawValue // map with symbol keys
	Capabilities          []amqp.Symbol
}

// Append appends the target, or null for nil.
func (t *Target) Append(dst []byte) []byte {
	if t == nil {
		return amqp.AppendNull(dst)
	}
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorTarget))
	putAddress(&f, t.Address, t.HasAddress)
	putUint(&f, uint32(t.Durable), 0)
	f.SymbolOrNull(t.ExpiryPolicy)
	putUint(&f, t.Timeout, 0)
	f.BoolOrNull(t.Dynamic)
	putRaw(&f, t.DynamicNodeProperties)
	f.Symbols(t.Capabilities...)
	return f.End()
}

// Coordinator is the target of a link that declares and discharges transactions [4.5.1].
type Coordinator struct{ Capabilities []amqp.Symbol }

// Append appends the coordinator.
func (c *Coordinator) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorCoordinator))
	f.Symbols(c.Capabilities...)
	return f.End()
}

func putAddress(f *amqp.ListWriter, address string, has bool) {
	if has || address != "" {
		f.String(address)
		return
	}
	f.Null()
}

// source reads a source, nil when it is left out.
func (f *fields) source() *Source {
	if !f.list.Next() {
		return nil
	}
	expect(f.d, amqp.DescriptorSource, "source")
	g, s := readFields(f.d, "source"), &Source{}
	s.Address, s.HasAddress = g.address()
	s.Durable = g.durability()
	s.ExpiryPolicy = g.expiryPolicy()
	s.Timeout = g.uint(0)
	s.Dynamic = g.bool()
	s.DynamicNodeProperties = g.fieldMap()
	s.DistributionMode = g.symbol()
	s.Filter = g.fieldMap()
	g.state(&s.DefaultOutcome)
	s.Outcomes = g.symbols()
	s.Capabilities = g.symbols()
	g.list.End()
	return s
}

// target reads a target or a coordinator, nil when it is left out.
func (f *fields) target() (*Target, *Coordinator) {
	if !f.list.Next() {
		return nil, nil
	}
	switch f.d.ReadDescriptor() {
	case amqp.DescriptorTarget:
	case amqp.DescriptorCoordinator:
		g := readFields(f.d, "coordinator")
		c := &Coordinator{Capabilities: g.symbols()}
		g.list.End()
		return nil, c
	default:
		f.d.Fail("want target or coordinator, found another described value")
		return nil, nil
	}
	g, t := readFields(f.d, "target"), &Target{}
	t.Address, t.HasAddress = g.address()
	t.Durable = g.durability()
	t.ExpiryPolicy = g.expiryPolicy()
	t.Timeout = g.uint(0)
	t.Dynamic = g.bool()
	t.DynamicNodeProperties = g.fieldMap()
	t.Capabilities = g.symbols()
	g.list.End()
	return t, nil
}

// address reads an address, which has to be a string here [3.5.3].
func (f *fields) address() (address string, has bool) {
	if f.list.Next() {
		return f.d.ReadString(), true
	}
	return "", false
}

func (f *fields) durability() Durability {
	v := f.uint(0)
	if v > uint32(DurableUnsettled) {
		f.fail("has an unknown durability")
		return NotDurable
	}
	return Durability(v)
}

func (f *fields) expiryPolicy() amqp.Symbol {
	v := f.symbol()
	switch v {
	case "", ExpireLinkDetach, ExpireSessionEnd, ExpireConnectionClose, ExpireNever:
	default:
		f.fail("has an unknown expiry policy")
	}
	return v
}

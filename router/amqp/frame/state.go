package frame

import (
	"bytes"

	"github.com/manifoldmq/manifold/router/amqp"
)

// StateKind names a delivery state.
type StateKind uint8

// The delivery states [3.4], and those of transactions [4.5].
const (
	NoState       StateKind = iota
	Received                // so much of it has arrived; not an end [3.4.1]
	Accepted                // [3.4.2]
	Rejected                // [3.4.3]
	Released                // [3.4.4]
	Modified                // [3.4.5]
	Declared                // a transaction was declared [4.5.5]
	Transactional           // part of a transaction [4.5.6]
	Extended                // of somebody's own: the standard leaves room for more [2.8.13]; not an end
)

var stateNames = [...]string{
	"none", "received", "accepted", "rejected", "released", "modified", "declared", "transactional-state", "extended",
}

// String gives the state's name as AMQP writes it.
func (k StateKind) String() string { return stateNames[k] }

// State is the state of a delivery. A transactional state carries, in Outcome and the fields after it, what the state
// will be when the transaction commits.
type State struct {
	Kind              StateKind
	Outcome           StateKind     // of Transactional: Accepted, Rejected, Released, Modified or NoState
	DeliveryFailed    bool          // of Modified
	UndeliverableHere bool          // of Modified
	SectionNumber     uint32        // of Received
	SectionOffset     uint64        // of Received
	Error             *Error        // of Rejected; may be nil
	Annotations       amqp.RawValue // of Modified: map with symbol keys
	TxnID             []byte        // of Declared and Transactional
	Extension         amqp.RawValue // of Extended: all of it, with its descriptor
}

// IsPlain tells whether the state is its kind and flags and nothing else, so that equal states can share a disposition.
func (s *State) IsPlain() bool {
	return s.Error == nil && s.Annotations == nil && s.TxnID == nil && s.Kind != Received && s.Kind != Extended
}

// Same tells whether two plain states are equal.
func (s *State) Same(t *State) bool {
	return s.Kind == t.Kind && s.Outcome == t.Outcome && s.DeliveryFailed == t.DeliveryFailed &&
		s.UndeliverableHere == t.UndeliverableHere
}

// IsOutcome tells whether the state ends a delivery [3.4].
func (s *State) IsOutcome() bool { return s.Kind >= Accepted && s.Kind <= Declared }

// Clone gives a copy that shares nothing with the input that s was read from.
func (s *State) Clone() State {
	c := *s
	c.Annotations = bytes.Clone(s.Annotations)
	c.TxnID = bytes.Clone(s.TxnID)
	c.Extension = bytes.Clone(s.Extension)
	if s.Error != nil {
		e := *s.Error
		e.Info = bytes.Clone(e.Info)
		c.Error = &e
	}
	return c
}

// Append appends the state, or null for the zero State.
func (s *State) Append(dst []byte) []byte {
	switch s.Kind {
	case NoState:
		return amqp.AppendNull(dst)
	case Received:
		f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorReceived))
		f.Uint(s.SectionNumber)
		f.Ulong(s.SectionOffset)
		return f.End()
	case Declared:
		f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorDeclared))
		f.Binary(s.TxnID)
		return f.End()
	case Transactional:
		f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorTransactionalState))
		f.Binary(s.TxnID)
		f.Put(s.appendOutcome(f.Buffer(), s.Outcome))
		return f.End()
	case Extended:
		return append(dst, s.Extension...)
	default:
		return s.appendOutcome(dst, s.Kind)
	}
}

// appendOutcome appends what ends a delivery outside of a transaction, or null.
func (s *State) appendOutcome(dst []byte, kind StateKind) []byte {
	var f amqp.ListWriter
	switch kind {
	case Accepted:
		f = amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorAccepted))
	case Released:
		f = amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorReleased))
	case Rejected:
		f = amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorRejected))
		f.Put(s.Error.Append(f.Buffer()))
	case Modified:
		f = amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorModified))
		f.BoolOrNull(s.DeliveryFailed)
		f.BoolOrNull(s.UndeliverableHere)
		putRaw(&f, s.Annotations)
	default:
		return amqp.AppendNull(dst)
	}
	return f.End()
}

// Read reads the state with its descriptor.
func (s *State) Read(d *amqp.Decoder) error {
	*s = State{}
	s.read(d)
	return d.Err()
}

// read reads the state into the zero State; mistakes are the decoder's to keep.
func (s *State) read(d *amqp.Decoder) {
	before := *d
	descriptor := d.ReadDescriptor()
	if kind := outcomeOf(descriptor); kind != NoState {
		s.readOutcome(d, kind)
		return
	}
	switch descriptor {
	case amqp.DescriptorReceived:
		f := readFields(d, "received")
		s.Kind = Received
		s.SectionNumber = f.mustUint("section-number")
		if f.must("section-offset") {
			s.SectionOffset = d.ReadUlong()
		}
		f.list.End()
	case amqp.DescriptorDeclared:
		f := readFields(d, "declared")
		s.Kind = Declared
		s.TxnID = f.mustBinary("txn-id")
		f.list.End()
	case amqp.DescriptorTransactionalState:
		s.readTransactional(d)
	default:
		if d.Err() == nil && descriptor <= lastReserved {
			d.Fail("delivery state is unknown")
		}
		if d.Err() == nil {
			*d = before
			s.Kind, s.Extension = Extended, d.ReadRaw()
		}
	}
}

// lastReserved is the highest descriptor that the standard uses for itself [1.5]: another's state has a higher one.
const lastReserved = 0xff

// outcomeOf gives the outcome with a descriptor, or NoState.
func outcomeOf(descriptor uint64) StateKind {
	switch descriptor {
	case amqp.DescriptorAccepted:
		return Accepted
	case amqp.DescriptorReleased:
		return Released
	case amqp.DescriptorRejected:
		return Rejected
	case amqp.DescriptorModified:
		return Modified
	}
	return NoState
}

// readOutcome reads the list of an outcome whose descriptor has been read.
func (s *State) readOutcome(d *amqp.Decoder, kind StateKind) {
	f := readFields(d, stateNames[kind])
	s.Kind = kind
	switch kind {
	case Rejected:
		s.Error = f.error()
	case Modified:
		s.DeliveryFailed = f.bool()
		s.UndeliverableHere = f.bool()
		s.Annotations = f.fieldMap()
	}
	f.list.End()
}

// readTransactional reads the list of a transactional state whose descriptor has been read.
func (s *State) readTransactional(d *amqp.Decoder) {
	f := readFields(d, "transactional-state")
	id := f.mustBinary("txn-id")
	if f.list.Next() {
		kind := outcomeOf(d.ReadDescriptor())
		if kind == NoState {
			d.Fail("transactional-state holds what is no outcome")
		}
		s.readOutcome(d, kind)
	}
	s.Kind, s.Outcome, s.TxnID = Transactional, s.Kind, id
	f.list.End()
}

package frame

import "github.com/manifoldmq/manifold/router/amqp"

// Role says which end of a link one is [2.8.1].
type Role bool

// The roles.
const (
	Sender   Role = false
	Receiver Role = true
)

// String gives the role's name.
func (r Role) String() string {
	if r == Receiver {
		return "receiver"
	}
	return "sender"
}

// SenderSettleMode says which deliveries the sender settles at once [2.8.2].
type SenderSettleMode uint8

// The sender's settle modes.
const (
	SendUnsettled SenderSettleMode = 0
	SendSettled   SenderSettleMode = 1
	SendMixed     SenderSettleMode = 2 // the default: each delivery says so
)

// ReceiverSettleMode says who settles first [2.8.3].
type ReceiverSettleMode uint8

// The receiver's settle modes.
const (
	ReceiveFirst  ReceiverSettleMode = 0 // the default: the receiver settles by itself
	ReceiveSecond ReceiverSettleMode = 1 // the receiver settles after the sender has
)

// Attach is how each side attaches a link [2.7.3].
type Attach struct {
	Name                 string // mandatory
	Handle               uint32 // mandatory
	Role                 Role   // mandatory
	SenderSettleMode     SenderSettleMode
	ReceiverSettleMode   ReceiverSettleMode
	Source               *Source       // nil: there is none (any more)
	Target               *Target       // nil: there is none, unless Coordinator is set
	Coordinator          *Coordinator  // the target of a link that controls transactions [4.5.1]
	Unsettled            amqp.RawValue // map of delivery tags to delivery states
	IncompleteUnsettled  bool
	InitialDeliveryCount uint32 // of a sender
	HasInitialCount      bool   // mandatory for a sender
	MaxMessageSize       uint64 // in bytes; 0 for any
	OfferedCapabilities  []amqp.Symbol
	DesiredCapabilities  []amqp.Symbol
	Properties           amqp.RawValue // map with symbol keys
}

// Append appends the performative.
func (a *Attach) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorAttach))
	f.String(a.Name)
	f.Uint(a.Handle)
	f.Bool(bool(a.Role))
	if a.SenderSettleMode == SendMixed {
		f.Null()
	} else {
		f.Ubyte(uint8(a.SenderSettleMode))
	}
	if a.ReceiverSettleMode == ReceiveFirst {
		f.Null()
	} else {
		f.Ubyte(uint8(a.ReceiverSettleMode))
	}
	f.Put(a.Source.Append(f.Buffer()))
	if a.Coordinator != nil {
		f.Put(a.Coordinator.Append(f.Buffer()))
	} else {
		f.Put(a.Target.Append(f.Buffer()))
	}
	putRaw(&f, a.Unsettled)
	f.BoolOrNull(a.IncompleteUnsettled)
	f.UintOrNull(a.InitialDeliveryCount, a.HasInitialCount)
	if a.MaxMessageSize == 0 {
		f.Null()
	} else {
		f.Ulong(a.MaxMessageSize)
	}
	f.Symbols(a.OfferedCapabilities...)
	f.Symbols(a.DesiredCapabilities...)
	putRaw(&f, a.Properties)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (a *Attach) Read(d *amqp.Decoder) error {
	f := readFields(d, "attach")
	*a = Attach{}
	a.Name = f.mustString("name")
	a.Handle = f.mustUint("handle")
	a.Role = f.mustRole()
	a.SenderSettleMode = SenderSettleMode(f.choice("snd-settle-mode", uint8(SendMixed), uint8(SendMixed)))
	a.ReceiverSettleMode = ReceiverSettleMode(f.choice("rcv-settle-mode", uint8(ReceiveFirst), uint8(ReceiveSecond)))
	a.Source = f.source()
	a.Target, a.Coordinator = f.target()
	a.Unsettled = f.rawMap()
	a.IncompleteUnsettled = f.bool()
	a.InitialDeliveryCount, a.HasInitialCount = f.optionalUint()
	a.MaxMessageSize = f.ulong()
	a.OfferedCapabilities = f.symbols()
	a.DesiredCapabilities = f.symbols()
	a.Properties = f.fieldMap()
	return f.end()
}

// Detach is how each side detaches a link, or closes it for good [2.7.7].
type Detach struct {
	Handle uint32 // mandatory
	Closed bool
	Error  *Error
}

// Append appends the performative.
func (x *Detach) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorDetach))
	f.Uint(x.Handle)
	f.BoolOrNull(x.Closed)
	f.Put(x.Error.Append(f.Buffer()))
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (x *Detach) Read(d *amqp.Decoder) error {
	f := readFields(d, "detach")
	*x = Detach{Handle: f.mustUint("handle"), Closed: f.bool(), Error: f.error()}
	return f.end()
}

package frame

import "github.com/manifoldmq/manifold/router/amqp"

// MaxTagSize bounds a delivery tag [2.8.7]. What is read may be longer.
const MaxTagSize = 32

// Transfer carries a delivery, or one of the pieces of it; the payload follows it in the frame [2.7.5].
type Transfer struct {
	Handle             uint32 // mandatory
	DeliveryID         uint32
	HasDeliveryID      bool // mandatory in the first transfer of a delivery
	DeliveryTag        []byte
	MessageFormat      uint32
	HasMessageFormat   bool // mandatory in the first transfer of a delivery
	Settled            bool
	HasSettled         bool // false: as the transfers before said
	More               bool // the delivery goes on in another transfer
	ReceiverSettleMode ReceiverSettleMode
	HasReceiverMode    bool // this delivery has a mode of its own
	State              State
	Resume             bool
	Aborted            bool
	Batchable          bool // the answer may wait for others
}

// Append appends the performative.
func (t *Transfer) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorTransfer))
	f.Uint(t.Handle)
	f.UintOrNull(t.DeliveryID, t.HasDeliveryID)
	f.BinaryOrNull(t.DeliveryTag)
	f.UintOrNull(t.MessageFormat, t.HasMessageFormat)
	if t.HasSettled {
		f.Bool(t.Settled)
	} else {
		f.Null()
	}
	f.BoolOrNull(t.More)
	if t.HasReceiverMode {
		f.Ubyte(uint8(t.ReceiverSettleMode))
	} else {
		f.Null()
	}
	f.Put(t.State.Append(f.Buffer()))
	f.BoolOrNull(t.Resume)
	f.BoolOrNull(t.Aborted)
	f.BoolOrNull(t.Batchable)
	return f.End()
}

// Read reads the fields that follow the descriptor. What is left of the frame is the payload.
func (t *Transfer) Read(d *amqp.Decoder) error {
	f := readFields(d, "transfer")
	t.Handle = f.mustUint("handle")
	t.DeliveryID, t.HasDeliveryID = f.optionalUint()
	t.DeliveryTag = f.binary()
	t.MessageFormat, t.HasMessageFormat = f.optionalUint()
	t.HasSettled = f.list.Next()
	t.Settled = t.HasSettled && d.ReadBool()
	t.More = f.bool()
	t.HasReceiverMode = f.list.Next()
	t.ReceiverSettleMode = ReceiveFirst
	if t.HasReceiverMode {
		t.ReceiverSettleMode = ReceiverSettleMode(d.ReadUbyte())
	}
	f.state(&t.State)
	t.Resume = f.bool()
	t.Aborted = f.bool()
	t.Batchable = f.bool()
	if t.ReceiverSettleMode > ReceiveSecond {
		f.fail("has an unknown rcv-settle-mode")
	}
	return f.end()
}

// Disposition tells of the state of a range of deliveries [2.7.6].
type Disposition struct {
	Role      Role   // mandatory: of who says this
	First     uint32 // mandatory
	Last      uint32 // absent: First
	Settled   bool
	State     State
	Batchable bool
}

// Append appends the performative.
func (x *Disposition) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorDisposition))
	f.Bool(bool(x.Role))
	f.Uint(x.First)
	f.UintOrNull(x.Last, x.Last != x.First)
	f.BoolOrNull(x.Settled)
	f.Put(x.State.Append(f.Buffer()))
	f.BoolOrNull(x.Batchable)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (x *Disposition) Read(d *amqp.Decoder) error {
	f := readFields(d, "disposition")
	x.Role = f.mustRole()
	x.First = f.mustUint("first")
	x.Last = f.uint(x.First)
	x.Settled = f.bool()
	f.state(&x.State)
	x.Batchable = f.bool()
	return f.end()
}

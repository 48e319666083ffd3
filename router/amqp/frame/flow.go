package frame

import "github.com/manifoldmq/manifold/router/amqp"

// Flow tells the state of a session's windows and, when it has a handle, of a link's credit [2.7.4].
type Flow struct {
	NextIncomingID    uint32
	HasNextIncomingID bool   // false before the peer's begin was seen
	IncomingWindow    uint32 // mandatory
	NextOutgoingID    uint32 // mandatory
	OutgoingWindow    uint32 // mandatory
	Handle            uint32
	HasHandle         bool // the fields below count
	DeliveryCount     uint32
	HasDeliveryCount  bool // false for a receiver that has not seen the sender's attach
	LinkCredit        uint32
	HasLinkCredit     bool
	Available         uint32
	Drain             bool
	Echo              bool          // asks for a flow in return
	Properties        amqp.RawValue // map with symbol keys
}

// Append appends the performative.
func (x *Flow) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorFlow))
	f.UintOrNull(x.NextIncomingID, x.HasNextIncomingID)
	f.Uint(x.IncomingWindow)
	f.Uint(x.NextOutgoingID)
	f.Uint(x.OutgoingWindow)
	f.UintOrNull(x.Handle, x.HasHandle)
	f.UintOrNull(x.DeliveryCount, x.HasDeliveryCount)
	f.UintOrNull(x.LinkCredit, x.HasLinkCredit)
	putUint(&f, x.Available, 0)
	f.BoolOrNull(x.Drain)
	f.BoolOrNull(x.Echo)
	putRaw(&f, x.Properties)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (x *Flow) Read(d *amqp.Decoder) error {
	f := readFields(d, "flow")
	*x = Flow{}
	x.NextIncomingID, x.HasNextIncomingID = f.optionalUint()
	x.IncomingWindow = f.mustUint("incoming-window")
	x.NextOutgoingID = f.mustUint("next-outgoing-id")
	x.OutgoingWindow = f.mustUint("outgoing-window")
	x.Handle, x.HasHandle = f.optionalUint()
	x.DeliveryCount, x.HasDeliveryCount = f.optionalUint()
	x.LinkCredit, x.HasLinkCredit = f.optionalUint()
	x.Available = f.uint(0)
	x.Drain = f.bool()
	x.Echo = f.bool()
	x.Properties = f.fieldMap()
	return f.end()
}

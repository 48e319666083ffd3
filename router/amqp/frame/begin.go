package frame

import (
	"math"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Begin is how each side begins a session [2.7.2].
type Begin struct {
	RemoteChannel       uint16 // of the begin that this answers
	HasRemoteChannel    bool   // this is an answer
	NextOutgoingID      uint32 // mandatory
	IncomingWindow      uint32 // mandatory
	OutgoingWindow      uint32 // mandatory
	HandleMax           uint32 // the highest handle that the sender of this takes; absent is math.MaxUint32
	OfferedCapabilities []amqp.Symbol
	DesiredCapabilities []amqp.Symbol
	Properties          amqp.RawValue // map with symbol keys
}

// Append appends the performative.
func (b *Begin) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorBegin))
	if b.HasRemoteChannel {
		f.Ushort(b.RemoteChannel)
	} else {
		f.Null()
	}
	f.Uint(b.NextOutgoingID)
	f.Uint(b.IncomingWindow)
	f.Uint(b.OutgoingWindow)
	putUint(&f, b.HandleMax, math.MaxUint32)
	f.Symbols(b.OfferedCapabilities...)
	f.Symbols(b.DesiredCapabilities...)
	putRaw(&f, b.Properties)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (b *Begin) Read(d *amqp.Decoder) error {
	f := readFields(d, "begin")
	*b = Begin{}
	b.RemoteChannel, b.HasRemoteChannel = f.optionalUshort()
	b.NextOutgoingID = f.mustUint("next-outgoing-id")
	b.IncomingWindow = f.mustUint("incoming-window")
	b.OutgoingWindow = f.mustUint("outgoing-window")
	b.HandleMax = f.uint(math.MaxUint32)
	b.OfferedCapabilities = f.symbols()
	b.DesiredCapabilities = f.symbols()
	b.Properties = f.fieldMap()
	return f.end()
}

// End is how each side ends a session [2.7.8].
type End struct{ Error *Error }

// Append appends the performative.
func (e *End) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorEnd))
	f.Put(e.Error.Append(f.Buffer()))
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (e *End) Read(d *amqp.Decoder) error {
	f := readFields(d, "end")
	e.Error = f.error()
	return f.end()
}

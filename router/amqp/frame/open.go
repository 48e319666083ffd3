package frame

import (
	"math"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Open is the first performative of each side: who it is and what it can take [2.7.1].
type Open struct {
	ContainerID         string // mandatory
	Hostname            string // of the virtual host that is wanted
	MaxFrameSize        uint32 // that the sender of this takes; absent is math.MaxUint32
	ChannelMax          uint16 // the highest channel that the sender of this takes; absent is math.MaxUint16
	IdleTimeOut         uint32 // milliseconds of silence that the sender of this bears; 0 for any
	OutgoingLocales     []amqp.Symbol
	IncomingLocales     []amqp.Symbol
	OfferedCapabilities []amqp.Symbol
	DesiredCapabilities []amqp.Symbol
	Properties          amqp.RawValue // map with symbol keys
}

// Append appends the performative.
func (o *Open) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorOpen))
	f.String(o.ContainerID)
	f.StringOrNull(o.Hostname)
	putUint(&f, o.MaxFrameSize, math.MaxUint32)
	if o.ChannelMax == math.MaxUint16 {
		f.Null()
	} else {
		f.Ushort(o.ChannelMax)
	}
	putUint(&f, o.IdleTimeOut, 0)
	f.Symbols(o.OutgoingLocales...)
	f.Symbols(o.IncomingLocales...)
	f.Symbols(o.OfferedCapabilities...)
	f.Symbols(o.DesiredCapabilities...)
	putRaw(&f, o.Properties)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (o *Open) Read(d *amqp.Decoder) error {
	f := readFields(d, "open")
	*o = Open{
		ContainerID:         f.mustString("container-id"),
		Hostname:            f.string(),
		MaxFrameSize:        f.uint(math.MaxUint32),
		ChannelMax:          f.ushort(math.MaxUint16),
		IdleTimeOut:         f.uint(0),
		OutgoingLocales:     f.symbols(),
		IncomingLocales:     f.symbols(),
		OfferedCapabilities: f.capabilities(),
		DesiredCapabilities: f.capabilities(),
		Properties:          f.fieldMap(),
	}
	return f.end()
}

// Close is the last performative of each side [2.7.9].
type Close struct{ Error *Error }

// Append appends the performative.
func (c *Close) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorClose))
	f.Put(c.Error.Append(f.Buffer()))
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (c *Close) Read(d *amqp.Decoder) error {
	f := readFields(d, "close")
	c.Error = f.error()
	return f.end()
}

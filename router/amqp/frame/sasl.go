package frame

import "github.com/manifoldmq/manifold/router/amqp"

// SASLCode is how an authentication ended [5.3.3.6].
type SASLCode uint8

// The ends of an authentication.
const (
	SASLOK            SASLCode = 0
	SASLAuth          SASLCode = 1 // the credentials are wrong
	SASLSystem        SASLCode = 2 // something else is wrong
	SASLSystemPerm    SASLCode = 3 // and will stay so
	SASLSystemTemp    SASLCode = 4 // and may be better later
	lastSASLCode               = SASLSystemTemp
	maxSASLMechanisms          = 64
)

// SASLMechanisms is the server's offer [5.3.3.1].
type SASLMechanisms struct{ Mechanisms []amqp.Symbol }

// Append appends the frame body.
func (m *SASLMechanisms) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSASLMechanisms))
	f.Symbols(m.Mechanisms...)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (m *SASLMechanisms) Read(d *amqp.Decoder) error {
	f := readFields(d, "sasl-mechanisms")
	if f.must("sasl-server-mechanisms") {
		m.Mechanisms = d.ReadSymbols()
	}
	if len(m.Mechanisms) > maxSASLMechanisms {
		f.fail("offers too many mechanisms")
	}
	return f.end()
}

// SASLInit is the client's choice [5.3.3.2].
type SASLInit struct {
	Mechanism       amqp.Symbol // mandatory
	InitialResponse []byte      // nil is none, which is not the same as an empty one
	Hostname        string
}

// Append appends the frame body.
func (i *SASLInit) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSASLInit))
	f.Symbol(i.Mechanism)
	f.BinaryOrNull(i.InitialResponse)
	f.StringOrNull(i.Hostname)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (i *SASLInit) Read(d *amqp.Decoder) error {
	f := readFields(d, "sasl-init")
	*i = SASLInit{Mechanism: f.mustSymbol("mechanism"), InitialResponse: f.binary(), Hostname: f.string()}
	return f.end()
}

// SASLChallenge is what the server asks [5.3.3.3].
type SASLChallenge struct{ Challenge []byte }

// Append appends the frame body.
func (c *SASLChallenge) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSASLChallenge))
	f.Binary(c.Challenge)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (c *SASLChallenge) Read(d *amqp.Decoder) error {
	f := readFields(d, "sasl-challenge")
	c.Challenge = f.mustBinary("challenge")
	return f.end()
}

// SASLResponse is what the client answers [5.3.3.4].
type SASLResponse struct{ Response []byte }

// Append appends the frame body.
func (r *SASLResponse) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSASLResponse))
	f.Binary(r.Response)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (r *SASLResponse) Read(d *amqp.Decoder) error {
	f := readFields(d, "sasl-response")
	r.Response = f.mustBinary("response")
	return f.end()
}

// SASLOutcome is the server's verdict [5.3.3.5].
type SASLOutcome struct {
	Code           SASLCode // mandatory
	AdditionalData []byte
}

// Append appends the frame body.
func (o *SASLOutcome) Append(dst []byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorSASLOutcome))
	f.Ubyte(uint8(o.Code))
	f.BinaryOrNull(o.AdditionalData)
	return f.End()
}

// Read reads the fields that follow the descriptor.
func (o *SASLOutcome) Read(d *amqp.Decoder) error {
	f := readFields(d, "sasl-outcome")
	*o = SASLOutcome{}
	if f.must("code") {
		o.Code = SASLCode(d.ReadUbyte())
	}
	if o.Code > lastSASLCode {
		f.fail("has an unknown code")
	}
	o.AdditionalData = f.binary()
	return f.end()
}

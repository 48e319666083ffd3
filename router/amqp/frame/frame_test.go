package frame

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// described is a composite value of the given fields.
func described(descriptor uint64, fields ...any) amqp.Described {
	return amqp.Described{Descriptor: descriptor, Value: amqp.List(fields)}
}

// performative is what every type of a frame body can do.
type performative interface {
	Append([]byte) []byte
	Read(*amqp.Decoder) error
}

func text(pairs ...string) amqp.RawValue {
	w := amqp.BeginFields(nil)
	for i := 0; i < len(pairs); i += 2 {
		w.String(pairs[i], pairs[i+1])
	}
	return w.End()
}

func symbols(s ...amqp.Symbol) []amqp.Symbol { return s }

// full are values of which every field is set.
func full() []performative {
	fault := &Error{Condition: NotFound, Description: "why", Info: text("k", "v")}
	return []performative{
		&Open{"me", "host", 1000, 7, 60, symbols("en"), symbols("de", "en"), symbols("a"), symbols("b"), text("product", "x")},
		&Begin{3, true, 4, 5, 6, 7, symbols("a"), symbols("b", "c"), text("k", "v")},
		&Attach{Name: "link", Handle: 1, Role: Receiver, SenderSettleMode: SendSettled, ReceiverSettleMode: ReceiveSecond,
			Source: &Source{"from", true, DurableUnsettled, ExpireNever, 9, true, text("lifetime-policy", "x"), DistributionCopy,
				text("filter", "x"), State{Kind: Modified, DeliveryFailed: true}, symbols("amqp:accepted:list", "amqp:rejected:list"),
				symbols("queue")},
			Target:    &Target{"to", true, DurableConfiguration, ExpireLinkDetach, 8, true, text("k", "v"), symbols("topic")},
			Unsettled: text("tag", "state"), IncompleteUnsettled: true, InitialDeliveryCount: 5, HasInitialCount: true,
			MaxMessageSize: 1 << 40, OfferedCapabilities: symbols("a"), DesiredCapabilities: symbols("b"),
			Properties: text("k", "v")},
		&Attach{Name: "txn", SenderSettleMode: SendMixed, Coordinator: &Coordinator{symbols("amqp:local-transactions")}},
		&Attach{Name: "null", SenderSettleMode: SendMixed},
		&Flow{1, true, 2, 3, 4, 5, true, 6, true, 7, true, 8, true, true, text("k", "v")},
		&Transfer{1, 2, true, []byte("tag"), 3, true, true, true, true, ReceiveSecond, true,
			State{Kind: Transactional, TxnID: []byte("id"), Outcome: Accepted}, true, true, true},
		&Disposition{Receiver, 1, 9, true, State{Kind: Rejected, Error: fault}, true},
		&Disposition{First: 1, Last: 1, State: State{Kind: Received, SectionNumber: 2, SectionOffset: 3}},
		&Disposition{First: 1, Last: 1, State: State{Kind: Modified, DeliveryFailed: true, UndeliverableHere: true,
			Annotations: text("k", "v")}},
		&Disposition{First: 1, Last: 1, State: State{Kind: Declared, TxnID: []byte("id")}},
		&Disposition{First: 1, Last: 1, State: State{Kind: Transactional, TxnID: []byte("id"), Outcome: Rejected, Error: fault}},
		&Disposition{First: math.MaxUint32, Last: 0, State: State{Kind: Released}},
		&Detach{Handle: 1, Closed: true, Error: fault},
		&End{fault},
		&Close{fault},
		&SASLMechanisms{symbols("PLAIN", "EXTERNAL")},
		&SASLInit{"PLAIN", []byte("a"), "host"},
		&SASLChallenge{[]byte("c")},
		&SASLResponse{[]byte("r")},
		&SASLOutcome{SASLSystemTemp, []byte("d")},
	}
}

// empty gives a zero value of the type with a descriptor, or nil.
func empty(descriptor uint64) performative {
	switch descriptor {
	case amqp.DescriptorOpen:
		return &Open{}
	case amqp.DescriptorBegin:
		return &Begin{}
	case amqp.DescriptorAttach:
		return &Attach{}
	case amqp.DescriptorFlow:
		return &Flow{}
	case amqp.DescriptorTransfer:
		return &Transfer{}
	case amqp.DescriptorDisposition:
		return &Disposition{}
	case amqp.DescriptorDetach:
		return &Detach{}
	case amqp.DescriptorEnd:
		return &End{}
	case amqp.DescriptorClose:
		return &Close{}
	case amqp.DescriptorSASLMechanisms:
		return &SASLMechanisms{}
	case amqp.DescriptorSASLInit:
		return &SASLInit{}
	case amqp.DescriptorSASLChallenge:
		return &SASLChallenge{}
	case amqp.DescriptorSASLResponse:
		return &SASLResponse{}
	case amqp.DescriptorSASLOutcome:
		return &SASLOutcome{}
	}
	return nil
}

func read(b []byte) (performative, error) {
	d := amqp.NewDecoder(b)
	p := empty(d.ReadDescriptor())
	if p == nil {
		return nil, &amqp.DecodeError{Reason: "unknown"}
	}
	return p, p.Read(&d)
}

func TestEveryFieldSurvivesARoundTrip(t *testing.T) {
	for _, p := range full() {
		got, err := read(p.Append(nil))
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%T: %v\ngot  %+v\nwant %+v", p, err, got, p)
		}
	}
}

// list is a performative with the given fields.
func list(descriptor uint64, fields ...any) []byte {
	b, err := amqp.AppendList(amqp.AppendDescriptor(nil, descriptor), fields)
	if err != nil {
		panic(err)
	}
	return b
}

// TestOmittedFieldsHaveTheirDefaults reads the shortest form of each performative [1.4].
func TestOmittedFieldsHaveTheirDefaults(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want performative
	}{
		{list(amqp.DescriptorOpen, "c"), &Open{ContainerID: "c", MaxFrameSize: math.MaxUint32, ChannelMax: math.MaxUint16}},
		{list(amqp.DescriptorBegin, nil, uint32(1), uint32(2), uint32(3)), &Begin{NextOutgoingID: 1, IncomingWindow: 2,
			OutgoingWindow: 3, HandleMax: math.MaxUint32}},
		{list(amqp.DescriptorAttach, "n", uint32(1), true),
			&Attach{Name: "n", Handle: 1, Role: Receiver, SenderSettleMode: SendMixed}},
		{list(amqp.DescriptorFlow, nil, uint32(1), uint32(2), uint32(3)),
			&Flow{IncomingWindow: 1, NextOutgoingID: 2, OutgoingWindow: 3}},
		{list(amqp.DescriptorTransfer, uint32(1)), &Transfer{Handle: 1}},
		{list(amqp.DescriptorDisposition, true, uint32(5)), &Disposition{Role: Receiver, First: 5, Last: 5}},
		{list(amqp.DescriptorDetach, uint32(1)), &Detach{Handle: 1}},
		{list(amqp.DescriptorEnd), &End{}},
		{list(amqp.DescriptorClose), &Close{}},
		{list(amqp.DescriptorSASLInit, amqp.Symbol("PLAIN")), &SASLInit{Mechanism: "PLAIN"}},
		{list(amqp.DescriptorSASLMechanisms, amqp.Symbol("PLAIN")), &SASLMechanisms{symbols("PLAIN")}},
	} {
		got, err := read(c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, c.want)
		}
	}
}

// TestMistakesAreRefused reads what lacks a mandatory field, or has one of a wrong type or value.
func TestMistakesAreRefused(t *testing.T) {
	for _, c := range []struct {
		want string
		in   []byte
	}{
		{"open has no container-id", list(amqp.DescriptorOpen)},
		{"want string", list(amqp.DescriptorOpen, uint32(1))},
		{"want uint", list(amqp.DescriptorOpen, "c", nil, "large")},
		{"key is no symbol", list(amqp.DescriptorOpen, "c", nil, nil, nil, nil, nil, nil, nil, nil,
			amqp.Map{{Key: "k", Value: "v"}})},
		{"no map in the place", list(amqp.DescriptorOpen, "c", nil, nil, nil, nil, nil, nil, nil, nil, uint32(1))},
		{"begin has no next-outgoing-id", list(amqp.DescriptorBegin)},
		{"begin has no incoming-window", list(amqp.DescriptorBegin, nil, uint32(1))},
		{"attach has no name", list(amqp.DescriptorAttach)},
		{"attach has no handle", list(amqp.DescriptorAttach, "n")},
		{"attach has no role", list(amqp.DescriptorAttach, "n", uint32(1))},
		{"unknown snd-settle-mode", list(amqp.DescriptorAttach, "n", uint32(1), true, uint8(3))},
		{"unknown rcv-settle-mode", list(amqp.DescriptorAttach, "n", uint32(1), true, nil, uint8(2))},
		{"want source", list(amqp.DescriptorAttach, "n", uint32(1), true, nil, nil, described(amqp.DescriptorTarget))},
		{"want target or coordinator", list(amqp.DescriptorAttach, "n", uint32(1), true, nil, nil, nil,
			described(amqp.DescriptorSource))},
		{"unknown durability", list(amqp.DescriptorAttach, "n", uint32(1), true, nil, nil,
			described(amqp.DescriptorSource, "a", uint32(3)))},
		{"unknown expiry policy", list(amqp.DescriptorAttach, "n", uint32(1), true, nil, nil,
			described(amqp.DescriptorSource, "a", nil, amqp.Symbol("soon")))},
		{"flow has no incoming-window", list(amqp.DescriptorFlow)},
		{"transfer has no handle", list(amqp.DescriptorTransfer)},
		{"unknown rcv-settle-mode", list(amqp.DescriptorTransfer, uint32(1), nil, nil, nil, nil, nil, uint8(2))},
		{"delivery state is unknown", list(amqp.DescriptorTransfer, uint32(1), nil, nil, nil, nil, nil, nil,
			described(amqp.DescriptorOpen))},
		{"want described value", list(amqp.DescriptorTransfer, uint32(1), nil, nil, nil, nil, nil, nil, "accepted")},
		{"disposition has no role", list(amqp.DescriptorDisposition)},
		{"disposition has no first", list(amqp.DescriptorDisposition, true)},
		{"received has no section-offset", list(amqp.DescriptorDisposition, true, uint32(1), nil, nil,
			described(amqp.DescriptorReceived, uint32(1)))},
		{"holds what is no outcome", list(amqp.DescriptorDisposition, true, uint32(1), nil, nil,
			described(amqp.DescriptorTransactionalState, []byte("id"),
				described(amqp.DescriptorReceived)))},
		{"error has no condition", list(amqp.DescriptorClose, described(amqp.DescriptorError))},
		{"want error", list(amqp.DescriptorClose, described(amqp.DescriptorOpen))},
		{"detach has no handle", list(amqp.DescriptorDetach)},
		{"sasl-outcome has no code", list(amqp.DescriptorSASLOutcome)},
		{"unknown code", list(amqp.DescriptorSASLOutcome, uint8(5))},
		{"sasl-mechanisms has no", list(amqp.DescriptorSASLMechanisms)},
	} {
		if p, err := read(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: the error is %v, want %q", p, err, c.want)
		}
	}
}

// TestCapabilitiesThatAreNoSymbolsSayNothing: nobody is refused for them.
func TestCapabilitiesThatAreNoSymbolsSayNothing(t *testing.T) {
	for _, c := range []struct {
		said any
		want []amqp.Symbol
	}{
		{nil, nil}, {int32(9), nil}, {"text", nil}, {amqp.List{}, nil}, {amqp.Symbol("a"), symbols("a")},
		{amqp.List{amqp.Symbol("a"), int32(1), "b", amqp.Symbol("c")}, symbols("a", "c")},
	} {
		p, err := read(list(amqp.DescriptorOpen, "me", nil, nil, nil, nil, nil, nil, c.said, c.said, nil))
		if err != nil {
			t.Errorf("%v: %v", c.said, err)
			continue
		}
		o := p.(*Open)
		if !reflect.DeepEqual(o.OfferedCapabilities, c.want) || !reflect.DeepEqual(o.DesiredCapabilities, c.want) {
			t.Errorf("%v is read as %v and %v", c.said, o.OfferedCapabilities, o.DesiredCapabilities)
		}
	}
}

func TestClonedStateSharesNothing(t *testing.T) {
	b := (&Disposition{First: 1, Last: 1, State: State{Kind: Transactional, TxnID: []byte("id"), Outcome: Rejected,
		Error: &Error{Condition: NotFound, Info: text("k", "v")}}}).Append(nil)
	p, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	c := p.(*Disposition).State.Clone()
	before := c.Append(nil)
	clear(b)
	if !bytes.Equal(c.Append(nil), before) {
		t.Error("the clone has changed with the input")
	}
}

// FuzzRoundTrip reads anything. What can be read is written in a form that reads the same.
func FuzzRoundTrip(f *testing.F) {
	for _, p := range full() {
		f.Add(p.Append(nil))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := read(in)
		if err != nil {
			return
		}
		out := p.Append(nil)
		again, err := read(out)
		if err != nil {
			t.Fatalf("%T %+v is written in a form that cannot be read: %v", p, p, err)
		}
		if second := again.Append(nil); !bytes.Equal(out, second) {
			t.Errorf("%T: written as %x and then as %x", p, out, second)
		}
	})
}

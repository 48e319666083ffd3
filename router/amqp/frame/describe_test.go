package frame

import (
	"bytes"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// wholeFrame gives a frame with this body.
func wholeFrame(kind Type, channel uint16, body []byte) []byte {
	return Finish(append(Start(nil, kind, channel), body...), 0)
}

func TestFramesAreDescribedInOneLine(t *testing.T) {
	attach := Attach{Name: "orders\n", Role: Receiver, Source: &Source{Address: "jobs"}}
	transfer := Transfer{DeliveryID: 7, HasDeliveryID: true, DeliveryTag: []byte{1, 'a'}, Settled: true, HasSettled: true}
	init := SASLInit{Mechanism: "PLAIN", InitialResponse: []byte("\x00ann\x00secret")}
	for want, unit := range map[string][]byte{
		`  -> SASL`:                       ProtocolSASL[:],
		`0 -> (EMPTY FRAME)`:              wholeFrame(AMQP, 0, nil),
		`3 -> @accepted(36) []`:           wholeFrame(AMQP, 3, append(amqp.AppendDescriptor(nil, amqp.DescriptorAccepted), byte(amqp.CodeList0))),
		`(13 octets that cannot be read)`: wholeFrame(AMQP, 0, []byte("no AMQP at all")[:13]),
		`-> (cut off)`:                    {0, 1},
		`0 -> @attach(18) [name="orders\n", handle=0, role=true, `: wholeFrame(AMQP, 0, attach.Append(nil)),
		`source=@source(40) [address="jobs"`:                       wholeFrame(AMQP, 0, attach.Append(nil)),
		`delivery-id=7, delivery-tag=b"\x01a"`:                     wholeFrame(AMQP, 0, transfer.Append(nil)),
		` (11)`:                                                    wholeFrame(AMQP, 0, append(transfer.Append(nil), "hello world"...)),
		`0 -> @sasl-init(65) [mechanism=:PLAIN, initial-response=(11 octets)`: wholeFrame(SASL, 0, init.Append(nil)),
	} {
		got := string(Describe(nil, unit, true))
		if !strings.Contains(got, want) || strings.Contains(got, "secret") || strings.Contains(got, "hello") {
			t.Errorf("%q, want %q in it", got, want)
		}
	}
	if got := string(Describe(nil, wholeFrame(AMQP, 0, nil), false)); got != "0 <- (EMPTY FRAME)" {
		t.Errorf("what is heard is %q", got)
	}
}

// TestLoginsAreNeverDescribed, whichever name their frames have, and whatever is in them.
func TestLoginsAreNeverDescribed(t *testing.T) {
	const secret = "open sesame"
	for name, body := range map[string][]byte{
		"by its symbol": append(append([]byte{byte(amqp.CodeDescribed)}, amqp.AppendSymbol(nil, "amqp:sasl-response:list")...),
			0xc0, byte(3+len(secret)), 1, byte(amqp.CodeBinary8), byte(len(secret))),
		"unknown":     amqp.AppendString(amqp.AppendDescriptor(nil, 0x99), secret),
		"as a string": append(amqp.AppendDescriptor(nil, amqp.DescriptorSASLResponse), 0xc0, byte(3+len(secret)), 1, byte(amqp.CodeString8), byte(len(secret))),
	} {
		got := string(Describe(nil, wholeFrame(SASL, 0, append(body, secret...)), true))
		if strings.Contains(got, "sesame") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestLongFramesAreCut(t *testing.T) {
	o := Open{ContainerID: strings.Repeat("x", 1<<16)}
	if got := Describe(nil, wholeFrame(AMQP, 0, o.Append(nil)), true); len(got) > maxDescribed+100 || !bytes.HasSuffix(got, []byte("...")) {
		t.Errorf("%d octets, that end with %q", len(got), got[len(got)-5:])
	}
}

// FuzzDescribe: whatever comes is told in one line.
func FuzzDescribe(f *testing.F) {
	f.Add(wholeFrame(AMQP, 1, (&Attach{Name: "a", Source: &Source{Address: "b"}}).Append(nil)))
	f.Add(ProtocolSASL[:])
	f.Add([]byte{0, 0, 0, 9, 2, 1, 0, 0, 0x45})
	f.Fuzz(func(t *testing.T, unit []byte) {
		got := Describe(nil, unit, false)
		if len(got) > maxDescribed+100 || bytes.ContainsAny(got, "\n\r") {
			t.Errorf("%q", got)
		}
	})
}

package engine

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// This file has a test for each thing that another Go broker got wrong about AMQP 1.0, as far as it is the engine's.

// played is a conversation that has had these inputs, with what was said since the last take.
func played(t *testing.T, inputs ...string) *conversation {
	t.Helper()
	c := newConversation(t)
	c.play(inputs...)
	return c
}

// play gives the inputs and flushes after each.
func (c *conversation) play(inputs ...string) {
	for _, text := range inputs {
		word, rest, _ := strings.Cut(text, " ")
		c.Input(word, rest)
		c.lines = c.Take()
	}
}

// says checks that all of these lines are among what was said since the last time.
func (c *conversation) says(want ...string) {
	c.t.Helper()
	got := strings.Join(c.Take(), "\n")
	for _, w := range want {
		if !strings.Contains(got, w) {
			c.t.Errorf("%q is not said, but\n%s", w, got)
		}
	}
}

// saysNot checks that none of these is.
func (c *conversation) saysNot(unwanted ...string) {
	c.t.Helper()
	got := strings.Join(c.Take(), "\n")
	for _, w := range unwanted {
		if strings.Contains(got, w) {
			c.t.Errorf("%q is said:\n%s", w, got)
		}
	}
}

const (
	peerSends    = "recv Attach Name=a Handle=0 Role=sender Source.Address=s Target.Address=t InitialDeliveryCount=0"
	peerReceives = "recv Attach Name=a Handle=0 Role=receiver Source.Address=s Target.Address=t"
)

// TestSenderDoesNotStallAfterItsFirstCredit has a peer send far more than the owner's first grant.
func TestSenderDoesNotStallAfterItsFirstCredit(t *testing.T) {
	o := attachedOwner(t, frame.Receiver, 100)
	for range 50 {
		in := transfers(nil, 0, false)
		for i := 0; i < len(in); { // frame by frame, as a sender does that watches its credit
			h, err := frame.ReadHeader(in[i:])
			if err != nil {
				t.Fatal(err)
			}
			feed(t, o.conn, in[i:i+int(h.Size)])
			i += int(h.Size)
			o.conn.Flush(nil)
			if o.link.credit == 0 {
				t.Fatalf("the sender has no credit after %d messages", o.received)
			}
		}
	}
	if o.received != 50*batch {
		t.Errorf("%d messages arrived", o.received)
	}
}

// TestConsumerWithCreditTenGetsMoreThanTen has a consumer replenish its credit.
func TestConsumerWithCreditTenGetsMoreThanTen(t *testing.T) {
	o := attachedOwner(t, frame.Sender, 0)
	for n := uint32(0); n < 1000; n += 5 {
		x := frame.Flow{HasNextIncomingID: true, NextIncomingID: n, IncomingWindow: 100, OutgoingWindow: 1, HasHandle: true,
			HasDeliveryCount: true, DeliveryCount: n, HasLinkCredit: true, LinkCredit: 10}
		feed(t, o.conn, frame.Finish(x.Append(frame.Start(nil, frame.AMQP, 0)), 0))
		for range 5 {
			if err := o.link.Send(Delivery{Payload: []byte("x"), Settled: true}); err != nil {
				t.Fatalf("after %d: %v", o.written, err)
			}
		}
		o.conn.Flush(nil)
	}
	if o.written != 1000 {
		t.Errorf("%d messages were written", o.written)
	}
}

func TestCreditGivenLaterDelivers(t *testing.T) {
	c := played(t, "opened", peerReceives, "do accept link=a", "do send link=a Payload=x")
	c.says("refused the link has no credit")
	c.play("recv Flow NextIncomingID=0 IncomingWindow=9 NextOutgoingID=0 OutgoingWindow=1 Handle=0 LinkCredit=1")
	c.says("event sendable a credit=1")
	c.play("do send link=a Payload=x")
	c.says("send Transfer Handle=0 DeliveryID=0")
}

func TestDrainIsAnswered(t *testing.T) {
	c := played(t, "opened", peerReceives, "do accept link=a",
		"recv Flow NextIncomingID=0 IncomingWindow=9 NextOutgoingID=0 OutgoingWindow=1 Handle=0 DeliveryCount=0 LinkCredit=7 Drain",
		"do drained link=a")
	c.says("draining=true", "DeliveryCount=7 LinkCredit=0 Drain")
}

// TestDynamicSourceHasAnAddress has an owner that makes no dynamic nodes accept one: it is refused.
func TestDynamicSourceHasAnAddress(t *testing.T) {
	c := played(t, "opened", "recv Attach Name=a Handle=0 Role=receiver Source.Dynamic Target.Address=t", "do accept link=a")
	c.says("send Attach Name=a Handle=0 Role=sender Target.Address=t",
		"send Detach Handle=0 Closed Error.Condition=amqp:not-implemented")
	c.play("recv Detach Handle=0 Closed", "recv Attach Name=b Handle=0 Role=receiver Source.Dynamic Target.Address=t",
		"do accept link=b Source.Dynamic Source.Address=made")
	c.says("Source.Address=made Source.Dynamic")
}

// TestNothingIsAcceptedButByTheOwner has a message wait for its outcome, which is then the owner's.
func TestNothingIsAcceptedButByTheOwner(t *testing.T) {
	c := played(t, "opened", peerSends, "do accept link=a", "do grant link=a n=5",
		"recv Transfer Handle=0 DeliveryID=0 DeliveryTag=t MessageFormat=0 Batchable Payload=x", "tick 30s")
	c.saysNot("send Disposition")
	c.play("do settle link=a id=0 Kind=rejected Error.Condition=amqp:internal-error")
	c.says("send Disposition Role=receiver First=0 Settled State.Kind=rejected State.Error.Condition=amqp:internal-error")
}

func TestModifiedReachesTheOwner(t *testing.T) {
	c := played(t, "opened", peerReceives, "do accept link=a",
		"recv Flow NextIncomingID=0 IncomingWindow=9 NextOutgoingID=0 OutgoingWindow=1 Handle=0 DeliveryCount=0 LinkCredit=7",
		"do send link=a Payload=x Token=x",
		"recv Disposition Role=receiver First=0 Settled State.Kind=modified State.DeliveryFailed")
	c.says("event progressed a id=0 token=x settled state=modified failed")
}

// TestMessageArrivesByteForByte has several data sections and application properties of every kind cross the engine in
// small frames, in and out.
func TestMessageArrivesByteForByte(t *testing.T) {
	w := amqp.BeginApplicationProperties(nil)
	w.Uint("uint", 7)
	w.Bool("bool", true)
	w.Double("double", 1.5)
	w.Timestamp("time", 12345)
	w.Binary("binary", bytes.Repeat([]byte{0xFE}, 300))
	m := w.End()
	for i := range 5 {
		m = amqp.AppendData(m, bytes.Repeat([]byte{byte(i)}, 400))
	}
	sender, receiver := attachedOwner(t, frame.Sender, 0), &keeper{owner: *attachedOwner(t, frame.Receiver, 10)}
	sender.conn.peerFrame = frame.MinMaxSize
	receiver.conn.handler = receiver
	grantAll(t, sender)
	if err := sender.link.Send(Delivery{Payload: m}); err != nil {
		t.Fatal(err)
	}
	out := sender.conn.Flush(nil)
	if n := bytes.Count(out, []byte{0x00, 0x53, byte(amqp.DescriptorTransfer)}); n < 5 {
		t.Errorf("the message left in %d frames", n)
	}
	feed(t, receiver.conn, out)
	if !bytes.Equal(receiver.got, m) {
		t.Errorf("%d bytes left, %d arrived, or others", len(m), len(receiver.got))
	}
}

// keeper is an owner that keeps what it receives.
type keeper struct {
	owner
	got []byte
}

func (k *keeper) Received(_ *Link, x *Transfer) { k.got = bytes.Clone(x.Payload) }

// TestUnfinishedMessagesBelongToTheirLinks has two links of one session send messages of several frames at a time.
func TestUnfinishedMessagesBelongToTheirLinks(t *testing.T) {
	c := played(t, "opened", peerSends, "do accept link=a", "do grant link=a n=5",
		"recv Attach Name=b Handle=1 Role=sender Source.Address=s Target.Address=t InitialDeliveryCount=0", "do accept link=b",
		"do grant link=b n=5")
	c.Take()
	c.play("recv Transfer Handle=0 DeliveryID=0 DeliveryTag=t MessageFormat=0 More Payload=a1",
		"recv Transfer Handle=1 DeliveryID=1 DeliveryTag=t MessageFormat=0 More Payload=b1",
		"recv Transfer Handle=0 Payload=a2", "recv Transfer Handle=1 Payload=b2")
	c.says("payload=a1a2", "payload=b1b2")
}

// TestUnfinishedMessagesAreBounded never ends a message, on a connection with room for a few pieces.
func TestUnfinishedMessagesAreBounded(t *testing.T) {
	c := played(t, "limits MaxPartial=100000 MaxMessageSize=1000000", "opened", peerSends, "do accept link=a",
		"do grant link=a n=5")
	c.Take()
	c.play("recv Transfer Handle=0 DeliveryID=0 DeliveryTag=t MessageFormat=0 More Size=60000")
	for range 20 {
		c.play("recv Transfer Handle=0 More Size=60000")
		if c.conn.partial > 100_000 {
			t.Fatalf("%d bytes are kept", c.conn.partial)
		}
	}
	c.says("Error.Condition=amqp:resource-limit-exceeded")
}

// TestHugeDispositionCostsWhatIsOpen settles ranges of four billion deliveries, of which a few are open.
func TestHugeDispositionCostsWhatIsOpen(t *testing.T) {
	o := attachedOwner(t, frame.Sender, 0)
	grantAll(t, o)
	for range 1000 {
		for range 3 {
			if err := o.link.Send(Delivery{Payload: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		o.conn.Flush(nil)
		x := frame.Disposition{Role: frame.Receiver, First: 0, Last: math.MaxUint32, Settled: true}
		feed(t, o.conn, frame.Finish(x.Append(frame.Start(nil, frame.AMQP, 0)), 0))
	}
	if o.settled != 3000 {
		t.Errorf("%d of 3000 are settled", o.settled)
	}
}

// TestAnonymousIsNotLetInWhereItIsNotOffered tries the ways around an authenticator.
func TestAnonymousIsNotLetInWhereItIsNotOffered(t *testing.T) {
	for _, attempt := range [][]string{
		{"recv Header SASL", "recv SASLInit Mechanism=ANONYMOUS"},
		{"recv Header AMQP", "recv Open ContainerID=c"},
		{"recv Header SASL", "recv Header AMQP", "recv Open ContainerID=c"},
		{"recv Header SASL", "recv SASLResponse Response=x"},
		{"recv Header SASL", "recv SASLOutcome Code=0"},
	} {
		c := played(t, "server mechanisms=PLAIN")
		c.play(attempt...)
		c.saysNot("event opened", "event authenticate")
		if !c.conn.Closed() {
			t.Errorf("after %v the connection is not closed", attempt)
		}
	}
}

package session

import (
	"errors"
	"testing"
	"time"
	"unsafe"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Defects seen in other servers, each kept away by a test.

func TestPacketIDsOfTheTwoDirectionsAreApart(t *testing.T) {
	r := connectedResponder(t, 4)
	if err := r.session.Deliver(Publication{Topic: "out", QoS: 1, Token: "mine"}); err != nil {
		t.Fatal(err)
	}
	out := decodeAll(t, r.flushed(), 4)
	id := out[0].PacketID
	// The client publishes under the very id that the server awaits a PUBACK for.
	r.mustFeed(t, encodeAny(t, oraclePublish(Publication{Topic: "in", QoS: 1}, 4, id)))
	if len(r.settled) != 0 {
		t.Fatal("the client's PUBLISH settled the server's delivery")
	}
	if out = decodeAll(t, r.flushed(), 4); len(out) != 1 || out[0].FixedHeader.Type != packets.Puback || out[0].PacketID != id {
		t.Fatalf("the client's PUBLISH was answered by %v", out)
	}
	ack := packets.Packet{ProtocolVersion: 4, PacketID: id}
	ack.FixedHeader.Type = packets.Puback
	r.mustFeed(t, encodeAny(t, ack))
	if r.settled["mine"].Outcome != Acknowledged {
		t.Errorf("the delivery ended as %v", r.settled["mine"])
	}
}

func TestAliasIsResolvedBeforeAnybodyJudgesTheTopic(t *testing.T) {
	r := connectedResponder(t, 5)
	var topics []string
	r.onPublish = func(p Publish) { topics = append(topics, string(p.Topic)) }
	p := oraclePublish(Publication{Topic: "secret/door"}, 5, 0)
	p.Properties.TopicAliasFlag, p.Properties.TopicAlias = true, 1
	r.mustFeed(t, encodeAny(t, p))
	p.TopicName = ""
	r.mustFeed(t, encodeAny(t, p))
	if len(topics) != 2 || topics[1] != "secret/door" {
		t.Errorf("the owner saw %q", topics)
	}
}

func TestSlowSubscriberLosesNothingSilently(t *testing.T) {
	r := connectedResponder(t, 5, func(p *packets.Packet) { p.Properties.ReceiveMaximum = 1 })
	taken, refused := 0, 0
	for i := range 3000 {
		switch err := r.session.Deliver(Publication{Topic: "a", QoS: 1, Token: i}); {
		case err == nil:
			taken++
		case errors.Is(err, PendingFull):
			refused++
		default:
			t.Fatal(err)
		}
	}
	r.session.Lost()
	if taken+refused != 3000 || len(r.settled) != taken {
		t.Errorf("%d taken, %d refused, %d settled", taken, refused, len(r.settled))
	}
}

func TestWillKeepsItsPropertiesAndGetsNoExpiry(t *testing.T) {
	c := newConversation(t)
	c.Input("recv", "CONNECT version=5 client=a clean will=t:p willtype=text/plain willuser=v willdelay=3")
	want := "event   will topic=t payload=p qos=0 retain=false delay=3 type=text/plain user=k:v"
	if c.lines[1] != want {
		t.Errorf("got  %s\nwant %s", c.lines[1], want)
	}
}

func TestConnectHasADeadlineAndASmallBuffer(t *testing.T) {
	limits := DefaultLimits()
	r := newResponder(&limits)
	if got, want := r.session.Deadline(), start().Add(limits.ConnectTimeout); !got.Equal(want) {
		t.Errorf("the deadline is %v, not %v", got, want)
	}
	// A CONNECT of 256 MB is refused by its header; nothing of it is kept.
	wantViolation(t, r, []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F}, PacketTooLarge)
	if cap(r.session.in) != 0 {
		t.Errorf("%d bytes are kept", cap(r.session.in))
	}
}

func TestLongestKeepAliveDoesNotOverflow(t *testing.T) {
	for _, seconds := range []uint16{43_690, 43_691, 65_535} {
		r := connectedResponder(t, 4, func(p *packets.Packet) { p.Connect.Keepalive = seconds })
		want := start().Add(time.Duration(seconds) * 1500 * time.Millisecond)
		if got := r.session.Deadline(); !got.Equal(want) {
			t.Errorf("keep-alive %d ends at %v, not %v", seconds, got, want)
		}
		if err := r.session.Advance(want.Add(-time.Millisecond)); err != nil {
			t.Errorf("ended too early: %v", err)
		}
		if err := r.session.Advance(want); err == nil {
			t.Error("did not end")
		}
	}
}

func TestConnackAnnouncesEveryLimit(t *testing.T) {
	limits := DefaultLimits()
	r := newResponder(&limits)
	r.mustFeed(t, connectBytes(t, 5))
	p := decodeAll(t, r.flushed(), 5)[0].Properties
	if p.TopicAliasMaximum != 16 || p.MaximumPacketSize != 1<<20 || p.ReceiveMaximum != 1024 {
		t.Errorf("announced aliases %d, packet size %d, receive maximum %d", p.TopicAliasMaximum, p.MaximumPacketSize, p.ReceiveMaximum)
	}
	if p.MaximumQosFlag || !p.RetainAvailableFlag || !p.WildcardSubAvailableFlag || !p.SubIDAvailableFlag ||
		!p.SharedSubAvailableFlag || p.SharedSubAvailable != 0 {
		t.Errorf("flags: %+v", p)
	}
}

func TestRefusedConnectIsFlushedThenClosed(t *testing.T) {
	c := newConversation(t)
	c.Input("recv", "CONNECT version=5 client=a")
	c.session.RefuseConnect(Notice{Code: NotAuthorized})
	if c.session.Closed() {
		t.Fatal("closed before the CONNACK was flushed")
	}
	if out := c.session.Flush(nil); len(out) != 5 || out[3] != 0x87 || !c.session.Closed() {
		t.Errorf("flushed % x, closed %v", out, c.session.Closed())
	}
}

// TestNoPropertyPoisonsASubscriber: what a message of another protocol can contain, and MQTT can't, is refused.
func TestNoPropertyPoisonsASubscriber(t *testing.T) {
	long := make([]byte, 70_000)
	for name, p := range map[string]Publication{
		"empty topic":            {},
		"wildcard topic":         {Topic: "a/+"},
		"topic with U+0000":      {Topic: "a\x00"},
		"topic not UTF-8":        {Topic: "a\xFF"},
		"long topic":             {Topic: string(long)},
		"QoS 3":                  {Topic: "a", QoS: 3},
		"content type":           {Topic: "a", Properties: Properties{ContentType: []byte{0xFF}}},
		"response topic":         {Topic: "a", Properties: Properties{ResponseTopic: []byte("a/#")}},
		"long correlation data":  {Topic: "a", Properties: Properties{CorrelationData: long}},
		"subscription id 0":      {Topic: "a", SubscriptionIDs: []uint32{0}},
		"large subscription id":  {Topic: "a", SubscriptionIDs: []uint32{maxRemaining + 1}},
		"content type of 70,000": {Topic: "a", Properties: Properties{ContentType: long}},
	} {
		r := connectedResponder(t, 5)
		if err := r.session.Deliver(p); !errors.Is(err, NotTransportable) {
			t.Errorf("%s: %v", name, err)
		}
		if out := r.flushed(); len(out) != 0 {
			t.Errorf("%s: % x was written", name, out)
		}
	}
	var u UserProperties
	if u.Append("name", "a\x00b") || u.Append("\xFF", "") || u.Append(string(long), "") || len(u) != 0 {
		t.Error("a user property that MQTT can't carry was taken")
	}
}

func TestFlushIsBounded(t *testing.T) {
	r := connectedResponder(t, 4)
	r.settled = nil
	for range 3 { // a full list that was written leaves room for the next
		for range 100 {
			if err := r.session.Deliver(Publication{Topic: "a", Payload: make([]byte, 10_000)}); err != nil {
				t.Fatal(err)
			}
		}
		flushes, total := 0, 0
		for n := len(r.session.Flush(nil)); n > 0; n = len(r.session.Flush(nil)) {
			if n > flushSize+11_000 {
				t.Errorf("one Flush gave %d bytes", n)
			}
			flushes, total = flushes+1, total+n
		}
		if flushes < 10 || total < 1_000_000 {
			t.Errorf("%d bytes in %d flushes", total, flushes)
		}
	}
}

// TestIdleSessionIsSmall: after a burst and a PINGREQ, a session with a client is less than 1 KiB.
func TestIdleSessionIsSmall(t *testing.T) {
	r := connectedResponder(t, 5)
	r.settled = nil
	for i := range 500 {
		r.mustFeed(t, encodeAny(t, oraclePublish(Publication{Topic: "a", QoS: 1, Payload: make([]byte, 200)}, 5, uint16(i+1))))
		if err := r.session.Deliver(Publication{Topic: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	r.flushed()
	r.mustFeed(t, []byte{0xC0, 0})
	r.flushed()
	s := r.session
	size := int(unsafe.Sizeof(*s)) + cap(s.in) + cap(s.out) + 24*cap(s.aliases) + len(s.inflight.slots)*int(unsafe.Sizeof(incoming{})) +
		len(s.pending.slots)*int(unsafe.Sizeof(outgoing{})) + len(s.unacked.slots)*int(unsafe.Sizeof(delivery{}))
	t.Logf("an idle session has %d bytes", size)
	if size > 1024 {
		t.Errorf("an idle session has %d bytes", size)
	}
}

func TestDefaultLimitsAreValid(t *testing.T) {
	limits := DefaultLimits()
	if err := limits.Validate(); err != nil {
		t.Error(err)
	}
	limits.MaxInflight = 70_000
	if err := limits.Validate(); err == nil {
		t.Error("a receive maximum of 70,000 was accepted")
	}
}

// TestOneUnansweredDeliveryMakesTheRestWait: a client that answers everything else can't make memory grow.
func TestOneUnansweredDeliveryMakesTheRestWait(t *testing.T) {
	r := connectedResponder(t, 4, func(p *packets.Packet) { p.Connect.Keepalive = 0 })
	r.settled = nil
	window := r.session.Window()
	written := 0
	for range 6 * window {
		if err := r.session.Deliver(Publication{Topic: "a", QoS: 1}); err != nil {
			t.Fatal(err)
		}
		for _, p := range decodeAll(t, r.flushed(), 4) {
			written++
			if p.PacketID > 1 {
				r.mustFeed(t, []byte{0x40, 2, byte(p.PacketID >> 8), byte(p.PacketID)})
			}
		}
	}
	if written != 4*window {
		t.Errorf("%d were written, with a window of %d", written, window)
	}
	r.mustFeed(t, []byte{0x40, 2, 0, 1})
	if len(r.flushed()) == 0 {
		t.Error("nothing goes on after the answer")
	}
}

func TestConnectIsACopy(t *testing.T) {
	k := &keeper{}
	limits := DefaultLimits()
	k.session = New(start(), &limits, k)
	version := byte(5)
	b := clientPacket(t, &version, "CONNECT version=5 client=id user=u password=secret will=t:payload willtype=text willuser=v")
	if err := k.session.Feed(start(), b); err != nil {
		t.Fatal(err)
	}
	clear(b)
	c := k.request
	if c.ClientID != "id" || c.UserName != "u" || string(c.Password) != "secret" || c.Will.Topic != "t" ||
		string(c.Will.Payload) != "payload" || describeProperties(c.Will.Properties) != " type=text user=k:v" {
		t.Errorf("the request became %+v, will %+v", c, c.Will)
	}
}

// keeper keeps the request.
type keeper struct {
	responder
	request *Connect
}

func (k *keeper) Connect(c *Connect) { k.request = c }

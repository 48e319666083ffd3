package engine

import (
	"runtime"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// owner accepts everything, keeps a receiver's credit up and settles what comes.
type owner struct {
	conn     *Conn
	credit   int
	link     *Link
	received int
	settled  int
	written  int
}

var _ Handler = (*owner)(nil)

func (o *owner) Authenticate(Authentication)  { o.conn.Admit(nil) }
func (o *owner) Opened(*frame.Open)           { o.conn.Open(frame.Open{}) }
func (o *owner) Closed(Ending)                {}
func (o *owner) Begun(*Session)               {}
func (o *owner) Ended(*Session, *frame.Error) {}
func (o *owner) Attached(l *Link)             { o.link = l; l.Grant(o.credit) }
func (o *owner) Detached(*Link, Detachment)   {}
func (o *owner) Sendable(*Link)               {}
func (o *owner) Drained(*Link)                {}

func (o *owner) Requested(l *Link) {
	o.link = l
	l.Accept(frame.Attach{})
	l.Grant(o.credit)
}

func (o *owner) Received(l *Link, x *Transfer) {
	o.received++
	if !x.Settled {
		l.Settle(x.ID, frame.State{Kind: frame.Accepted})
	}
	l.Grant(1)
}

func (o *owner) Progressed(_ *Link, u Update) {
	switch u.Progress {
	case Written:
		o.written++
	case Settled:
		o.settled++
	}
}

// attachedOwner is a server's end that a client has attached a link to; role is the server's.
func attachedOwner(tb testing.TB, role frame.Role, credit int) *owner {
	limits := DefaultLimits()
	limits.MaxUnsettled, limits.IncomingBytes = 1<<16, 64<<20
	o := &owner{credit: credit}
	o.conn = NewServer(start(), &limits, Server{ContainerID: "server"}, o)
	for _, text := range []string{"Header AMQP", "Open ContainerID=client",
		"Begin NextOutgoingID=0 IncomingWindow=4294967295 OutgoingWindow=1"} {
		feed(tb, o.conn, encodeFrame(tb, text))
	}
	attach := "Attach Name=a Handle=0 Role=sender Source.Address=s Target.Address=t InitialDeliveryCount=0"
	if role == frame.Sender {
		attach = "Attach Name=a Handle=0 Role=receiver Source.Address=s Target.Address=t"
	}
	feed(tb, o.conn, encodeFrame(tb, attach))
	o.conn.Flush(nil)
	if o.link == nil {
		tb.Fatal("no link")
	}
	return o
}

func start() time.Time { return time.Unix(1_800_000_000, 0) }

func feed(tb testing.TB, c *Conn, b []byte) {
	tb.Helper()
	if err := c.Feed(start(), b); err != nil {
		tb.Fatal(err)
	}
}

// message is a message of 256 bytes of payload, as its sender encodes it.
func message() []byte { return amqp.AppendData(nil, make([]byte, 256)) }

// batch is how many transfers come in one Feed: about what one read of a busy connection holds.
const batch = 200

// transfers are a batch of transfers from id on.
func transfers(dst []byte, id uint32, settled bool) []byte {
	payload := message()
	for range batch {
		t := frame.Transfer{HasDeliveryID: true, DeliveryID: id, DeliveryTag: []byte{1, 2, 3, 4}, HasMessageFormat: true,
			HasSettled: true, Settled: settled}
		n := len(dst)
		dst = append(t.Append(frame.Start(dst, frame.AMQP, 0)), payload...)
		dst = frame.Finish(dst, n)
		id++
	}
	return dst
}

func BenchmarkReceiveSettled(b *testing.B) {
	o := attachedOwner(b, frame.Receiver, 1000)
	in := transfers(nil, 0, true)
	out := make([]byte, 0, 2*flushSize)
	b.ReportAllocs()
	for range b.N / batch {
		feed(b, o.conn, in)
		out = o.conn.Flush(out[:0])
	}
	if o.received != b.N/batch*batch {
		b.Fatalf("%d of %d received", o.received, b.N)
	}
}

func BenchmarkReceiveUnsettled(b *testing.B) {
	o := attachedOwner(b, frame.Receiver, 1000)
	in := transfers(nil, 0, false)
	out := make([]byte, 0, 2*flushSize)
	b.ReportAllocs()
	for range b.N / batch { // the same delivery-ids again: they are settled by then
		feed(b, o.conn, in)
		out = o.conn.Flush(out[:0])
	}
	if o.received != b.N/batch*batch {
		b.Fatalf("%d of %d received", o.received, b.N)
	}
}

// grantAll is a flow that gives credit without end.
func grantAll(tb testing.TB, o *owner) {
	x := frame.Flow{HasNextIncomingID: true, NextIncomingID: o.link.session.nextOutgoingID, IncomingWindow: 1 << 31,
		OutgoingWindow: 1, HasHandle: true, HasDeliveryCount: true, DeliveryCount: o.link.deliveryCount, HasLinkCredit: true,
		LinkCredit: 1 << 31}
	feed(tb, o.conn, frame.Finish(x.Append(frame.Start(nil, frame.AMQP, 0)), 0))
}

func BenchmarkSendSettled(b *testing.B) {
	o := attachedOwner(b, frame.Sender, 0)
	grantAll(b, o)
	payload := message()
	out := make([]byte, 0, 2*flushSize)
	b.ReportAllocs()
	for range b.N / batch {
		for range batch {
			if err := o.link.Send(Delivery{Payload: payload, Settled: true, Token: o}); err != nil {
				b.Fatal(err)
			}
		}
		out = o.conn.Flush(out[:0])
	}
	if o.written != b.N/batch*batch {
		b.Fatalf("%d of %d written", o.written, b.N)
	}
}

func BenchmarkSendUnsettled(b *testing.B) {
	o := attachedOwner(b, frame.Sender, 0)
	grantAll(b, o)
	payload := message()
	out := make([]byte, 0, 2*flushSize)
	answer := make([]byte, 0, 64)
	b.ReportAllocs()
	for range b.N / batch {
		first := o.link.session.nextDeliveryID
		for range batch {
			if err := o.link.Send(Delivery{Payload: payload, Token: o}); err != nil {
				b.Fatal(err)
			}
		}
		out = o.conn.Flush(out[:0])
		x := frame.Disposition{Role: frame.Receiver, First: first, Last: first + batch - 1, Settled: true,
			State: frame.State{Kind: frame.Accepted}}
		answer = frame.Finish(x.Append(frame.Start(answer[:0], frame.AMQP, 0)), 0)
		feed(b, o.conn, answer)
	}
	if o.settled != b.N/batch*batch {
		b.Fatalf("%d of %d settled", o.settled, b.N)
	}
}

// BenchmarkSendLarge sends messages of 1 MiB in frames of 64 KiB.
func BenchmarkSendLarge(b *testing.B) {
	o := attachedOwner(b, frame.Sender, 0)
	grantAll(b, o)
	payload := make([]byte, 1<<20)
	out := make([]byte, 0, 2*flushSize)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if err := o.link.Send(Delivery{Payload: payload, Settled: true, Token: o}); err != nil {
			b.Fatal(err)
		}
		for o.link.Unwritten() > 0 {
			out = o.conn.Flush(out[:0])
		}
	}
}

// TestIdleConnectionIsSmall measures what a connection with two links holds when its work is done.
func TestIdleConnectionIsSmall(t *testing.T) {
	const n = 500
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // pools of other tests give back what they hold with the second one
	runtime.ReadMemStats(&before)
	owners := make([]*owner, n)
	for i := range owners {
		owners[i] = busyThenIdle(t)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / n
	t.Logf("%d bytes each", each)
	if each > 12<<10 {
		t.Errorf("an idle connection holds %d bytes", each)
	}
	runtime.KeepAlive(owners)
}

// busyThenIdle is an owner whose connection has received and sent, and then got a heartbeat.
func busyThenIdle(t *testing.T) *owner {
	o := attachedOwner(t, frame.Sender, 0)
	grantAll(t, o)
	for range 300 {
		if err := o.link.Send(Delivery{Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	o.conn.Flush(nil)
	feed(t, o.conn, encodeFrame(t, "Disposition Role=receiver First=0 Last=4294967295 Settled State.Kind=accepted"))
	feed(t, o.conn, encodeFrame(t, "Attach Name=b Handle=1 Role=sender Source.Address=s InitialDeliveryCount=0"))
	o.link.Grant(200)
	o.conn.Flush(nil)
	feed(t, o.conn, encodeFrame(t, "Transfer Handle=1 DeliveryID=0 DeliveryTag=t MessageFormat=0 Payload=x"))
	o.conn.Flush(nil)
	feed(t, o.conn, encodeFrame(t, "Heartbeat"))
	return o
}

// TestHotPathsDoNotAllocate guards what the benchmarks measure.
func TestHotPathsDoNotAllocate(t *testing.T) {
	out := make([]byte, 0, 2*flushSize)
	for _, settled := range []bool{true, false} {
		receiver := attachedOwner(t, frame.Receiver, 1000)
		in := transfers(nil, 0, settled)
		if n := testing.AllocsPerRun(100, func() {
			feed(t, receiver.conn, in)
			out = receiver.conn.Flush(out[:0])
		}); n != 0 {
			t.Errorf("receiving %d, settled %v: %v allocations", batch, settled, n)
		}
	}
	sender := attachedOwner(t, frame.Sender, 0)
	grantAll(t, sender)
	payload := message()
	if n := testing.AllocsPerRun(100, func() {
		if err := sender.link.Send(Delivery{Payload: payload, Settled: true, Token: sender}); err != nil {
			t.Fatal(err)
		}
		out = sender.conn.Flush(out[:0])
	}); n != 0 {
		t.Errorf("sending: %v allocations", n)
	}
}

// TestMessageOfTheFrameSizeIsAllocatedOnce: its end comes in a small second frame, which must not move all of it.
func TestMessageOfTheFrameSizeIsAllocatedOnce(t *testing.T) {
	o := attachedOwner(t, frame.Receiver, 1000)
	first := frame.Transfer{HasDeliveryID: true, DeliveryTag: []byte{1}, HasMessageFormat: true, HasSettled: true,
		Settled: true, More: true}
	in := append(first.Append(frame.Start(nil, frame.AMQP, 0)), make([]byte, 60<<10)...)
	in = frame.Finish(in, 0)
	start := len(in)
	in = append((&frame.Transfer{}).Append(frame.Start(in, frame.AMQP, 0)), make([]byte, 100)...)
	in = frame.Finish(in, start)
	out := make([]byte, 0, 2*flushSize)
	const tagAndMessage = 2
	if n := testing.AllocsPerRun(100, func() {
		feed(t, o.conn, in)
		out = o.conn.Flush(out[:0])
	}); n != tagAndMessage || o.received != 101 {
		t.Errorf("%v allocations; %d received", n, o.received)
	}
}

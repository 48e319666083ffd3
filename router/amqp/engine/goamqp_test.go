package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
)

// loop is a tiny owner of a server's connection: what is sent to an address can be received from it, by the same peer.
type loop struct {
	conn      *engine.Conn
	waiting   map[string][]*stored
	consumers map[string][]*engine.Link
	outcomes  []string
	names     int
}

// stored is a message that the loop keeps until a consumer has settled it.
type stored struct {
	payload []byte
	address string
}

var (
	_ engine.Handler   = (*loop)(nil)
	_ transport.Engine = (*engine.Conn)(nil)
)

func (o *loop) Authenticate(a engine.Authentication) {
	if string(a.Response) != "\x00user\x00secret" {
		o.conn.Deny(frame.SASLAuth)
		return
	}
	o.conn.Admit(nil)
}

func (o *loop) Opened(*frame.Open)                  { o.conn.Open(frame.Open{}) }
func (o *loop) Closed(engine.Ending)                {}
func (o *loop) Begun(*engine.Session)               {}
func (o *loop) Ended(*engine.Session, *frame.Error) {}
func (o *loop) Attached(*engine.Link)               {}
func (o *loop) Drained(*engine.Link)                {}
func (o *loop) Detached(l *engine.Link, _ engine.Detachment) {
	for address, links := range o.consumers {
		for i := range links {
			if links[i] == l {
				o.consumers[address] = append(links[:i:i], links[i+1:]...)
				break
			}
		}
	}
}

// loopCredit is what the loop's receivers grant, and replenish with each message.
const loopCredit = 50

func (o *loop) Requested(l *engine.Link) {
	if l.Role() == frame.Receiver {
		if l.Remote().Target.Address == "forbidden" {
			l.Refuse(&frame.Error{Condition: frame.UnauthorizedAccess, Description: "not here"})
			return
		}
		l.Context = l.Remote().Target.Address
		l.Accept(frame.Attach{})
		l.Grant(loopCredit)
		return
	}
	source := *l.Remote().Source
	if source.Dynamic {
		o.names++
		source.Address = fmt.Sprintf("dynamic-%d", o.names)
	}
	l.Context = source.Address
	o.consumers[source.Address] = append(o.consumers[source.Address], l)
	l.Accept(frame.Attach{Source: &source})
	o.pump(source.Address)
}

func (o *loop) Received(l *engine.Link, x *engine.Transfer) {
	address := l.Context.(string)
	o.waiting[address] = append(o.waiting[address], &stored{payload: bytes.Clone(x.Payload), address: address})
	if !x.Settled {
		l.Settle(x.ID, frame.State{Kind: frame.Accepted})
	}
	l.Grant(1)
	o.pump(address)
}

func (o *loop) Sendable(l *engine.Link) {
	o.pump(l.Context.(string))
	if l.Draining() {
		l.Drained()
	}
}

// pump sends what waits at an address as far as there is credit.
func (o *loop) pump(address string) {
	for _, l := range o.consumers[address] {
		for len(o.waiting[address]) > 0 && l.Credit() > 0 {
			m := o.waiting[address][0]
			o.waiting[address] = o.waiting[address][1:]
			if err := l.Send(engine.Delivery{Payload: m.payload, Token: m}); err != nil {
				panic(err)
			}
		}
	}
}

func (o *loop) Progressed(l *engine.Link, u engine.Update) {
	switch {
	case u.Progress == engine.Updated && u.State.IsOutcome(): // the receiver settles second
		l.Settle(u.ID, *u.State)
	case u.Progress == engine.Settled:
	default:
		return
	}
	o.outcomes = append(o.outcomes, u.State.Kind.String())
	if m := u.Token.(*stored); u.State.Kind == frame.Released {
		o.waiting[m.address] = append(o.waiting[m.address], m)
		o.pump(m.address)
	}
}

// dial gives a client of go-amqp that talks to a loop over a pipe.
func dial(t *testing.T, limits engine.Limits, options *goamqp.ConnOptions) (*goamqp.Conn, *loop) {
	t.Helper()
	ours, theirs := net.Pipe()
	o := &loop{waiting: map[string][]*stored{}, consumers: map[string][]*engine.Link{}}
	served := make(chan struct{})
	go func() {
		defer close(served)
		driver := transport.NewDriver(transport.Options{})
		driver.Serve(context.Background(), ours, func(func()) transport.Engine {
			server := engine.Server{ContainerID: "loop", Mechanisms: []amqp.Symbol{"PLAIN"}}
			o.conn = engine.NewServer(time.Now(), &limits, server, o)
			return o.conn
		})
	}()
	client, err := goamqp.NewConn(t.Context(), theirs, options)
	if err != nil {
		theirs.Close()
		<-served
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close() // over a pipe its error is that it closed the pipe
		<-served
	})
	return client, o
}

func plainOptions(frameSize uint32) *goamqp.ConnOptions {
	return &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("user", "secret"), MaxFrameSize: frameSize}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestGoAMQPSendsAndReceives sends messages of many sizes with a client of another make and receives them again.
func TestGoAMQPSendsAndReceives(t *testing.T) {
	for _, frameSize := range []uint32{512, 64 << 10} {
		for _, mode := range []goamqp.ReceiverSettleMode{goamqp.ReceiverSettleModeFirst, goamqp.ReceiverSettleModeSecond} {
			t.Run(fmt.Sprintf("frames of %d, %v", frameSize, mode), func(t *testing.T) {
				limits := engine.DefaultLimits()
				limits.MaxFrameSize = frameSize
				limits.IncomingWindow = 16
				client, _ := dial(t, limits, plainOptions(frameSize))
				exchange(t, client, mode)
			})
		}
	}
}

func exchange(t *testing.T, client *goamqp.Conn, mode goamqp.ReceiverSettleMode) {
	ctx := t.Context()
	session := must[*goamqp.Session](t)(client.NewSession(ctx, nil))
	sender := must[*goamqp.Sender](t)(session.NewSender(ctx, "orders", nil))
	receiver := must[*goamqp.Receiver](t)(session.NewReceiver(ctx, "orders",
		&goamqp.ReceiverOptions{Credit: 10, SettlementMode: mode.Ptr()}))
	const n = 200
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if err := sender.Send(ctx, goamqp.NewMessage(body(i)), nil); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range n {
		m := must[*goamqp.Message](t)(receiver.Receive(ctx, nil))
		if !bytes.Equal(m.GetData(), body(i)) {
			t.Fatalf("message %d has %d bytes of another body", i, len(m.GetData()))
		}
		if err := receiver.AcceptMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if err := sender.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := receiver.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := session.Close(ctx); err != nil {
		t.Error(err)
	}
}

// body is the body of message i, some of which are larger than a frame.
func body(i int) []byte {
	size := 10 + i
	if i%20 == 7 {
		size = 5000 * i / 7
	}
	return bytes.Repeat([]byte{byte(i)}, size)
}

func TestGoAMQPDrains(t *testing.T) {
	client, _ := dial(t, engine.DefaultLimits(), plainOptions(0))
	ctx := t.Context()
	session := must[*goamqp.Session](t)(client.NewSession(ctx, nil))
	receiver := must[*goamqp.Receiver](t)(session.NewReceiver(ctx, "empty", &goamqp.ReceiverOptions{Credit: -1}))
	if err := receiver.IssueCredit(25); err != nil {
		t.Fatal(err)
	}
	if err := receiver.DrainCredit(ctx, nil); err != nil {
		t.Fatal(err)
	}
	// Credit that comes late delivers at once.
	sender := must[*goamqp.Sender](t)(session.NewSender(ctx, "empty", nil))
	if err := sender.Send(ctx, goamqp.NewMessage([]byte("late")), nil); err != nil {
		t.Fatal(err)
	}
	if err := receiver.IssueCredit(1); err != nil {
		t.Fatal(err)
	}
	if m := must[*goamqp.Message](t)(receiver.Receive(ctx, nil)); string(m.GetData()) != "late" {
		t.Errorf("received %q", m.GetData())
	}
}

func TestGoAMQPSettlesInEveryWay(t *testing.T) {
	client, o := dial(t, engine.DefaultLimits(), plainOptions(0))
	ctx := t.Context()
	session := must[*goamqp.Session](t)(client.NewSession(ctx, nil))
	sender := must[*goamqp.Sender](t)(session.NewSender(ctx, "q",
		&goamqp.SenderOptions{SettlementMode: goamqp.SenderSettleModeMixed.Ptr()}))
	receiver := must[*goamqp.Receiver](t)(session.NewReceiver(ctx, "q",
		&goamqp.ReceiverOptions{SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr()}))
	for _, settled := range []bool{true, false, true, false} {
		if err := sender.Send(ctx, goamqp.NewMessage([]byte("x")), &goamqp.SendOptions{Settled: settled}); err != nil {
			t.Fatal(err)
		}
	}
	next := func() *goamqp.Message { return must[*goamqp.Message](t)(receiver.Receive(ctx, nil)) }
	reject := &goamqp.Error{Condition: "amqp:decode-error", Description: "no"}
	for _, err := range []error{
		receiver.ReleaseMessage(ctx, next()), // and comes again
		rejected(receiver.RejectMessage(ctx, next(), reject)),
		receiver.ModifyMessage(ctx, next(), &goamqp.ModifyMessageOptions{DeliveryFailed: true}),
		receiver.AcceptMessage(ctx, next()),
		receiver.AcceptMessage(ctx, next()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(o.outcomes); got != "[released rejected modified accepted accepted]" {
		t.Errorf("the sender heard %s", got)
	}
}

// rejected is nil for the error with which go-amqp tells that the sender has settled a message as rejected.
func rejected(err error) error {
	if e, ok := errors.AsType[*goamqp.Error](err); ok && e.Condition == "amqp:decode-error" {
		return nil
	}
	return fmt.Errorf("rejecting gave %w", err)
}

func TestGoAMQPGetsADynamicAddress(t *testing.T) {
	client, _ := dial(t, engine.DefaultLimits(), plainOptions(0))
	ctx := t.Context()
	session := must[*goamqp.Session](t)(client.NewSession(ctx, nil))
	receiver := must[*goamqp.Receiver](t)(session.NewReceiver(ctx, "", &goamqp.ReceiverOptions{DynamicAddress: true}))
	if receiver.Address() != "dynamic-1" {
		t.Errorf("the address is %q", receiver.Address())
	}
}

func TestGoAMQPHearsWhyItIsRefused(t *testing.T) {
	client, _ := dial(t, engine.DefaultLimits(), plainOptions(0))
	session := must[*goamqp.Session](t)(client.NewSession(t.Context(), nil))
	_, err := session.NewSender(t.Context(), "forbidden", nil)
	if e, ok := errors.AsType[*goamqp.Error](err); !ok || e.Condition != "amqp:unauthorized-access" {
		t.Errorf("the error is %v", err)
	}
	// The session is still good.
	if _, err := session.NewSender(t.Context(), "allowed", nil); err != nil {
		t.Error(err)
	}
}

func TestGoAMQPWithAWrongPasswordIsDenied(t *testing.T) {
	ours, theirs := net.Pipe()
	limits := engine.DefaultLimits()
	o := &loop{}
	served := make(chan error, 1)
	go func() {
		served <- transport.NewDriver(transport.Options{}).Serve(context.Background(), ours, func(func()) transport.Engine {
			o.conn = engine.NewServer(time.Now(), &limits, engine.Server{Mechanisms: []amqp.Symbol{"PLAIN"}}, o)
			return o.conn
		})
	}()
	_, err := goamqp.NewConn(t.Context(), theirs, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("user", "wrong")})
	if err == nil {
		t.Error("a wrong password is let in")
	}
	if err := <-served; err != nil {
		t.Errorf("the transport ended with %v", err)
	}
}

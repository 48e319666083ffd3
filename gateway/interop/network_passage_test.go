//go:build interop

package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/Azure/go-amqp"
)

// passage is a way through a network, with a client at each end.
type passage struct {
	from, to *amqp.Session
}

func newPassage(t *testing.T, from, to *member) *passage {
	t.Helper()
	return &passage{session(t, dial(t, from.gateway, nil), nil), session(t, dial(t, to.gateway, nil), nil)}
}

// fresh gives an address that nobody has used before, below another one.
func fresh(below string) string { return fmt.Sprintf("%s/%d", below, rand.Uint64()) }

// link opens a link in each direction of an address that nobody has used before. It is ready when the sender has credit.
func (p *passage) link(t *testing.T, credit int32) (*amqp.Sender, *amqp.Receiver) {
	t.Helper()
	address := fresh("jobs")
	in := receiver(t, p.to, address, &amqp.ReceiverOptions{Credit: credit})
	return sender(t, p.from, address, nil), in
}

func (p *passage) anycast(t *testing.T) {
	out, in := p.link(t, 100)
	bodies := bodiesNamed("job", 50)
	var sending sync.WaitGroup
	sending.Go(func() {
		for _, body := range bodies {
			if err := out.Send(patiently(t), amqp.NewMessage([]byte(body)), nil); err != nil {
				t.Errorf("send %q: %v", body, err)
				return
			}
		}
	})
	defer sending.Wait()
	receive(t, in, bodies...)
	sending.Wait()
	closeAll(t, out, in)
}

// outcomes are told as the consumer says them.
func (p *passage) outcomes(t *testing.T) {
	out, in := p.link(t, 1)
	for name, settle := range map[string]func(context.Context, *amqp.Message) error{
		"*encoding.StateAccepted": in.AcceptMessage,
		"*encoding.StateReleased": in.ReleaseMessage,
		"*encoding.StateRejected": func(ctx context.Context, m *amqp.Message) error {
			return in.RejectMessage(ctx, m, &amqp.Error{Condition: amqp.ErrCondNotFound, Description: "no such job"})
		},
		"*encoding.StateModified": func(ctx context.Context, m *amqp.Message) error {
			return in.ModifyMessage(ctx, m, &amqp.ModifyMessageOptions{DeliveryFailed: true})
		},
	} {
		receipt, err := out.SendWithReceipt(patiently(t), amqp.NewMessage([]byte(name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := in.Receive(patiently(t), nil)
		if err == nil {
			err = settle(patiently(t), m)
		}
		if err != nil {
			t.Fatal(err)
		}
		state, err := receipt.Wait(patiently(t))
		if got := fmt.Sprintf("%T", state); got != name {
			t.Errorf("the sender was told %s (%v), want %s", got, err, name)
		}
		if rejected, ok := state.(*amqp.StateRejected); ok {
			if e := rejected.Error; e == nil || e.Condition != amqp.ErrCondNotFound || e.Description != "no such job" {
				t.Errorf("rejected for %v", e)
			}
		}
	}
	closeAll(t, out, in)
}

// settled messages are not lost as long as nothing breaks, whatever the receiver's pace.
func (p *passage) settled(t *testing.T) {
	address := fresh("jobs")
	in := receiver(t, p.to, address, &amqp.ReceiverOptions{Credit: 10})
	out := sender(t, p.from, address, nil)
	bodies := bodiesNamed("settled", 200)
	var sending sync.WaitGroup
	sending.Go(func() {
		for _, body := range bodies {
			if err := out.Send(patiently(t), amqp.NewMessage([]byte(body)), &amqp.SendOptions{Settled: true}); err != nil {
				t.Errorf("send %q: %v", body, err)
				return
			}
		}
	})
	defer sending.Wait()
	for _, body := range bodies {
		m, err := in.Receive(patiently(t), nil)
		if err != nil || string(m.GetData()) != body {
			t.Fatalf("received %v, %v, want %q", m, err, body)
		}
	}
	sending.Wait()
	closeAll(t, out, in)
}

func (p *passage) large(t *testing.T) {
	out, in := p.link(t, 2)
	for i := range 4 {
		body := bytes.Repeat([]byte{byte(i), 'x'}, 1_500_000)
		receipt, err := out.SendWithReceipt(patiently(t), amqp.NewMessage(body), nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := in.Receive(patiently(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.GetData(); !bytes.Equal(got, body) {
			t.Errorf("%d bytes arrived damaged, as %d", len(body), len(got))
		}
		if err := in.AcceptMessage(patiently(t), m); err != nil {
			t.Fatal(err)
		}
		if state, err := receipt.Wait(patiently(t)); err != nil || fmt.Sprintf("%T", state) != "*encoding.StateAccepted" {
			t.Errorf("the sender was told %T (%v)", state, err)
		}
	}
	closeAll(t, out, in)
}

// reply has a request answered to the address that was made for its sender.
func (p *passage) reply(t *testing.T) {
	out, in := p.link(t, 10)
	answers := receiver(t, p.from, "", &amqp.ReceiverOptions{DynamicAddress: true})
	back := sender(t, p.to, "", nil)
	answered := make(chan error, 1)
	go func() { answered <- respond(t, in, back) }()
	request := amqp.NewMessage([]byte("how many?"))
	to := answers.Address()
	request.Properties = &amqp.MessageProperties{ReplyTo: &to, CorrelationID: "7"}
	if err := out.Send(patiently(t), request, nil); err != nil {
		t.Fatal(err)
	}
	m, err := answers.Receive(patiently(t), nil)
	if err != nil || string(m.GetData()) != "three" || m.Properties.CorrelationID != "7" {
		t.Fatalf("the answer is %v, %v", m, err)
	}
	if err := errors.Join(answers.AcceptMessage(patiently(t), m), <-answered); err != nil {
		t.Fatal(err)
	}
	closeAll(t, out, in, answers, back)
}

// respond answers one request.
func respond(t *testing.T, in *amqp.Receiver, back *amqp.Sender) error {
	m, err := in.Receive(patiently(t), nil)
	if err != nil {
		return err
	}
	answer := amqp.NewMessage([]byte("three"))
	answer.Properties = &amqp.MessageProperties{To: m.Properties.ReplyTo, CorrelationID: m.Properties.CorrelationID}
	return errors.Join(in.AcceptMessage(patiently(t), m), untilAccepted(t, back, answer))
}

// untilAccepted sends a message again as long as it is released: the network may not know yet where it leads.
func untilAccepted(t *testing.T, out *amqp.Sender, m *amqp.Message) error {
	for ctx := patiently(t); ; {
		receipt, err := out.SendWithReceipt(ctx, m, nil)
		if err != nil {
			return err
		}
		switch state, err := receipt.Wait(ctx); state.(type) {
		case *amqp.StateAccepted:
			return nil
		case *amqp.StateReleased:
		default:
			return fmt.Errorf("the sender was told %T: %w", state, err)
		}
	}
}

// broadcast reaches those at each router, and each once, as soon as all are known.
func (p *passage) broadcast(t *testing.T, all []*member) {
	address := fresh("alerts")
	var ears []*ear
	for _, n := range all {
		ears = append(ears, newEar(t, n, address))
	}
	out := sender(t, p.from, address, nil)
	for probe := 0; !everybody(ears, (*ear).listens); probe++ {
		if err := untilAccepted(t, out, amqp.NewMessage(fmt.Appendf(nil, "probe %d", probe))); err != nil {
			t.Fatal(err)
		}
	}
	bodies := append(bodiesNamed("alert", 20), "last")
	send(t, out, bodies...)
	for i, e := range ears {
		e.until(t, "last")
		for _, body := range bodies {
			if n := e.heard[body]; n != 1 {
				t.Errorf("at %s %q arrived %d times", all[i].id, body, n)
			}
		}
		for body, n := range e.heard {
			if n > 1 {
				t.Errorf("at %s %q arrived %d times", all[i].id, body, n)
			}
		}
	}
	closeAll(t, out)
}

// ear is somebody who hears a broadcast.
type ear struct {
	arrived chan string
	heard   map[string]int
}

// newEar listens at a node, until the test ends.
func newEar(t *testing.T, n *member, address string) *ear {
	t.Helper()
	e := &ear{arrived: make(chan string, 10_000), heard: make(map[string]int)}
	in := receiver(t, session(t, dial(t, n.gateway, nil), nil), address, &amqp.ReceiverOptions{Credit: 1000})
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			m, err := in.Receive(ctx, nil)
			if err != nil {
				return
			}
			in.AcceptMessage(ctx, m)
			e.arrived <- string(m.GetData())
		}
	})
	t.Cleanup(func() {
		stop()
		listening.Wait()
	})
	return e
}

// listens tells whether anything has been heard.
func (e *ear) listens() bool {
	for len(e.arrived) > 0 {
		e.heard[<-e.arrived]++
	}
	return len(e.heard) > 0
}

// until waits for a message.
func (e *ear) until(t *testing.T, body string) {
	t.Helper()
	for ctx := patiently(t); e.heard[body] == 0; {
		select {
		case got := <-e.arrived:
			e.heard[got]++
		case <-ctx.Done():
			t.Fatalf("%q has not arrived; %v has", body, e.heard)
		}
	}
}

func everybody(ears []*ear, does func(*ear) bool) bool {
	all := true
	for _, e := range ears {
		all = does(e) && all
	}
	return all
}

// loss has a router between both ends die while a message is with its consumer: nobody knows how it ends, and the sender
// hears so. What is sent afterwards is for nobody.
func (p *passage) loss(t *testing.T, between *member) {
	out, in := p.link(t, 10)
	receipt, err := out.SendWithReceipt(patiently(t), amqp.NewMessage([]byte("on its way")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Receive(patiently(t), nil); err != nil {
		t.Fatal(err)
	}
	between.kill()
	state, err := receipt.Wait(patiently(t))
	if _, ok := state.(*amqp.StateModified); !ok {
		t.Errorf("the sender was told %T (%v), want modified", state, err)
	}
	receipt, err = out.SendWithReceipt(patiently(t), amqp.NewMessage([]byte("too late")), nil)
	if err == nil {
		state, err = receipt.Wait(patiently(t))
		if _, ok := state.(*amqp.StateReleased); !ok {
			t.Errorf("the sender was told %T (%v), want released", state, err)
		}
	}
	closeAll(t, out, in)
}

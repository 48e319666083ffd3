package amqp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// house is a door on a router with direct nodes, for the tenants default and acme, and clients of go-amqp.
type house struct {
	t       *testing.T
	ctx     context.Context
	server  *Server
	store   *store
	links   routertest.Links // of default
	acme    routertest.Links
	serving sync.WaitGroup
}

// run gives a test a house within a synctest bubble.
func run(t *testing.T, test func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		def := routertest.Define(t, "small", addressing.Anycast)
		def.MaxMessageSize = 100
		spare, way := routertest.Define(t, "spare", addressing.Anycast), routertest.Define(t, "way", addressing.Anycast)
		spare.Fallback, way.Egress = true, 2
		definitions := []addressing.Definition{
			routertest.Define(t, "commands/#", addressing.Anycast),
			routertest.Define(t, "alerts/#", addressing.Broadcast),
			routertest.Define(t, "jobs", addressing.Queue),
			routertest.Define(t, "news/#", addressing.Topic),
			def, spare, way,
		}
		user, other := routertest.User(t, "default", definitions...), routertest.User(t, "acme", definitions...)
		directory, err := tenancy.NewDirectory(user.Tenant, other.Tenant, &tenancy.Tenant{Name: "closed"})
		if err != nil {
			t.Fatal(err)
		}
		direct, stored := router.NewDirect(router.Limits{}), &store{}
		r := router.New(router.Limits{LinkCredit: 10}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: stored, addressing.Topic: stored,
		})
		ctx, stop := context.WithCancel(t.Context())
		h := &house{
			t: t, ctx: ctx, store: stored,
			links: routertest.Links{T: t, Router: r, User: user},
			acme:  routertest.Links{T: t, Router: r, User: other},
			server: New(Config{
				Router: r, Directory: directory, Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler),
				Driver: transport.NewDriver(transport.Options{}), ContainerID: "house", Version: "test",
			}),
		}
		test(t, h)
		stop()
		h.serving.Wait()
	})
}

// dial connects a client; o may be nil for its defaults.
func (h *house) dial(o *goamqp.ConnOptions) (*goamqp.Conn, error) {
	ours, theirs := net.Pipe()
	h.serving.Go(func() { h.server.ServeConn(h.ctx, ours) })
	c, err := goamqp.NewConn(h.ctx, theirs, o)
	if err != nil {
		theirs.Close()
		return nil, err
	}
	h.t.Cleanup(func() { c.Close() })
	return c, nil
}

func (h *house) session() *goamqp.Session {
	h.t.Helper()
	c, err := h.dial(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := c.NewSession(h.ctx, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) clientSender(s *goamqp.Session, target string, o *goamqp.SenderOptions) *goamqp.Sender {
	h.t.Helper()
	l, err := s.NewSender(h.ctx, target, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *house) clientReceiver(s *goamqp.Session, source string, o *goamqp.ReceiverOptions) *goamqp.Receiver {
	h.t.Helper()
	l, err := s.NewReceiver(h.ctx, source, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *house) receive(l *goamqp.Receiver) *goamqp.Message {
	h.t.Helper()
	m, err := l.Receive(h.ctx, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

func condition(err error) string {
	if e, ok := errors.AsType[*goamqp.Error](err); ok {
		return string(e.Condition)
	}
	if e, ok := errors.AsType[*goamqp.LinkError](err); ok && e.RemoteErr != nil {
		return string(e.RemoteErr.Condition)
	}
	if e, ok := errors.AsType[*goamqp.ConnError](err); ok && e.RemoteErr != nil {
		return string(e.RemoteErr.Condition)
	}
	return ""
}

func TestSendIsAnsweredWithTheConsumersOutcome(t *testing.T) {
	for _, c := range []struct {
		settle router.Outcome
		check  func(error) bool
	}{
		{router.Accept(), func(err error) bool { return err == nil }},
		{router.Reject(router.Quota, "no"), func(err error) bool {
			return condition(err) == "amqp:resource-limit-exceeded"
		}},
	} {
		run(t, func(t *testing.T, h *house) {
			worker := h.links.Receiver("commands/a", 10)
			l := h.clientSender(h.session(), "commands/a", nil)
			sent := make(chan error, 1)
			go func() { sent <- l.Send(h.ctx, goamqp.NewMessage([]byte("go")), nil) }()
			d := worker.Expect("go")[0]
			synctest.Wait()
			if len(sent) > 0 {
				t.Error("the sender was told before the consumer had settled")
			}
			d.Settle(c.settle)
			if err := <-sent; !c.check(err) {
				t.Errorf("settled %v, the sender was told %v", c.settle.State, err)
			}
		})
	}
}

// TestSenderWaitsForAConsumer: without one an anycast address grants no credit, so the client holds its message back.
func TestSenderWaitsForAConsumer(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		l := h.clientSender(h.session(), "commands/a", nil)
		sent := make(chan error, 1)
		go func() { sent <- l.Send(h.ctx, goamqp.NewMessage([]byte("go")), nil) }()
		synctest.Wait()
		if len(sent) > 0 {
			t.Fatalf("sent without anybody there: %v", <-sent)
		}
		h.links.Receiver("commands/a", 10).Expect("go")[0].Settle(router.Accept())
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// TestCreditGoesOn: far more messages than the first credit of either side come through, in order.
func TestCreditGoesOn(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.clientReceiver(h.session(), "commands/a", &goamqp.ReceiverOptions{Credit: 7})
		out := h.clientSender(h.session(), "commands/a", nil)
		const n = 500
		var sending sync.WaitGroup
		sending.Go(func() {
			for i := range n {
				if err := out.Send(h.ctx, goamqp.NewMessage([]byte{byte(i), byte(i >> 8)}), nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
		for i := range n {
			m := h.receive(in)
			if got := int(m.GetData()[0]) | int(m.GetData()[1])<<8; got != i {
				t.Fatalf("message %d came as number %d", got, i)
			}
			if err := in.AcceptMessage(h.ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		sending.Wait()
	})
}

func TestConsumersDispositionsReachTheSender(t *testing.T) {
	for name, c := range map[string]struct {
		settle func(context.Context, *goamqp.Receiver, *goamqp.Message) error
		want   router.State
	}{
		"accept": {func(ctx context.Context, l *goamqp.Receiver, m *goamqp.Message) error { return l.AcceptMessage(ctx, m) }, router.Accepted},
		"release": {func(ctx context.Context, l *goamqp.Receiver, m *goamqp.Message) error {
			return l.ReleaseMessage(ctx, m)
		}, router.Released},
		"reject": {func(ctx context.Context, l *goamqp.Receiver, m *goamqp.Message) error {
			return l.RejectMessage(ctx, m, &goamqp.Error{Condition: "my:reason"})
		}, router.Rejected},
		"modify": {func(ctx context.Context, l *goamqp.Receiver, m *goamqp.Message) error {
			return l.ModifyMessage(ctx, m, &goamqp.ModifyMessageOptions{DeliveryFailed: true})
		}, router.Modified},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				in := h.clientReceiver(h.session(), "commands/a", nil)
				p := h.links.Sender("commands/a")
				p.Send("job")
				m := h.receive(in)
				synctest.Wait()
				if p.Heard() {
					t.Error("settled before the consumer did")
				}
				if err := c.settle(h.ctx, in, m); err != nil {
					t.Fatal(err)
				}
				if got := p.Next().Outcome.State; got != c.want {
					t.Errorf("outcome %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestReceiverMissesNothingWhileItsCreditIsOnItsWay: the route is live with the attach, before any credit.
func TestReceiverMissesNothingWhileItsCreditIsOnItsWay(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.clientReceiver(h.session(), "alerts/x", &goamqp.ReceiverOptions{Credit: -1})
		p := h.links.Sender("alerts/x")
		for _, s := range []string{"1", "2", "3"} {
			p.Send(s)
		}
		p.Accepted(3)
		for _, want := range []string{"1", "2", "3"} {
			if err := in.IssueCredit(1); err != nil {
				t.Fatal(err)
			}
			m := h.receive(in)
			if string(m.GetData()) != want {
				t.Errorf("got %q, want %q", m.GetData(), want)
			}
			if err := in.AcceptMessage(h.ctx, m); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestReceiverThatGivesNoCreditCostsItsBound and no more.
func TestReceiverThatGivesNoCreditCostsItsBound(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		h.server.config.Limits.SubscriptionCredit = 2
		in := h.clientReceiver(h.session(), "alerts/x", &goamqp.ReceiverOptions{Credit: -1})
		p := h.links.Sender("alerts/x")
		for range 5 {
			p.Send("x")
		}
		p.Accepted(2)
		if got := h.links.Router.Counters("default").Kind(addressing.Broadcast).Dropped(); got != 3 {
			t.Errorf("%d dropped, want 3", got)
		}
		if err := in.IssueCredit(5); err != nil {
			t.Fatal(err)
		}
		h.receive(in)
		h.receive(in)
		p.Send("again")
		if m := h.receive(in); string(m.GetData()) != "again" {
			t.Errorf("got %q", m.GetData())
		}
	})
}

// TestConsumerThatEndsGivesBackWhatItHeld: as not dealt with when it ends in order, as failed when it is lost.
func TestConsumerThatEndsGivesBackWhatItHeld(t *testing.T) {
	for name, x := range map[string]struct {
		end  func(c *client, in *link)
		want router.State
	}{
		"detach":  {func(_ *client, in *link) { in.Detach() }, router.Released},
		"close":   {func(_ *client, in *link) { in.Close(nil) }, router.Released},
		"end":     {func(_ *client, in *link) { in.Session().End(nil) }, router.Released},
		"goodbye": {func(c *client, _ *link) { c.conn.Close(nil) }, router.Released},
		"fault":   {func(_ *client, in *link) { in.Close(&frame.Error{Condition: frame.InternalError}) }, router.Modified},
		"network": {func(c *client, _ *link) { c.wire.Close() }, router.Modified},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				c := h.client(frame.Open{})
				in := c.receiver("in", &frame.Source{Address: "commands/a"})
				in.Grant(1)
				c.flush()
				p := h.links.Sender("commands/a")
				p.Send("job")
				in.expect("job")
				x.end(c, in)
				if name != "network" {
					c.flush()
				}
				if got := p.Next().Outcome.State; got != x.want {
					t.Errorf("outcome %v, want %v", got, x.want)
				}
			})
		})
	}
}

// TestMessagePassesByteForByte: what a client sent comes out with all its sections and property types.
func TestMessagePassesByteForByte(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.clientReceiver(h.session(), "alerts/x", nil)
		out := h.clientSender(h.session(), "alerts/x", nil)
		sent := &goamqp.Message{
			Header:      &goamqp.MessageHeader{Durable: true, Priority: 7},
			Annotations: goamqp.Annotations{"x-opt-mine": int64(-5)},
			Properties: &goamqp.MessageProperties{
				MessageID: "id", Subject: ptr("s"), ReplyTo: ptr("r"), CorrelationID: uint64(1), ContentType: ptr("a/b"),
			},
			ApplicationProperties: map[string]any{"i": int32(1), "l": int64(-1), "b": true, "f": 1.5, "bin": []byte{0, 255}},
			Data:                  [][]byte{[]byte("one"), {}, []byte("two")},
			Footer:                goamqp.Annotations{"sum": "f"},
		}
		if err := out.Send(h.ctx, sent, nil); err != nil {
			t.Fatal(err)
		}
		want, err := sent.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		m := h.receive(in)
		got, err := m.MarshalBinary()
		if err != nil || !bytes.Equal(got, want) && len(got) != len(want) { // maps have no order
			t.Errorf("got  %x\nwant %x (%v)", got, want, err)
		}
		if m.Header == nil || m.Header.Priority != 7 || len(m.Data) != 3 || m.ApplicationProperties["l"] != int64(-1) {
			t.Errorf("got %+v", m)
		}
	})
}

func ptr[T any](v T) *T { return &v }

// TestLargeMessageTakesManyFrames both ways.
func TestLargeMessageTakesManyFrames(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.clientReceiver(h.session(), "commands/a", nil)
		out := h.clientSender(h.session(), "commands/a", nil)
		body := bytes.Repeat([]byte("0123456789abcdef"), 40_000)
		var sending sync.WaitGroup
		sending.Go(func() {
			if err := out.Send(h.ctx, goamqp.NewMessage(body), nil); err != nil {
				t.Error(err)
			}
		})
		m := h.receive(in)
		if !bytes.Equal(m.GetData(), body) {
			t.Errorf("%d bytes came, want %d, or others", len(m.GetData()), len(body))
		}
		if err := in.AcceptMessage(h.ctx, m); err != nil {
			t.Error(err)
		}
		sending.Wait()
	})
}

func TestDrainIsAnswered(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.clientReceiver(h.session(), "commands/a", &goamqp.ReceiverOptions{Credit: -1})
		if err := in.IssueCredit(10); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := in.DrainCredit(h.ctx, nil); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got > time.Second {
			t.Errorf("draining took %v", got)
		}
		p := h.links.Sender("commands/a")
		p.Send("waits")
		synctest.Wait()
		if p.Heard() {
			t.Error("a message went out after its credit had been given back")
		}
		if err := in.IssueCredit(1); err != nil {
			t.Fatal(err)
		}
		if err := in.AcceptMessage(h.ctx, h.receive(in)); err != nil {
			t.Fatal(err)
		}
		p.Accepted(1)
	})
}

func TestRelaySendsWhereEachMessageSays(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		a, b := h.links.Receiver("alerts/a", 5), h.links.Receiver("alerts/b", 5)
		relay := h.clientSender(h.session(), "", nil)
		send := func(to string) error {
			return relay.Send(h.ctx, &goamqp.Message{
				Properties: &goamqp.MessageProperties{To: &to}, Data: [][]byte{[]byte(to)},
			}, nil)
		}
		for _, to := range []string{"alerts/a", "/alerts/b"} {
			if err := send(to); err != nil {
				t.Errorf("%s: %v", to, err)
			}
		}
		a.Expect("alerts/a")
		b.Expect("/alerts/b")
		if got := condition(send("nowhere")); got != "amqp:not-found" {
			t.Errorf("to nowhere: condition %q", got)
		}
	})
}

func TestRefusedLinksSayWhy(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		s := h.session()
		for _, c := range []struct{ name, address, want string }{
			{"unknown", "nowhere", "amqp:not-found"},
			{"malformed", "a/#/b", "amqp:invalid-field"},
			{"subscription of no topic", "alerts/x::audit", "amqp:not-implemented"},
		} {
			_, err := s.NewReceiver(h.ctx, c.address, nil)
			if got := condition(err); got != c.want {
				t.Errorf("receiving from %s: condition %q (%v), want %q", c.name, got, err, c.want)
			}
		}
		if _, err := s.NewSender(h.ctx, "nowhere", nil); condition(err) != "amqp:not-found" {
			t.Errorf("sending to nowhere: %v", err)
		}
		// The session goes on.
		h.links.Receiver("alerts/x", 1)
		if err := h.clientSender(s, "alerts/x", nil).Send(h.ctx, goamqp.NewMessage([]byte("x")), nil); err != nil {
			t.Error(err)
		}
	})
}

// TestRequestsAreAnsweredToADynamicAddress as a client makes one for its answers; it ends with its link.
func TestRequestsAreAnsweredToADynamicAddress(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		requester, responder := h.session(), h.session()
		answers := h.clientReceiver(requester, "", &goamqp.ReceiverOptions{DynamicAddress: true})
		if answers.Address() == "" {
			t.Fatal("the dynamic source has no address")
		}
		requests := h.clientReceiver(responder, "commands/service", nil)
		var responding sync.WaitGroup
		responding.Go(func() {
			m := h.receive(requests)
			relay := h.clientSender(responder, "", nil)
			answer := &goamqp.Message{
				Properties: &goamqp.MessageProperties{To: m.Properties.ReplyTo}, Data: [][]byte{[]byte("answer")},
			}
			if err := relay.Send(h.ctx, answer, nil); err != nil {
				t.Error(err)
			}
			if err := requests.AcceptMessage(h.ctx, m); err != nil {
				t.Error(err)
			}
		})
		request := &goamqp.Message{
			Properties: &goamqp.MessageProperties{ReplyTo: ptr(answers.Address())}, Data: [][]byte{[]byte("question")},
		}
		out := h.clientSender(requester, "commands/service", nil)
		var asking sync.WaitGroup
		asking.Go(func() {
			if err := out.Send(h.ctx, request, nil); err != nil {
				t.Error(err)
			}
		})
		m := h.receive(answers)
		if string(m.GetData()) != "answer" {
			t.Errorf("got %q", m.GetData())
		}
		if err := answers.AcceptMessage(h.ctx, m); err != nil {
			t.Error(err)
		}
		responding.Wait()
		asking.Wait()
		address := answers.Address()
		answers.Close(h.ctx)
		synctest.Wait()
		if _, err := requester.NewSender(h.ctx, address, nil); condition(err) != "amqp:not-found" {
			t.Errorf("after its link has ended: %v, want not-found", err)
		}
	})
}

func TestMessageBeyondTheAddressLimitIsRefused(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		h.links.Receiver("small", 5)
		l := h.clientSender(h.session(), "small", nil)
		if got := l.MaxMessageSize(); got != 100 {
			t.Errorf("the attach says %d, want the address's 100", got)
		}
		if err := l.Send(h.ctx, goamqp.NewMessage(make([]byte, 200)), nil); err == nil {
			t.Error("a message beyond the limit was taken")
		}
	})
}

func TestTenantComesFromHostNameOrUserAndTheyMustAgree(t *testing.T) {
	for _, c := range []struct {
		name, host, user string
		in               string // the tenant; empty for a refusal
	}{
		{"nothing", "", "", "default"},
		{"a machine's name", "localhost", "", "default"},
		{"host", "acme", "", "acme"},
		{"host with domain", "acme.example.org", "", "acme"},
		{"user", "", "ann@acme", "acme"},
		{"agreeing", "acme", "ann@acme", "acme"},
		{"disagreeing", "default", "ann@acme", ""},
		{"unknown tenant", "", "ann@nobody", ""},
		{"tenant that is not anonymous", "closed", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				o := &goamqp.ConnOptions{HostName: c.host}
				if c.user != "" {
					o.SASLType = goamqp.SASLTypePlain(c.user, "secret")
				}
				conn, err := h.dial(o)
				if err != nil {
					if c.in != "" {
						t.Error(err)
					}
					return
				}
				s, err := conn.NewSession(h.ctx, nil)
				if c.in == "" {
					if err == nil {
						t.Error("let in")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				boxes := map[string]*routertest.Consumer{
					"default": h.links.Receiver("alerts/x", 1), "acme": h.acme.Receiver("alerts/x", 1),
				}
				if err := h.clientSender(s, "alerts/x", nil).Send(h.ctx, goamqp.NewMessage([]byte("x")), nil); err != nil {
					t.Fatal(err)
				}
				for tenant, box := range boxes {
					if got := !box.Idle(); got != (tenant == c.in) {
						t.Errorf("tenant %s: received %v", tenant, got)
					}
				}
			})
		})
	}
}

func TestStoppingSaysGoodbye(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		ctx, stop := context.WithCancel(h.ctx)
		h.ctx = ctx
		ours, theirs := net.Pipe()
		h.serving.Go(func() { h.server.ServeConn(ctx, ours) })
		c, err := goamqp.NewConn(t.Context(), theirs, nil)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		<-c.Done()
	})
}

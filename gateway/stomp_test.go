package gateway

import (
	"crypto/tls"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/coder/websocket"
	stomp "github.com/go-stomp/stomp/v3"
	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// startSTOMP starts a gateway and gives clients of its STOMP door.
func startSTOMP(t *testing.T) (dial func(options ...func(*stomp.Conn) error) *stomp.Conn) {
	doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
	return func(options ...func(*stomp.Conn) error) *stomp.Conn {
		t.Helper()
		return dialSTOMP(t, doors["stomp"], options...)
	}
}

// deliver sends texts with receipts.
func deliver(t *testing.T, c *stomp.Conn, to string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := c.Send(to, "text/plain", []byte(body), stomp.SendOpt.Receipt); err != nil {
			t.Fatal(err)
		}
	}
}

// subscribe asks for a subscription, which need not be live yet. Its messages have to be read before the client does
// anything else.
func subscribe(t *testing.T, c *stomp.Conn, from string, ack stomp.AckMode, header ...string) *stomp.Subscription {
	t.Helper()
	var options []func(*frame.Frame) error
	for i := 0; i < len(header); i += 2 {
		options = append(options, stomp.SubscribeOpt.Header(header[i], header[i+1]))
	}
	s, err := c.Subscribe(from, ack, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// subscribeNow is subscribe that returns when the subscription is live.
func subscribeNow(t *testing.T, c *stomp.Conn, from string, ack stomp.AckMode, header ...string) *stomp.Subscription {
	t.Helper()
	s := subscribe(t, c, from, ack, header...)
	if err := c.Begin().AbortWithReceipt(); err != nil {
		t.Fatal(err)
	}
	return s
}

// expectBodies reads messages with these bodies, in this order, and gives them.
func expectBodies(t *testing.T, s *stomp.Subscription, bodies ...string) (got []*stomp.Message) {
	t.Helper()
	for _, body := range bodies {
		m, err := s.Read()
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Body) != body {
			t.Fatalf("got %q, want %q", m.Body, body)
		}
		got = append(got, m)
	}
	return got
}

func TestSTOMPTransactionIsAllOrNothing(t *testing.T) {
	dial := startSTOMP(t)
	c := dial()
	deliver(t, c, "jobs", "1", "2", "3")
	s := subscribe(t, c, "/queue/jobs", stomp.AckClientIndividual)
	watch := subscribeNow(t, dial(), "/topic/telemetry/done", stomp.AckAuto)
	got := expectBodies(t, s, "1", "2", "3")

	undone := c.Begin()
	if err := undone.Ack(got[0]); err != nil {
		t.Fatal(err)
	}
	if err := undone.Send("/topic/telemetry/done", "", []byte("never")); err != nil {
		t.Fatal(err)
	}
	if err := undone.AbortWithReceipt(); err != nil {
		t.Fatal(err)
	}
	done := c.Begin()
	for _, m := range got[:2] {
		if err := done.Ack(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := done.Send("/topic/telemetry/done", "", []byte("two done")); err != nil {
		t.Fatal(err)
	}
	if err := done.CommitWithReceipt(); err != nil {
		t.Fatal(err)
	}
	expectBodies(t, watch, "two done")
	if err := c.MustDisconnect(); err != nil {
		t.Fatal(err)
	}
	left := expectBodies(t, subscribe(t, dial(), "jobs", stomp.AckClient), "3")
	if left[0].Header.Get("redelivered") != "true" {
		t.Error("what was given back is not marked")
	}
}

// TestSTOMPUnsubscribeKeepsWhatATransactionSettled: the subscription may end before the commit.
func TestSTOMPUnsubscribeKeepsWhatATransactionSettled(t *testing.T) {
	dial := startSTOMP(t)
	c := dial()
	deliver(t, c, "jobs", "1")
	s := subscribe(t, c, "jobs", stomp.AckClientIndividual)
	got := expectBodies(t, s, "1")
	transaction := c.Begin()
	if err := transaction.Ack(got[0]); err != nil {
		t.Fatal(err)
	}
	if err := unsubscribe(s); err != nil {
		t.Fatal(err)
	}
	if err := transaction.CommitWithReceipt(); err != nil {
		t.Fatal(err)
	}
	deliver(t, c, "jobs", "2")
	expectBodies(t, subscribe(t, dial(), "jobs", stomp.AckAuto), "2")
}

// TestSTOMPDurableSubscriptionKeepsMessages: by the headers of ActiveMQ, Artemis and RabbitMQ.
func TestSTOMPDurableSubscriptionKeepsMessages(t *testing.T) {
	for name, header := range map[string][]string{
		"ActiveMQ": {"activemq.subscriptionName", "mine"},
		"Artemis":  {"durable-subscription-name", "mine"},
		"RabbitMQ": {"durable", "true", "id", "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			dial := startSTOMP(t)
			me := stomp.ConnOpt.Header("client-id", "me")
			c := dial(me)
			subscribeNow(t, c, "/topic/telemetry/#", stomp.AckClient, header...)
			if err := c.Disconnect(); err != nil {
				t.Fatal(err)
			}
			other, reader := dial(), dial()
			deliver(t, other, "telemetry/a", "1")
			expectBodies(t, subscribe(t, reader, "telemetry/#::me:mine", stomp.AckAuto), "1")
			if err := reader.Disconnect(); err != nil {
				t.Fatal(err)
			}
			deliver(t, other, "telemetry/a", "2")

			c = dial(me)
			s := subscribe(t, c, "/topic/telemetry/#", stomp.AckClientIndividual, header...)
			if err := c.Ack(expectBodies(t, s, "2")[0]); err != nil {
				t.Fatal(err)
			}
			forget := func(f *frame.Frame) error {
				for i := 0; i < len(header); i += 2 {
					f.Header.Set(header[i], header[i+1])
				}
				return nil
			}
			if err := unsubscribe(s, forget); err != nil {
				t.Fatal(err)
			}
			deliver(t, other, "telemetry/a", "3")
			s = subscribeNow(t, c, "/topic/telemetry/#", stomp.AckAuto, header...)
			deliver(t, other, "telemetry/a", "4")
			expectBodies(t, s, "4")
		})
	}
}

// TestSTOMPClientTakesItsSubscriptionWithIt: a client that comes back before its former connection is known to be dead
// gets its durable subscription, and what it had not acknowledged; who has no name of his own is told of the conflict.
func TestSTOMPClientTakesItsSubscriptionWithIt(t *testing.T) {
	dial := startSTOMP(t)
	name := []string{"activemq.subscriptionName", "mine"}
	me := stomp.ConnOpt.Header("client-id", "me")
	former := subscribeNow(t, dial(me), "/topic/telemetry/#", stomp.AckClient, name...)
	deliver(t, dial(), "telemetry/a", "1")
	expectBodies(t, former, "1")

	again := expectBodies(t, subscribe(t, dial(me), "/topic/telemetry/#", stomp.AckClient, name...), "1")[0]
	if again.Header.Get("redelivered") != "true" {
		t.Errorf("it came again with the headers %+v", again.Header)
	}
	if m := <-former.C; m.Err == nil || !strings.Contains(m.Err.Error(), "conflict") {
		t.Errorf("the former connection got %+v", m)
	}

	nameless := subscribeNow(t, dial(), "/topic/telemetry/#", stomp.AckClient, name...)
	refused := subscribe(t, dial(), "/topic/telemetry/#", stomp.AckClient, name...)
	if m := <-refused.C; m.Err == nil || !strings.Contains(m.Err.Error(), "conflict") {
		t.Errorf("a second one without a name got %+v", m)
	}
	deliver(t, dial(), "telemetry/a", "2")
	expectBodies(t, nameless, "2")
}

func TestSTOMPBrowserTakesNothingAndComesToItsEnd(t *testing.T) {
	dial := startSTOMP(t)
	c := dial()
	bodies := make([]string, 250)
	for i := range bodies {
		bodies[i] = string(rune('a' + i%26))
	}
	deliver(t, c, "jobs", bodies...)
	for range 2 {
		s := subscribe(t, dial(), "/queue/jobs", stomp.AckAuto, "browser", "true")
		expectBodies(t, s, bodies...)
		if end := expectBodies(t, s, "")[0]; end.Header.Get("browser") != "end" {
			t.Errorf("the last message has the headers %+v", end.Header)
		}
	}
	s := subscribe(t, dial(), "/queue/jobs", stomp.AckAuto, "browser", "true", "selector", "color = 'red'")
	expectBodies(t, s, "")
	expectBodies(t, subscribe(t, dial(), "jobs", stomp.AckAuto), bodies...)
}

func TestSTOMPOverWebSocketTakesText(t *testing.T) {
	door := "ws://" + start(t, quickstart(t))["http"]
	ctx := t.Context()
	for _, subprotocol := range []string{"v10.stomp", "v11.stomp", "v12.stomp"} {
		socket, _, err := websocket.Dial(ctx, door+"/stomp", &websocket.DialOptions{Subprotocols: []string{subprotocol}})
		if err != nil {
			t.Fatal(err)
		}
		say := func(kind websocket.MessageType, text, want string) {
			t.Helper()
			if err := socket.Write(ctx, kind, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := socket.Read(ctx); err != nil || len(got) < len(want) || string(got[:len(want)]) != want {
				t.Fatalf("%s: got %q, %v", subprotocol, got, err)
			}
		}
		say(websocket.MessageText, "CONNECT\naccept-version:1.2\nhost:x\n\n\x00", "CONNECTED\nversion:1.2\n")
		say(websocket.MessageText, "SEND\ndestination:jobs\nreceipt:1\n\nü\x00", "RECEIPT\nreceipt-id:1\n\n\x00")
		say(websocket.MessageBinary, "SEND\ndestination:jobs\nreceipt:2\n\n\xff\x00", "RECEIPT\nreceipt-id:2\n\n\x00")
		socket.Close(websocket.StatusNormalClosure, "")
	}
}

func TestSTOMPOverTLSLetsInByCertificate(t *testing.T) {
	a := gatewaytest.New(t)
	c := quickstart(t)
	c.TLS = a.Settings("optional")
	c.Anonymous = false
	c.Users = []config.User{{Name: "ann"}}
	c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	door := start(t, c)["stomps"]
	for user, in := range map[string]bool{"ann": true, "bob": false, "": false} {
		nc, err := tls.Dial("tcp", door, a.Dialer("localhost", user))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := stomp.Connect(nc, quietly)
		if (err == nil) != in {
			t.Errorf("%q: %v", user, err)
		}
		if err == nil {
			deliver(t, conn, "jobs", "x")
			conn.MustDisconnect()
		}
		nc.Close()
	}
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// note is a message as far as settings of queues look at it.
type note struct{ body, id, group, sensor string }

// party sends to and receives from queues over one protocol.
type party interface {
	// send gives nil when the message is accepted.
	send(to string, n note) error
	// receive waits for a message for as long as a test may take and gives its body.
	receive(from string) (string, hold, error)
	// isEmpty tells whether there is no message for it now.
	isEmpty(queue string) bool
}

// hold is a message that a party has received.
type hold interface {
	accept() error
	reject() error
	fail() error // tells, in the way of the protocol, that it was tried and failed
}

// amqpParty is a client of go-amqp.
type amqpParty struct{ amqpUser }

func (p amqpParty) send(to string, n note) error {
	m := goamqp.NewMessage([]byte(n.body))
	m.Properties = new(goamqp.MessageProperties)
	if n.id != "" {
		m.Properties.MessageID = n.id
	}
	if n.group != "" {
		m.Properties.GroupID = &n.group
	}
	if n.sensor != "" {
		m.ApplicationProperties = map[string]any{"sensor": n.sensor}
	}
	return p.amqpClient.send(to, m)
}

func (p amqpParty) receive(from string) (string, hold, error) {
	link, err := p.attachReceiver(from, &goamqp.ReceiverOptions{Credit: 1})
	if err != nil {
		return "", nil, err
	}
	m, err := link.Receive(p.ctx, nil)
	if err != nil {
		return "", nil, err
	}
	return string(m.GetData()), amqpHold{p, link, m}, nil
}

func (p amqpParty) isEmpty(queue string) bool {
	link, err := p.attachReceiver(queue, &goamqp.ReceiverOptions{Credit: -1})
	if err != nil {
		p.t.Error(err)
		return false
	}
	defer link.Close(p.ctx)
	if err = link.IssueCredit(1); err == nil {
		err = link.DrainCredit(p.ctx, nil)
	}
	if err != nil {
		p.t.Error(err)
	}
	return link.Prefetched() == nil
}

type amqpHold struct {
	party amqpParty
	link  *goamqp.Receiver
	m     *goamqp.Message
}

func (h amqpHold) accept() error { return h.end(h.link.AcceptMessage(h.party.ctx, h.m)) }
func (h amqpHold) reject() error { return h.end(h.link.RejectMessage(h.party.ctx, h.m, nil)) }

func (h amqpHold) fail() error {
	return h.end(h.link.ModifyMessage(h.party.ctx, h.m, &goamqp.ModifyMessageOptions{DeliveryFailed: true}))
}

func (h amqpHold) end(err error) error { return errors.Join(err, h.link.Close(h.party.ctx)) }

// httpParty is a client of the HTTP door.
type httpParty struct {
	ctx  context.Context
	http *httpClient
}

func (p httpParty) send(to string, n note) error {
	h := make(http.Header)
	for name, value := range map[string]string{
		"Manifold-Message-Id": n.id, "Manifold-Group-Id": n.group, "Manifold-Property": n.sensor,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if n.sensor != "" {
		h.Set("Manifold-Property", "sensor="+n.sensor)
	}
	return p.ask(http.MethodPost, pathOf("default", to, "messages"), h, n.body, http.StatusCreated)
}

func (p httpParty) ask(method, path string, h http.Header, body string, want int) error {
	answer, err := p.http.ask(p.ctx, method, path, h, []byte(body))
	if err == nil && answer.code != want {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, answer.code, answer.body)
	}
	return err
}

func (p httpParty) receive(from string) (string, hold, error) {
	path := pathOf("default", from, "messages/head?timeout=15&lock=1")
	answer, err := p.http.ask(p.ctx, http.MethodPost, path, nil, nil)
	if err == nil && answer.code != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.code, answer.body)
	}
	return string(answer.body), httpHold{p, answer.header.Get("Location")}, err
}

func (p httpParty) isEmpty(queue string) bool {
	path := pathOf("default", queue, "messages/head?timeout=0")
	return p.ask(http.MethodPost, path, nil, "", http.StatusNoContent) == nil
}

type httpHold struct {
	party    httpParty
	location string
}

func (h httpHold) accept() error {
	return h.party.ask(http.MethodDelete, h.location, nil, "", http.StatusNoContent)
}

func (h httpHold) reject() error {
	return h.party.ask(http.MethodPost, h.location+"/reject", nil, "", http.StatusNoContent)
}

// fail lets the lock expire.
func (h httpHold) fail() error { return nil }

// settled is a queue with settings, and who uses it.
type settled struct {
	t *testing.T
	party
	other amqpUser
}

func (s settled) sends(notes ...note) {
	s.t.Helper()
	for _, n := range notes {
		if err := s.send("q", n); err != nil {
			s.t.Fatalf("sending %q: %v", n.body, err)
		}
	}
}

func (s settled) isRefused(n note, reasons ...string) {
	s.t.Helper()
	err := s.send("q", n)
	if err == nil {
		s.t.Errorf("%.20q was taken in", n.body)
		return
	}
	for _, r := range reasons {
		if strings.Contains(err.Error(), r) {
			return
		}
	}
	s.t.Errorf("%.20q was refused with %v", n.body, err)
}

func (s settled) gets(from, want string) hold {
	s.t.Helper()
	body, h, err := s.receive(from)
	if err != nil || body != want {
		s.t.Fatalf("from %s came %q and %v, want %q", from, body, err, want)
	}
	return h
}

func (s settled) does(act func() error) {
	s.t.Helper()
	if err := act(); err != nil {
		s.t.Error(err)
	}
}

// takes receives and accepts.
func (s settled) takes(from string, bodies ...string) {
	s.t.Helper()
	for _, b := range bodies {
		s.does(s.gets(from, b).accept)
	}
	if !s.isEmpty(from) {
		s.t.Errorf("there is more at %s", from)
	}
}

const overQuota, overQuotaHTTP = "resource-limit-exceeded", "status 429"

// TestSettingsOfQueuesHoldOverEveryProtocol: each setting of docs/broker.md, over AMQP and over HTTP.
func TestSettingsOfQueuesHoldOverEveryProtocol(t *testing.T) {
	for _, c := range []struct {
		setting string
		test    func(s settled)
	}{
		{"maxMessages: 2", func(s settled) {
			s.sends(note{body: "1"}, note{body: "2"})
			s.isRefused(note{body: "3"}, overQuota, overQuotaHTTP)
			s.takes("q", "1", "2")
		}},
		{"maxBytes: 1KiB", func(s settled) {
			s.sends(note{body: "1"})
			s.isRefused(note{body: strings.Repeat("2", 1100)}, overQuota, overQuotaHTTP)
			s.takes("q", "1")
		}},
		{"maxMessages: 2, overflow: dropHead", func(s settled) {
			s.sends(note{body: "1"}, note{body: "2"}, note{body: "3"})
			s.takes("q", "2", "3")
		}},
		{"maxMessageSize: 200", func(s settled) {
			s.sends(note{body: "1"})
			s.isRefused(note{body: strings.Repeat("2", 300)}, "size-exceeded", "status 413", "exceeds max")
			s.takes("q", "1")
		}},
		{"lastValueKey: sensor", func(s settled) {
			s.sends(note{body: "a1", sensor: "a"}, note{body: "b1", sensor: "b"}, note{body: "a2", sensor: "a"})
			s.takes("q", "b1", "a2")
		}},
		{"dedupWindow: {messages: 2, time: 1h}", func(s settled) {
			s.sends(note{body: "1", id: "x"}, note{body: "2", id: "x"}, note{body: "3", id: "y"})
			s.takes("q", "1", "3")
		}},
		{"nonDestructive: true", func(s settled) {
			s.sends(note{body: "1"})
			for range 2 {
				if body, _, err := s.receive("q"); err != nil || body != "1" {
					s.t.Errorf("%q and %v came", body, err)
				}
			}
		}},
		{"consumeOnly: true", func(s settled) {
			s.isRefused(note{body: "1"}, "unauthorized-access", "status 403")
		}},
		{"consumers: {max: 1}", func(s settled) { s.isShutOut() }},
		{"consumers: {exclusive: true}", func(s settled) { s.isShutOut() }},
		{"consumers: {singleActive: true}", func(s settled) {
			active := s.other.receiver("q", 5)
			s.sends(note{body: "1"})
			s.other.take(active, "1")
			s.sends(note{body: "2"}, note{body: "3"})
			if !s.isEmpty("q") {
				s.t.Error("a second consumer got a message")
			}
			s.other.take(active, "2")
			s.other.take(active, "3")
		}},
		{"groups: true", func(s settled) {
			owner := s.other.receiver("q", 1)
			s.sends(note{body: "a1", group: "a"})
			s.other.take(owner, "a1")
			s.sends(note{body: "a2", group: "a"}, note{body: "b1", group: "b"})
			s.takes("q", "b1")
			s.other.take(owner, "a2")
		}},
		{"ttl: {default: 20ms}, expiry: late", func(s settled) {
			s.sends(note{body: "1"})
			s.takes("late", "1")
		}},
		{"deadLetter: dead", func(s settled) {
			s.sends(note{body: "1"})
			s.does(s.gets("q", "1").reject)
			s.takes("dead", "1")
		}},
		{"maxDeliveries: 2, deadLetter: dead", func(s settled) {
			s.sends(note{body: "1"})
			s.does(s.gets("q", "1").fail)
			s.does(s.gets("q", "1").fail)
			s.takes("dead", "1")
		}},
		{"redeliveryDelay: {initial: 300ms}", func(s settled) {
			s.sends(note{body: "1"})
			s.does(s.gets("q", "1").fail)
			began := time.Now()
			s.takes("q", "1")
			if waited := time.Since(began); waited < 250*time.Millisecond {
				s.t.Errorf("it came again after %v", waited)
			}
		}},
	} {
		t.Run(c.setting, func(t *testing.T) {
			file := "anonymous: true\naddresses:\n  - {name: q, kind: queue, " + c.setting +
				"}\n  - {name: dead, kind: queue}\n  - {name: late, kind: queue}\n"
			parsed, err := config.Parse("settings.yaml", []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			for _, protocol := range []string{"AMQP", "HTTP"} {
				t.Run(protocol, func(t *testing.T) {
					doors := startOn(t, vfs.NewMem(), onFreePorts(parsed), slog.New(slog.DiscardHandler))
					s := settled{t: t, other: enterAMQP(t, doors)}
					if protocol == "AMQP" {
						s.party = amqpParty{enterAMQP(t, doors)}
					} else {
						s.party = httpParty{s.other.ctx, newHTTPClient(t, doors["http"])}
					}
					c.test(s)
				})
			}
		})
	}
}

// isShutOut checks that there is no second consumer.
func (s settled) isShutOut() {
	s.t.Helper()
	only := s.other.receiver("q", 1)
	if _, _, err := s.receive("q"); err == nil ||
		!strings.Contains(err.Error(), "resource-locked") && !strings.Contains(err.Error(), "status 409") {
		s.t.Errorf("a second consumer was told %v", err)
	}
	if err := only.Close(s.other.ctx); err != nil {
		s.t.Error(err)
	}
	s.sends(note{body: "1"})
	s.takes("q", "1")
}

// onFreePorts has a configuration listen wherever there is room.
func onFreePorts(c config.Config) config.Config {
	c.DataDir = "data"
	c.MQTT.Enabled, c.STOMP.Enabled = false, false
	c.AMQP.Port, c.HTTP.Port, c.Admin.Port = 0, 0, 0
	return c
}

// TestConsumerPriority: who attaches with a higher one is served before others, whatever their protocol.
func TestConsumerPriority(t *testing.T) {
	for _, property := range []string{"priority", "rabbitmq:priority"} {
		doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
		usual, first := enterAMQP(t, doors), enterAMQP(t, doors)
		waiting := usual.receiver("jobs", 5)
		web := httpParty{usual.ctx, newHTTPClient(t, doors["http"])}
		preferred, err := first.attachReceiver("jobs", &goamqp.ReceiverOptions{
			Credit: 2, Properties: map[string]any{property: int32(7)},
		})
		if err != nil {
			t.Fatal(err)
		}
		usual.fill("jobs", 2)
		first.take(preferred, "0")
		first.take(preferred, "1")
		if err := preferred.Close(first.ctx); err != nil {
			t.Fatal(err)
		}
		if err := web.send("jobs", note{body: "2"}); err != nil {
			t.Fatal(err)
		}
		usual.take(waiting, "2")
	}
}

// TestReloadChangesQueuesThatRun, and what cannot be changed is said in the log.
func TestReloadChangesQueuesThatRun(t *testing.T) {
	log := make(spoken, 100)
	c := quickstart(t)
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), c, changes, slog.New(slog.NewTextHandler(log, nil)))
	user := enterAMQP(t, doors)
	user.fill("jobs", 2)
	next, err := config.Parse("next.yaml", []byte(
		"anonymous: true\nlisten: '::1'\naddresses: [{name: jobs, kind: queue, maxMessages: 2}, {name: more, kind: queue}]\n"+
			"tenants: [{name: acme}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	changes <- next
	changes <- next // the first has been taken over then
	if err := user.send("jobs", goamqp.NewMessage(nil)); err == nil || !strings.Contains(err.Error(), overQuota) {
		t.Errorf("beyond the new limit: %v", err)
	}
	user.fill("more", 1)
	user.take(user.receiver("more", 1), "0")
	web := httpParty{user.ctx, newHTTPClient(t, doors["http"])}
	if err := web.send("jobs", note{body: "3"}); err == nil || !strings.Contains(err.Error(), overQuotaHTTP) {
		t.Errorf("beyond the new limit over HTTP: %v", err)
	}
	for _, said := range []string{"a new tenant is not known", "only addresses are taken over", "is taken over"} {
		for !strings.Contains(<-log, said) {
		}
	}
}

// spoken is what a log says, line by line.
type spoken chan string

// Write implements io.Writer.
func (s spoken) Write(line []byte) (int, error) {
	select {
	case s <- string(line):
	default: // nobody listens to so much
	}
	return len(line), nil
}

func TestMetricsTellOfQueues(t *testing.T) {
	c := quickstart(t)
	c.Admin.MaxQueueMetrics = 1
	doors := start(t, c)
	user := enterAMQP(t, doors)
	user.fill("jobs", 3)
	user.receive(user.receiver("jobs", 1))
	code, page := get(t, "http://"+doors["admin"]+"/metrics")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	for _, line := range []string{
		`manifold_queue_messages{queue="jobs",tenant="default"} 3`,
		`manifold_queue_unacknowledged_messages{queue="jobs",tenant="default"} 1`,
		`manifold_queue_stored_total{queue="jobs",tenant="default"} 3`,
		`manifold_queue_consumers{queue="jobs",tenant="default"} 1`,
		`manifold_queues_without_metrics 0`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("the page has no line %s", line)
		}
	}
}

//go:build interop

package interop

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/go-stomp/stomp/v3"
)

// TestDispatchPassesOnWhatAHomeLends has a Qpid Dispatch Router between a queue and topic of ours and their clients.
func TestDispatchPassesOnWhatAHomeLends(t *testing.T) {
	need(t, qdrouterdName)
	const addresses = "[{name: jobs, kind: queue, home: C}, {name: events, kind: topic, home: C}]"
	home := startRouterOf(t, "C", addresses)
	middle := startDispatch(t, "Q", home.routers)
	far := startRouterOf(t, "A", addresses, middle.routers)
	away, there := session(t, dial(t, far.gateway, nil), nil), session(t, dial(t, home.gateway, nil), nil)

	audit := borrow(t, away, "events::audit", &amqp.ReceiverOptions{Credit: 10})
	events := sender(t, there, "events", nil)
	send(t, events, "a", "b")
	receive(t, audit, "a")
	closeAll(t, audit)
	send(t, events, "c")
	audit = borrow(t, away, "events::audit", &amqp.ReceiverOptions{Credit: 10})
	receive(t, audit, "b", "c")
	closeAll(t, audit)
	for _, want := range []struct {
		method string
		code   int
	}{{http.MethodGet, http.StatusOK}, {http.MethodDelete, http.StatusNoContent}, {http.MethodGet, http.StatusNotFound}} {
		r, err := http.NewRequestWithContext(
			patiently(t), want.method, "http://"+far.doors["http"]+"/v1/default/events::audit/subscription", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a.Body.Close(); a.StatusCode != want.code {
			t.Errorf("%s: status %d, want %d", want.method, a.StatusCode, want.code)
		}
	}

	jobs := sender(t, there, "jobs", nil)
	for i := range 6 {
		m := amqp.NewMessage([]byte(strconv.Itoa(i)))
		m.ApplicationProperties = map[string]any{"odd": i%2 == 1}
		if err := jobs.Send(patiently(t), m, nil); err != nil {
			t.Fatal(err)
		}
	}
	odd := borrow(t, away, "jobs", &amqp.ReceiverOptions{
		Credit: 10, Filters: []amqp.LinkFilter{amqp.NewSelectorFilter("odd = TRUE")},
	})
	receive(t, odd, "1", "3", "5")
	closeAll(t, odd)

	c, err := stomp.Dial("tcp", far.doors["stomp"])
	if err != nil {
		t.Fatal(err)
	}
	defer c.MustDisconnect()
	s, err := c.Subscribe("/queue/jobs", stomp.AckAuto, stomp.SubscribeOpt.Header("browser", "true"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0", "2", "4", ""} {
		m := <-s.C
		if m.Err != nil || string(m.Body) != want {
			t.Fatalf("browsed %q, want %q; %v", m.Body, want, m.Err)
		}
		if end := m.Header.Get("browser") == "end"; end != (want == "") {
			t.Errorf("%q is said to be the end", want)
		}
	}
	closeAll(t, events, jobs)
}

// borrow attaches a receiver as soon as there is a way to the home.
func borrow(t *testing.T, s *amqp.Session, address string, options *amqp.ReceiverOptions) *amqp.Receiver {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		link, err := s.NewReceiver(patiently(t), address, options)
		if err == nil {
			return link
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

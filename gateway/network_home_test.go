package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
)

// chain starts three routers, far - middle - home, of which the last stores the queues "jobs/#" and the topics "events/#".
// It gives their doors in this order.
func chain(t *testing.T) []map[string]string {
	t.Helper()
	parsed, err := config.Parse("c.yaml", []byte(`
network: {router: {id: home}}
addresses:
  - {name: "jobs/#", kind: queue, home: home}
  - {name: "events/#", kind: topic, home: home}`))
	if err != nil {
		t.Fatal(err)
	}
	doors := make([]map[string]string, 3)
	for i, id := range []string{"home", "middle", "far"} {
		c := quickstart(t)
		c.Addresses = parsed.Addresses
		c.Network.Router.ID, c.Network.Router.Port = id, 0
		c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
		if i > 0 {
			c.Network.Connectors = []config.Connector{
				{Name: "on", Role: network.InterRouter, Hosts: []string{doors[3-i]["router"]}},
			}
		}
		doors[2-i] = start(t, c)
	}
	return doors
}

// until asks again until the answer has a code, as when routers have not found each other yet.
func until(t *testing.T, code int, ask func() (page, error)) page {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		p, err := ask()
		switch {
		case err != nil || time.Now().After(deadline):
			t.Fatalf("status %d and %q, %v", p.code, p.body, err)
		case p.code == code:
			return p
		}
	}
}

func TestQueueIsReachedFromEveryRouter(t *testing.T) {
	doors := chain(t)
	clients := make([]*httpClient, len(doors))
	for i, d := range doors {
		clients[i] = newHTTPClient(t, d["http"])
	}
	var sent, got []string
	for from, client := range clients {
		for n := range 10 {
			text := fmt.Sprint(n, " from ", from)
			until(t, http.StatusCreated, func() (page, error) {
				return client.ask(t.Context(), http.MethodPost, pathOf("default", "jobs/a", "messages"), nil, []byte(text))
			})
			sent = append(sent, text)
		}
	}
	for n := range sent {
		p := until(t, http.StatusOK, func() (page, error) {
			return clients[n%len(clients)].ask(t.Context(), http.MethodDelete,
				pathOf("default", "jobs/a", "messages/head?timeout=5"), nil, nil)
		})
		got = append(got, string(p.body))
	}
	slices.Sort(sent)
	slices.Sort(got)
	if !slices.Equal(got, sent) {
		t.Errorf("got %q, want %q", got, sent)
	}
}

func TestTopicIsHeardOnEveryRouterOnce(t *testing.T) {
	const letters = 100
	doors := chain(t)
	heard := make([]chan string, len(doors))
	for i, d := range doors {
		heard[i] = make(chan string, 1<<16)
		client := dialMQTT(t, mqtt5, d["mqtt"], "", func(a arrival) { heard[i] <- string(a.payload) })
		if err := client.subscribe("events/#"); err != nil {
			t.Fatal(err)
		}
	}
	for from, d := range doors {
		publisher := dialMQTT(t, mqtt5, d["mqtt"], "", func(arrival) {})
		known(t, publisher, heard)
		for n := range letters {
			text := fmt.Sprint(n, " from ", from)
			if err := publisher.publish("events/a", letter{payload: []byte(text)}, false); err != nil {
				t.Fatalf("publishing on router %d: %v", from, err)
			}
		}
		for at, box := range heard {
			for n := range letters {
				if got, want := hear(t, box), fmt.Sprint(n, " from ", from); got != want {
					t.Fatalf("router %d heard %q, want %q", at, got, want)
				}
			}
		}
	}
}

func TestRetainedMessageIsKeptAtItsHome(t *testing.T) {
	doors := chain(t)
	const topic, text = "events/state", "on"
	publisher := dialMQTT(t, mqtt5, doors[0]["mqtt"], "", func(arrival) {})
	for deadline := time.Now().Add(time.Minute); ; {
		err := publisher.publish(topic, letter{payload: []byte(text)}, true)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	heard := make(chan string, 1)
	subscriber := dialMQTT(t, mqtt5, doors[len(doors)-1]["mqtt"], "", func(a arrival) { heard <- string(a.payload) })
	if err := subscriber.subscribe(topic); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, heard); got != text {
		t.Errorf("heard %q, want %q", got, text)
	}
}

// hear gives the next text that is no probe.
func hear(t *testing.T, box <-chan string) string {
	t.Helper()
	for {
		select {
		case text := <-box:
			if text != "probe" {
				return text
			}
		case <-time.After(time.Minute):
			t.Fatal("nothing comes")
		}
	}
}

// known publishes until all subscribers have heard something.
func known(t *testing.T, publisher mqttClient, boxes []chan string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, box := range boxes {
		for answered := false; !answered; {
			if time.Now().After(deadline) {
				t.Fatal("the routers do not find each other")
			}
			if publisher.publish("events/probe", letter{payload: []byte("probe")}, false) != nil {
				continue
			}
			select {
			case <-box:
				answered = true
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

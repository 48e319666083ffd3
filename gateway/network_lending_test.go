package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
)

// station is a router that can be stopped and started again.
type station struct {
	t      *testing.T
	config config.Config
	disk   vfs.FS
	doors  map[string]string
	stop   func()
}

// begin starts the router.
func (p *station) begin() {
	p.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	doors, ended := make(chan map[string]string, 1), make(chan error, 1)
	go func() {
		ended <- runOn(ctx, p.disk, p.config, Process{Log: slog.New(slog.DiscardHandler), Ready: func(endpoints []Endpoint) {
			addresses := make(map[string]string)
			for _, e := range endpoints {
				addresses[e.Door] = e.Address.String()
			}
			doors <- addresses
		}})
	}()
	select {
	case p.doors = <-doors:
	case err := <-ended:
		stop()
		p.t.Fatalf("the gateway did not start: %v", err)
	}
	p.stop = func() {
		stop()
		if err := <-ended; err != nil {
			p.t.Errorf("the gateway ended with %v", err)
		}
		p.stop = func() {}
	}
}

// again stops the router and starts it anew. It returns when it and the others know the way to the home.
func (p *station) again(others ...*station) {
	p.stop()
	p.begin()
	for _, other := range append(others, p) {
		other.found()
	}
}

// places starts three routers, far - middle - home, as chain does. The outer ones can come again: they connect to the middle one.
func places(t *testing.T) (far, middle, home *station) {
	t.Helper()
	parsed, err := config.Parse("c.yaml", []byte(`
network: {router: {id: home}}
addresses:
  - {name: "jobs/#", kind: queue, home: home}
  - {name: "events/#", kind: topic, home: home}
  - {name: "logs/#", kind: topic, home: middle}`))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]*station)
	for _, id := range []string{"middle", "far", "home"} {
		c := quickstart(t)
		c.Addresses, c.DataDir = parsed.Addresses, "data"
		c.DrainTimeout = 100 * time.Millisecond
		c.Network.Router.ID, c.Network.Router.Port = id, 0
		c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
		if id == "middle" {
			c.Listen = "127.0.0.9" // where nobody else takes the port of one that comes again
		} else {
			c.Network.Connectors = []config.Connector{
				{Name: "on", Role: network.InterRouter, Hosts: []string{all["middle"].doors["router"]}},
			}
		}
		all[id] = &station{t: t, config: c, disk: vfs.NewMem()}
		all[id].begin()
		t.Cleanup(func() { all[id].stop() })
	}
	all["far"].found()
	return all["far"], all["middle"], all["home"]
}

// found waits until the router knows the way to the home.
func (p *station) found() {
	p.t.Helper()
	client := newHTTPClient(p.t, p.doors["http"])
	until(p.t, http.StatusCreated, func() (page, error) {
		return client.ask(p.t.Context(), http.MethodPost, pathOf("default", "jobs/first", "messages"), nil, []byte("hello"))
	})
}

// TestDurableSubscriptionIsHeldAtItsHome: it hears what is published anywhere, while its home and its router come and go.
func TestDurableSubscriptionIsHeldAtItsHome(t *testing.T) {
	const source = "events/#::audit"
	far, middle, home := places(t)
	u := enterAMQP(t, far.doors)
	link := u.receiver(source, 10)
	if _, page := get(t, "http://"+far.doors["admin"]+"/metrics"); !strings.Contains(page, `manifold_network_loans{home="home",state="open"} 1`) {
		t.Error("the loan is not counted")
	}
	enterAMQP(t, middle.doors).fill("events/a", 3)
	u.take(link, "0")
	if err := u.roundTrip(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if got := string(u.receive(link).GetData()); got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	home.again(far, middle)
	for _, want := range []string{"1", "2"} { // which nobody had acknowledged
		u.take(link, want)
	}
	if err := u.roundTrip(); err != nil { // the door has heard it
		t.Fatal(err)
	}
	far.again()
	enterAMQP(t, home.doors).fill("events/b", 2)
	u = enterAMQP(t, far.doors)
	link = u.receiver(source, 1)
	u.take(link, "0")
	if err := link.Close(u.ctx); err != nil {
		t.Fatal(err)
	}
	u = enterAMQP(t, middle.doors)
	u.take(u.receiver(source, 10), "1")
}

// TestSessionOutlivesTheWayToItsHome: what is published while a device is away, or its router is, reaches it.
func TestSessionOutlivesTheWayToItsHome(t *testing.T) {
	far, middle, home := places(t)
	came := make(chan string, 100)
	device := mqttDevice(t, far.doors["mqtt"], "device", func(text string) { came <- text })
	if err := wait(device.Subscribe("events/#", 1, nil)); err != nil {
		t.Fatal(err)
	}
	publish := func(at *station, text string) {
		t.Helper()
		client := newHTTPClient(t, at.doors["http"])
		until(t, http.StatusCreated, func() (page, error) {
			return client.ask(t.Context(), http.MethodPost, pathOf("default", "events/a", "messages"), nil, []byte(text))
		})
	}
	last := ""
	expect := func(texts ...string) {
		t.Helper()
		for _, want := range texts {
			got := hear(t, came)
			if got == last { // whose acknowledgement the end of the connection has overtaken
				got = hear(t, came)
			}
			if last = want; got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		}
	}
	publish(home, "one")
	expect("one")
	home.again(far, middle)
	publish(middle, "two")
	expect("two")
	device.Disconnect(0)
	publish(home, "three")
	far.stop()
	publish(home, "four")
	far.begin() // which has to find the network first
	mqttDevice(t, far.doors["mqtt"], "device", func(text string) { came <- text })
	expect("three", "four")
}

// TestStompSubscriptionIsDurableEverywhere: its acknowledgement is safe when the receipt comes.
func TestStompSubscriptionIsDurableEverywhere(t *testing.T) {
	far, middle, home := places(t)
	login := stomp.ConnOpt.Header("client-id", "auditor")
	c := dialSTOMP(t, far.doors["stomp"], login)
	s := subscribeNow(t, c, "/topic/events/a", stomp.AckClientIndividual, "activemq.subscriptionName", "audit")
	enterAMQP(t, middle.doors).fill("events/a", 3)
	m := <-s.C
	if err := c.Ack(m); err != nil || string(m.Body) != "0" {
		t.Fatalf("%q, %v", m.Body, err)
	}
	if err := c.Disconnect(); err != nil {
		t.Fatal(err)
	}
	home.again(far, middle)
	c = dialSTOMP(t, middle.doors["stomp"], login)
	s = subscribe(t, c, "/topic/events/a", stomp.AckClientIndividual, "activemq.subscriptionName", "audit")
	for _, want := range []string{"1", "2"} {
		m := <-s.C
		if err := c.Ack(m); err != nil || string(m.Body) != want {
			t.Fatalf("%q, want %q, %v", m.Body, want, err)
		}
	}
}

func TestQueueIsReadBySelectorEverywhere(t *testing.T) {
	far, _, home := places(t)
	u := enterAMQP(t, home.doors)
	sender := u.sender("jobs/a")
	for i := range 10 {
		m := goamqp.NewMessage([]byte(strconv.Itoa(i)))
		m.ApplicationProperties = map[string]any{"odd": i%2 == 1}
		if err := sendAMQP(u.ctx, sender, m); err != nil {
			t.Fatal(err)
		}
	}
	away := enterAMQP(t, far.doors)
	link, err := away.attachReceiver("jobs/a", &goamqp.ReceiverOptions{
		Credit: 3, Filters: []goamqp.LinkFilter{goamqp.NewSelectorFilter("odd = TRUE")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "3", "5", "7", "9"} {
		away.take(link, want)
	}
	if err := link.Close(away.ctx); err != nil {
		t.Fatal(err)
	}
	rest := u.receiver("jobs/a", 1)
	for _, want := range []string{"0", "2", "4", "6", "8"} {
		u.take(rest, want)
	}
}

func TestQueueIsBrowsedEverywhere(t *testing.T) {
	far, _, home := places(t)
	enterAMQP(t, home.doors).fill("jobs/a", 300)
	for range 2 { // nothing is taken
		s := subscribe(t, dialSTOMP(t, far.doors["stomp"]), "/queue/jobs/a", stomp.AckAuto, "browser", "true")
		for i := range 300 {
			expectBodies(t, s, strconv.Itoa(i))
		}
		if end := expectBodies(t, s, "")[0]; end.Header.Get("browser") != "end" {
			t.Errorf("the last message has the headers %+v", end.Header)
		}
	}
}

// TestSubscriptionIsForgottenAtItsHome: who ends it anywhere has ended it.
func TestSubscriptionIsForgottenAtItsHome(t *testing.T) {
	far, _, home := places(t)
	u := enterAMQP(t, far.doors)
	if err := u.receiver("events/#::audit", 1).Close(u.ctx); err != nil {
		t.Fatal(err)
	}
	far.subscription(http.MethodDelete, "events/#::audit", "", http.StatusNoContent)
	home.subscription(http.MethodGet, "events/#::audit", "", http.StatusNotFound)
}

// TestLoanIsOpenedAgain: what reads at the home goes on when a router in between has been away, and what it has not
// acknowledged comes again.
func TestLoanIsOpenedAgain(t *testing.T) {
	far, middle, home := places(t)
	middle.config.Network.Router.Port = portOf(t, middle.doors["router"])
	u := enterAMQP(t, far.doors)
	audit := u.receiver("events/a::audit", 10)
	there := enterAMQP(t, home.doors)
	there.fill("events/a", 2)
	for _, want := range []string{"0", "1"} {
		if got := string(u.receive(audit).GetData()); got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	middle.again(far)
	for _, want := range []string{"0", "1"} {
		u.take(audit, want)
	}
	there.fill("events/a", 1)
	u.take(audit, "0")
}

// TestHomeOutOfReachRefuses: nobody is told of a subscription that is not there.
func TestHomeOutOfReachRefuses(t *testing.T) {
	far, _, home := places(t)
	home.stop()
	far.subscription(http.MethodPut, "events/#::audit", "", http.StatusServiceUnavailable)
}

// TestClientsCannotAskAsRouters: the address at which routers ask a home is none for clients.
func TestClientsCannotAskAsRouters(t *testing.T) {
	far, middle, home := places(t)
	for _, at := range []*station{far, middle, home} {
		u := enterAMQP(t, at.doors)
		if _, err := u.session.NewReceiver(u.ctx, "$home/home", nil); err == nil {
			t.Errorf("a client of %s has it", at.config.Network.Router.ID)
		}
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEdgeRouterIsLentToo: what an edge router asks goes up, and from there to the home.
func TestEdgeRouterIsLentToo(t *testing.T) {
	_, middle, _ := places(t)
	edge := quickstart(t)
	edge.Addresses = middle.config.Addresses
	edge.Network.Router.ID, edge.Network.Router.Port, edge.Network.Router.Mode = "edge", 0, config.EdgeMode
	edge.Network.Reconnect.Initial, edge.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
	middle.stop()
	middle.config.AMQP.Listeners = []config.AMQPListener{
		{Name: "edges", Role: config.EdgeRole},
		{Name: "routers", Role: config.InterRouterRole, Port: portOf(t, middle.doors["router"])},
	}
	middle.begin()
	edge.Network.Connectors = []config.Connector{{Name: "up", Role: network.Edge, Hosts: []string{middle.doors["amqp+edges"]}}}
	far := &station{t: t, config: edge, disk: vfs.NewMem()}
	far.begin()
	t.Cleanup(func() { far.stop() })
	far.found()
	u := enterAMQP(t, far.doors)
	link := u.receiver("events/a::audit", 10)
	enterAMQP(t, far.doors).fill("events/a", 2)
	u.take(link, "0")
	u.take(link, "1")
}

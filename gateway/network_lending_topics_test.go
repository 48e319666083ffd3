package gateway

import (
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/eclipse/paho.golang/paho"
	"github.com/go-stomp/stomp/v3"
)

// session5 connects a client of MQTT 5 whose session outlives its connection. What comes is given to arrive, and why it is
// disconnected to ended.
func session5(t *testing.T, door, id string, arrive func(string), ended func(*paho.Disconnect)) *paho.Client {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := paho.NewClient(paho.ClientConfig{
		ClientID: id, Conn: conn, OnServerDisconnect: ended,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			arrive(string(p.Packet.Payload))
			return true, nil
		}},
	})
	lasting := uint32(3600)
	if _, err := client.Connect(t.Context(), &paho.Connect{
		ClientID: id, KeepAlive: 30, Properties: &paho.ConnectProperties{SessionExpiryInterval: &lasting},
	}); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSharedSubscriptionIsSharedAcrossRouters: each message goes to one member of the group, whatever router he is at, and all of
// them get some.
func TestSharedSubscriptionIsSharedAcrossRouters(t *testing.T) {
	const letters = 100
	far, middle, home := places(t)
	for _, lasting := range []bool{false, true} {
		topic := fmt.Sprint("events/", lasting)
		came := make(chan string, 4*letters)
		heard := make(map[string]int) // by router
		for _, at := range []*station{far, middle, home} {
			id := at.config.Network.Router.ID
			filter, arrive := "$share/group/"+topic, func(text string) { came <- id + " " + text }
			if lasting {
				client := session5(t, at.doors["mqtt"], "member of "+id, arrive, nil)
				if _, err := client.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: 1}}}); err != nil {
					t.Fatal(err)
				}
				continue
			}
			client := dialMQTT(t, mqtt5, at.doors["mqtt"], "", func(a arrival) { arrive(string(a.payload)) })
			if err := client.subscribe(filter); err != nil {
				t.Fatal(err)
			}
		}
		enterAMQP(t, middle.doors).fill(topic, letters)
		seen := make(map[string]bool)
		for range letters {
			var at, text string
			fmt.Sscan(hear(t, came), &at, &text)
			if seen[text] {
				t.Errorf("%s came twice", text)
			}
			seen[text] = true
			heard[at]++
		}
		if len(heard) != 3 || len(came) > 0 {
			t.Errorf("lasting %v: heard at %v, and %d more came", lasting, heard, len(came))
		}
	}
}

// TestMembersOfOneGroupShareWhetherTheyLastOrNot: who joins a group that is kept at the home is one of its members.
func TestMembersOfOneGroupShareWhetherTheyLastOrNot(t *testing.T) {
	far, middle, _ := places(t)
	came := make(chan string, 100)
	lasting := session5(t, far.doors["mqtt"], "lasting", func(text string) { came <- text }, nil)
	if _, err := lasting.Subscribe(t.Context(), &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: "$share/group/events/a", QoS: 1}},
	}); err != nil {
		t.Fatal(err)
	}
	passing := dialMQTT(t, mqtt5, middle.doors["mqtt"], "", func(a arrival) { came <- string(a.payload) })
	if err := passing.subscribe("$share/group/events/a"); err != nil {
		t.Fatal(err)
	}
	enterAMQP(t, far.doors).fill("events/a", 20)
	seen := make(map[string]bool)
	for range 20 {
		text := hear(t, came)
		if seen[text] {
			t.Errorf("%q came twice", text)
		}
		seen[text] = true
	}
}

// TestSubscriberBeginsWithWhatIsRetainedAnywhere: what the home of a topic retains comes to whoever subscribes, at any router.
func TestSubscriberBeginsWithWhatIsRetainedAnywhere(t *testing.T) {
	const topic, text = "events/state", "on"
	far, _, home := places(t)
	publisher := dialMQTT(t, mqtt5, far.doors["mqtt"], "", func(arrival) {})
	if err := publisher.publish(topic, letter{payload: []byte(text)}, true); err != nil {
		t.Fatal(err)
	}
	for _, at := range []*station{far, home} {
		came := make(chan string, 10)
		expect := func(who string) {
			t.Helper()
			if got := hear(t, came); got != text {
				t.Errorf("%s at %s begins with %q", who, at.config.Network.Router.ID, got)
			}
		}
		if err := dialMQTT(t, mqtt5, at.doors["mqtt"], "", func(a arrival) { came <- string(a.payload) }).subscribe(topic); err != nil {
			t.Fatal(err)
		}
		expect("a client of MQTT")
		for range 2 { // it asks again
			device := session5(t, at.doors["mqtt"], "device of "+at.config.Network.Router.ID, func(text string) { came <- text }, nil)
			if _, err := device.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "events/#", QoS: 1}}}); err != nil {
				t.Fatal(err)
			}
			expect("a session of MQTT")
		}
		u := enterAMQP(t, at.doors)
		u.take(u.receiver(topic, 1), text)
		expectBodies(t, subscribe(t, dialSTOMP(t, at.doors["stomp"]), "/topic/"+topic, stomp.AckAuto), text)
	}
}

// TestNoLocalHoldsAtEveryRouter: who leaves out his own messages does not get them, wherever he subscribes and publishes.
func TestNoLocalHoldsAtEveryRouter(t *testing.T) {
	far, middle, home := places(t)
	came := make(chan string, 100)
	me := session5(t, far.doors["mqtt"], "me", func(text string) { came <- text }, nil)
	for _, qos := range []byte{0, 1} { // in memory, and kept
		if _, err := me.Subscribe(t.Context(), &paho.Subscribe{
			Subscriptions: []paho.SubscribeOptions{{Topic: fmt.Sprintf("events/%d/#", qos), QoS: qos, NoLocal: true}},
		}); err != nil {
			t.Fatal(err)
		}
		topic := fmt.Sprintf("events/%d/a", qos)
		for _, at := range []*station{home, middle} { // what is in memory only is live a moment later
			until(t, http.StatusCreated, func() (page, error) {
				a, err := newHTTPClient(t, at.doors["http"]).ask(t.Context(), http.MethodPost, pathOf("default", topic, "messages"), nil, []byte("probe"))
				if err == nil && len(came) == 0 {
					a.code = 0
				}
				return a, err
			})
		}
		if _, err := me.Publish(t.Context(), &paho.Publish{Topic: topic, QoS: 1, Payload: []byte("mine")}); err != nil {
			t.Fatal(err)
		}
		if err := dialMQTT(t, mqtt5, far.doors["mqtt"], "", func(arrival) {}).publish(topic, letter{payload: []byte("yours")}, false); err != nil {
			t.Fatal(err)
		}
		if got := hear(t, came); got != "yours" {
			t.Errorf("QoS %d: the first that comes is %q", qos, got)
		}
	}
	// At another router it is the same client still, which has not subscribed there.
	if _, err := session5(t, home.doors["mqtt"], "me", func(string) {}, nil).Publish(t.Context(), &paho.Publish{
		Topic: "events/1/a", QoS: 1, Payload: []byte("mine too"),
	}); err != nil {
		t.Fatal(err)
	}
	if err := dialMQTT(t, mqtt5, middle.doors["mqtt"], "", func(arrival) {}).publish("events/1/a", letter{payload: []byte("last")}, false); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, came); got != "last" {
		t.Errorf("the next that comes is %q", got)
	}
}

package gateway

import (
	"fmt"
	"net/http"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestOthersGoOnWhileAHomeIsWaitedFor: a client waits for a home that is out of reach, and the other connections of his door do
// not wait with him. For how long he does is not promised, so that several may try, each with a home of his own.
func TestOthersGoOnWhileAHomeIsWaitedFor(t *testing.T) {
	const tries, enough = 10, 50
	text := "network: {router: {id: far}}\naddresses:\n  - {name: \"local/#\", kind: anycast}\n"
	for i := range tries {
		text += fmt.Sprintf("  - {name: away%d, kind: queue, home: away%d}\n", i, i)
	}
	parsed, err := config.Parse("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Addresses, c.Network.Router.ID, c.Network.Router.Port = parsed.Addresses, "far", 0
	doors := start(t, c)
	u, waiter := enterAMQP(t, doors), enterAMQP(t, doors)
	link := u.receiver("local/a", 10)
	go func() {
		for {
			m, err := link.Receive(u.ctx, nil)
			if err != nil || link.AcceptMessage(u.ctx, m) != nil {
				return // the test is over
			}
		}
	}()
	client := newHTTPClient(t, doors["http"])
	for i := range tries {
		answered := make(chan error, 1)
		go func() {
			_, err := waiter.attachReceiver(fmt.Sprintf("away%d", i), &goamqp.ReceiverOptions{
				Filters: []goamqp.LinkFilter{goamqp.NewSelectorFilter("odd = TRUE")},
			})
			answered <- err
		}()
		for n := 0; len(answered) == 0; n++ {
			a, err := client.ask(t.Context(), http.MethodPost, pathOf("default", "local/a", "messages"), nil, []byte("hello"))
			if err != nil || a.code/100 != 2 {
				t.Fatalf("status %d and %q, %v", a.code, a.body, err)
			}
			if n == enough {
				return
			}
		}
		if <-answered == nil {
			t.Fatal("a receiver was lent by nobody")
		}
	}
	t.Errorf("no %d messages have come while somebody waited", enough)
}

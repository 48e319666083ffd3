package webhook

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// TestPrivateServerIsRefusedWhenItIsConnectedTo: by its number, and by a name that leads there.
func TestPrivateServerIsRefusedWhenItIsConnectedTo(t *testing.T) {
	asked := make(chan bool, 10)
	server := httptest.NewServer(respondAndTell(asked))
	defer server.Close()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		guard Guard
		host  string
		want  action
	}{
		{Guard{}, "127.0.0.1", retry},
		{Guard{}, "localhost", retry},
		{Guard{AllowPrivate: true}, "127.0.0.1", accept},
		{Guard{Allow: loopback}, "localhost", accept},
	} {
		s := New(Config{Guard: c.guard})
		h := hook{Hook: Hook{URL: strings.Replace(server.URL, "127.0.0.1", c.host, 1), Timeout: 10 * time.Second}, client: s.client, counts: new(counts)}
		v := h.post(context.Background(), &router.Delivery{}, "1")
		s.client.CloseIdleConnections()
		if v.action != c.want || v.action == retry && !strings.Contains(v.text, "http.webhooks.allow") {
			t.Errorf("%s with %+v: %+v", c.host, c.guard, v)
		}
		if told := len(asked) > 0; told != (c.want == accept) {
			t.Errorf("%s with %+v: whether it was asked: %v", c.host, c.guard, told)
		}
		for len(asked) > 0 {
			<-asked
		}
	}
}

package udp

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

func TestRequestIsAnsweredAtOnce(t *testing.T) {
	h := newHouse()
	s, stop := serve(t, h, nil)
	c := dial(t, s)
	for i := range 100 {
		token := fmt.Sprint(i)
		c.send(request(codes.POST, "now", token, []byte("x")))
		if m := c.want(message.Acknowledgement, codes.Changed, token); string(m.Payload) != "x" {
			t.Fatalf("payload %q", m.Payload)
		}
	}
	stop()
	if f := s.Figures(); f.Received < 100 || f.Sent < 100 || f.Peers != 0 {
		t.Errorf("figures %+v", f)
	}
}

func TestPingNeedsNoPeer(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, nil)
	c := dial(t, s)
	c.send(message.Message{Type: message.Confirmable, MessageID: -1})
	c.want(message.Reset, codes.Empty, "")
	if s.Figures().Peers != 0 {
		t.Error("a ping made a peer")
	}
}

func TestAnswerFromAnotherGoroutineWakesTheLane(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, nil)
	c := dial(t, s)
	for i := range 200 {
		token := fmt.Sprint(i)
		c.send(request(codes.POST, "later", token, nil))
		if m := c.response(token); m.Code != codes.Changed {
			t.Fatal(m.String())
		}
	}
}

func TestSlowAnswerIsSeparate(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.Shared.Limits.SeparateAfter = time.Millisecond })
	c := dial(t, s)
	stuck := c.stick(h, "a")
	c.want(message.Acknowledgement, codes.Empty, "")
	stuck.tell(stuck.release)
	m := c.want(message.Confirmable, codes.ServiceUnavailable, "a")
	c.send(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID})
}

// One client's requests that have no answer yet hold up neither its own others nor anybody else's.
func TestStuckRequestsDelayNobody(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, nil)
	slow, other := dial(t, s), dial(t, s)
	for i := range 40 {
		slow.stick(h, fmt.Sprint("s", i))
	}
	for i := range 100 {
		other.send(request(codes.POST, "now", fmt.Sprint(i), nil))
		other.want(message.Acknowledgement, codes.Changed, fmt.Sprint(i))
	}
	slow.send(request(codes.POST, "now", "mine", nil))
	slow.response("mine")
}

func TestObserverHearsOfItFromAnotherGoroutine(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.Shared.Limits.Amplification = 0 })
	c := dial(t, s)
	c.send(request(codes.GET, "watch", "w", nil, message.Option{ID: message.Observe}))
	c.want(message.Acknowledgement, codes.Content, "w")
	observer := h.client(0)
	for i := range 20 {
		observer.notify("w", fmt.Sprint(i))
		if m := c.response("w"); string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("notification %d is %q", i, m.Payload)
		}
		<-observer.heard
	}
}

func TestSilentPeerIsForgotten(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.Shared.Limits.ExchangeLifetime = time.Millisecond })
	c := dial(t, s)
	c.send(request(codes.POST, "now", "a", nil))
	c.want(message.Acknowledgement, codes.Changed, "a")
	for <-h.gone; s.Figures().Peers != 0; <-h.gone { // a request that was repeated has made another peer
	}
}

func TestPeersAreBounded(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.MaxPeers = 2 })
	one, two, three := dial(t, s), dial(t, s), dial(t, s)
	one.stick(h, "a")
	second := two.stick(h, "b")
	for i := 0; s.Figures().Refused == 0; i++ {
		three.send(request(codes.POST, "now", "c", nil))
		one.send(request(codes.POST, "now", fmt.Sprint("d", i), nil))
		one.response(fmt.Sprint("d", i))
	}
	if f := s.Figures(); f.Peers != 2 {
		t.Errorf("figures %+v", f)
	}
	// One who is only remembered for his duplicates makes room.
	second.tell(second.release)
	two.response("b")
	three.send(request(codes.POST, "now", "e", nil))
	three.response("e")
}

func TestDrainAnswersWhatIsUnderWay(t *testing.T) {
	h := newHouse()
	s, stop := serve(t, h, func(o *Options) { o.DrainTimeout = patience })
	c := dial(t, s)
	c.stick(h, "a")
	go stop()
	if m := c.response("a"); m.Code != codes.ServiceUnavailable {
		t.Error(m.String())
	}
	<-h.gone
}

func TestDrainEndsAtItsTimeout(t *testing.T) {
	h := newHouse()
	s, stop := serve(t, h, func(o *Options) {
		o.Shared.Limits.SeparateAfter = time.Millisecond
	})
	c := dial(t, s)
	c.stick(h, "a")
	c.want(message.Acknowledgement, codes.Empty, "")
	stop() // the separate response is never acknowledged
	<-h.gone
}

func TestTooLargeDatagramIsRefused(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, nil)
	c := dial(t, s)
	c.send(request(codes.POST, "now", "a", make([]byte, 5000)))
	m := c.want(message.Acknowledgement, codes.RequestEntityTooLarge, "a")
	if !m.Options.HasOption(message.Block1) {
		t.Error("the client is not told to send blocks")
	}
	if h.requests.Load() != 0 || s.Figures().Truncated == 0 {
		t.Errorf("%d requests, figures %+v", h.requests.Load(), s.Figures())
	}
}

func TestAnswerComesFromWhereTheRequestWent(t *testing.T) {
	if !sharesPorts {
		t.Log("the system has one loopback address")
		return
	}
	h := newHouse()
	h.address = "0.0.0.0:0"
	s, _ := serve(t, h, nil)
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.1"} {
		// A connected socket hears only the address that it is connected to.
		c := dialAt(t, &net.UDPAddr{IP: net.ParseIP(host), Port: int(s.Address().Port())})
		c.send(request(codes.POST, "now", "a", nil))
		c.want(message.Acknowledgement, codes.Changed, "a")
	}
}

func TestLanesShareAPort(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.Lanes = 2 })
	var clients sync.WaitGroup
	for i := range 20 {
		c := dial(t, s)
		clients.Go(func() {
			for j := range 50 {
				token := fmt.Sprintf("%d.%d", i, j)
				c.send(request(codes.POST, []string{"now", "later"}[j%2], token, nil))
				if m := c.response(token); m.Code != codes.Changed {
					t.Errorf("%v for %s", m.String(), token)
				}
			}
		})
	}
	clients.Wait()
	if n := h.requests.Load(); n != 1000 {
		t.Errorf("%d requests", n)
	}
}

func TestLargeBodyComesInBlocks(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, func(o *Options) { o.Shared.Limits.Amplification = 0 })
	c := dial(t, s)
	var got []byte
	for n := uint32(0); ; n++ {
		value := make([]byte, 4)
		size, err := message.EncodeUint32(value, n<<4|6)
		if err != nil {
			t.Fatal(err)
		}
		c.send(request(codes.GET, "large", fmt.Sprint(n), nil, message.Option{ID: message.Block2, Value: value[:size]}))
		m := c.want(message.Acknowledgement, codes.Content, fmt.Sprint(n))
		got = append(got, m.Payload...)
		b, err := m.Options.GetUint32(message.Block2)
		if err != nil {
			t.Fatal(err)
		}
		if b&8 == 0 {
			break
		}
	}
	if len(got) != 6668 {
		t.Errorf("%d bytes, want 6,668", len(got))
	}
}

func TestPortInUseIsAnError(t *testing.T) {
	h := newHouse()
	s, _ := serve(t, h, nil)
	if _, err := Listen(s.Address().String(), Options{Open: h.open}); err == nil {
		t.Error("a port is listened on twice")
	}
}

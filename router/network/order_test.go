package network

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

// large is the body of a message that streams through, in more than one piece.
var large = amqp.AppendData(nil, bytes.Repeat([]byte("x"), 1<<20))

// stream has a large message go out, all of it but the last bytes.
func stream(t *testing.T, p *routertest.Producer, settled bool) *router.Stream {
	t.Helper()
	rest := large[10 : len(large)-10]
	s, reception := p.Link.SendStream(1, router.Delivery{Settled: settled}, bytes.Clone(large[:10]), func() {})
	if reception != router.Taken {
		t.Fatalf("the stream is %v", reception)
	}
	for len(rest) > 0 {
		n := min(len(rest), 64<<10)
		s.Append(rest[:n], false)
		rest = rest[n:]
		synctest.Wait()
	}
	return s
}

// finish has the rest of a large message go out.
func finish(s *router.Stream) { s.Append(large[len(large)-10:], true) }

// read takes what has come and all that comes of it at once. It gives the bodies of messages, the length of a large one's.
func read(t *testing.T, c *routertest.Consumer) (got []string) {
	t.Helper()
	for synctest.Wait(); !c.Idle(); synctest.Wait() {
		d := c.Next()
		body := d.Message.Bytes()
		for last := d.Stream == nil; !last; synctest.Wait() {
			piece := d.Stream.Take(func() {}, nil)
			if piece.Void != nil {
				t.Fatalf("a stream is void: %+v", *piece.Void)
			}
			body, last = append(body, piece.Bytes...), piece.Last
		}
		d.Settle(router.Accept())
		if len(body) == len(large) {
			got = append(got, "large")
		} else {
			got = append(got, routertest.Body(d))
		}
	}
	return got
}

// streaming is a consumer of large messages as of small ones.
func streaming(s *station, address string, credit int) *routertest.Consumer {
	return s.From(router.Source{Filter: routertest.Filter(s.T, address), Streams: true}, credit)
}

func TestOneSendersMessagesStayInOrder(t *testing.T) {
	for _, settled := range []bool{false, true} {
		t.Run(fmt.Sprint("settled ", settled), func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				c := streaming(n.routers["d"], "big", 100)
				later(3 * time.Second)
				p := n.routers["a"].Sender("big")
				var want []string
				for i := range 3 {
					for j := range 3 {
						body := fmt.Sprint(i, ".", j)
						d := routertest.Text(body)
						d.Settled = settled
						p.SendDelivery(d)
						want = append(want, body)
					}
					finish(stream(t, p, settled))
					want = append(want, "large")
				}
				d := routertest.Text("last")
				d.Settled = settled
				p.SendDelivery(d)
				if got := read(t, c); !slices.Equal(got, append(want, "last")) {
					t.Errorf("got %q", got)
				}
				p.Accepted(13)
			}, "a-b", "b-c", "c-d")
		})
	}
}

// TestLargeMessageDoesNotOvertake what its sender sent before, although that is still to be written.
func TestLargeMessageDoesNotOvertake(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		const before = wayWindow - 1
		c := streaming(n.routers["c"], "big", 2*wayWindow)
		later(3 * time.Second)
		first, p := n.routers["a"].Sender("big"), n.routers["a"].Sender("big")
		finish(stream(t, first, false)) // so that the link for large ones is there
		read(t, c)
		first.Accepted(1)
		for range before {
			p.Send(strings.Repeat("s", 16<<10))
		}
		s, reception := p.Link.SendStream(1, router.Delivery{}, bytes.Clone(large[:10]), func() {})
		if reception != router.Taken {
			t.Fatalf("the stream is %v", reception)
		}
		s.Append(large[10:], true)
		got := read(t, c)
		if at := slices.Index(got, "large"); at != before || len(got) != before+1 {
			t.Errorf("of %d messages the large one is number %d", len(got), at)
		}
	}, "a-b", "b-c")
}

func TestSlowMessageHoldsUpNobodyElse(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := streaming(n.routers["c"], "big", 100)
		later(3 * time.Second)
		slow, other := n.routers["a"].Sender("big"), n.routers["a"].Sender("big")
		s := stream(t, slow, false)
		if d := c.Next(); d.Stream == nil {
			t.Fatal("the large message has come whole")
		}
		for i := range 3 {
			other.Send(fmt.Sprint(i))
		}
		c.Expect("0", "1", "2")
		finish(s)
	}, "a-b", "b-c")
}

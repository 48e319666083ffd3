package router_test

import (
	"bytes"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

const streamBuffer = 100

// streams gives links to an anycast address "a" whose streams hold back their producers at streamBuffer bytes.
func streams(t testing.TB) routertest.Links {
	return streamsWith(t, router.Limits{StreamBuffer: streamBuffer, MaxMessageSize: 10_000})
}

func streamsWith(t testing.TB, limits router.Limits) routertest.Links {
	direct := router.NewDirect(limits)
	r := router.New(limits, map[addressing.Kind]router.Resolver{addressing.Anycast: direct, addressing.Broadcast: direct})
	return routertest.Links{T: t, Router: r, User: routertest.User(t, "default",
		routertest.Define(t, "a", addressing.Anycast), routertest.Define(t, "b", addressing.Broadcast))}
}

// streamer links a consumer that takes streams.
func streamer(l routertest.Links, credit int) *routertest.Consumer {
	return l.From(router.Source{Filter: routertest.Filter(l.T, "a"), Streams: true}, credit)
}

func start(p *routertest.Producer, tag uint64, begun string, room func()) (*router.Stream, router.Reception) {
	head := router.Delivery{Message: amqp.Trusted([]byte{})}
	return p.Link.SendStream(tag, head, []byte(begun), room)
}

func nothing() {}

// TestStreamGivesTheSameBytesOrIsVoid has a producer that keeps to what Append and room tell it, and a consumer, do what
// they like in any order.
func TestStreamGivesTheSameBytesOrIsVoid(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 0)
	rapid.Check(t, func(t *rapid.T) {
		const most = 60 // bytes of one piece
		var sent, got, spent []byte
		room, ready, last, done := true, true, false, false
		voided, abandoned := false, false
		piece := rapid.SliceOfN(rapid.Byte(), 0, most)
		c.Link.Grant(1)
		sent = append(sent, piece.Draw(t, "begun")...)
		s, r := start(p, 1, string(sent), func() { room = true })
		if r != router.Taken {
			t.Fatalf("the offer of a stream is answered %d", r)
		}
		d := c.Next()
		actions := map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				if !room || last || voided || len(sent) > 9000 {
					t.Skip("nothing to append")
				}
				b := piece.Draw(t, "piece")
				last = rapid.IntRange(0, 9).Draw(t, "last") == 0
				sent = append(sent, b...)
				room = s.Append(b, last)
			},
			"take": func(t *rapid.T) {
				if !ready || done {
					t.Skip("nothing to take")
				}
				x := d.Stream.Take(func() { ready = true }, spent)
				if len(x.Bytes) > streamBuffer+most {
					t.Fatalf("%d bytes were waiting", len(x.Bytes))
				}
				got, spent = append(got, x.Bytes...), x.Bytes
				done = x.Last || x.Void != nil
				ready = len(x.Bytes) > 0
				if x.Last && (!last || !bytes.Equal(got, sent)) {
					t.Fatalf("%d bytes were sent, %d have come, last %v", len(sent), len(got), last)
				}
				if x.Void != nil && !voided && !abandoned {
					t.Fatal("the message is void, and nobody said so")
				}
			},
			"void": func(t *rapid.T) {
				if last || rapid.IntRange(0, 9).Draw(t, "void") > 0 {
					t.Skip("goes on")
				}
				voided = true
				s.Void(router.Release())
			},
			"abandon": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "abandon") > 0 {
					t.Skip("goes on")
				}
				abandoned = true
				s.Abandon()
			},
			"": func(t *rapid.T) {
				if !bytes.HasPrefix(sent, got) {
					t.Fatal("other bytes have come than were sent")
				}
				if abandoned && !room {
					t.Fatal("nobody will take more, and there is no room")
				}
				if !ready && !done && (len(got) < len(sent) || last || voided) && !abandoned {
					t.Fatal("the consumer does not hear that there is more")
				}
				if !room && ready && done {
					t.Fatal("the producer does not hear that there is room")
				}
			},
		}
		t.Repeat(actions)
		d.Settle(router.Accept())
		s.Abandon()
		p.Next()
	})
}

// TestStreamBetweenGoroutines is for the race detector: a producer and a consumer that wait for each other.
func TestStreamBetweenGoroutines(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 1)
	room, ready := make(chan struct{}, 1), make(chan struct{}, 1)
	s, _ := start(p, 1, "", func() { room <- struct{}{} })
	d := c.Next()
	var sent, got []byte
	var both sync.WaitGroup
	both.Go(func() {
		for i := range 1000 {
			b := bytes.Repeat([]byte{byte(i)}, i%9)
			sent = append(sent, b...)
			if !s.Append(b, i == 999) && i < 999 {
				<-room
			}
		}
	})
	both.Go(func() {
		var x router.Piece
		for !x.Last {
			x = d.Stream.Take(func() { ready <- struct{}{} }, nil)
			got = append(got, x.Bytes...)
			if len(x.Bytes) == 0 && !x.Last {
				<-ready
			}
		}
	})
	both.Wait()
	if !bytes.Equal(sent, got) {
		t.Errorf("%d bytes were sent, %d have come", len(sent), len(got))
	}
}

func TestStreamNeedsAConsumerThatTakesStreams(t *testing.T) {
	l := streams(t)
	p := l.Sender("a")
	l.Receiver("a", 5)
	if _, r := start(p, 1, "x", nothing); r != router.WholeOnly {
		t.Errorf("the offer of a stream is answered %d, want WholeOnly", r)
	}
	c := streamer(l, 1)
	if _, r := start(p, 1, "x", nothing); r != router.Taken || c.Next().Stream == nil {
		t.Errorf("the offer of a stream is answered %d, want Taken", r)
	}
}

func TestOnlyAnycastAddressesStream(t *testing.T) {
	l := streams(t)
	p := l.Sender("b")
	c := l.From(router.Source{Filter: routertest.Filter(t, "b"), Streams: true}, 5)
	if p.Link.Streams() || c.Link.Source().Streams {
		t.Error("a broadcast address streams")
	}
	if _, r := start(p, 1, "x", nothing); r != router.WholeOnly {
		t.Errorf("the offer of a stream is answered %d, want WholeOnly", r)
	}
}

// TestStreamWaitsForAConsumerThatIsFree: for credit, for the end of another stream, or until none is left.
func TestStreamWaitsForAConsumerThatIsFree(t *testing.T) {
	for name, c := range map[string]struct {
		become func(*routertest.Consumer, router.Delivery)
		then   router.Reception
	}{
		"taken to the end": {func(_ *routertest.Consumer, d router.Delivery) { d.Stream.Take(nothing, nil) }, router.Taken},
		"abandoned":        {func(_ *routertest.Consumer, d router.Delivery) { d.Stream.Abandon() }, router.Taken},
		"gone":             {func(c *routertest.Consumer, _ router.Delivery) { c.Link.Close() }, router.WholeOnly},
	} {
		t.Run(name, func(t *testing.T) {
			l := streams(t)
			p, other, consumer := l.Sender("a"), l.Sender("a"), streamer(l, 2)
			s, _ := start(p, 1, "x", nothing)
			d := consumer.Next()
			s.Append(nil, true)
			told := 0
			if _, r := start(other, 2, "y", func() { told++ }); r != router.Busy {
				t.Fatalf("the offer of a stream is answered %d, want Busy", r)
			}
			c.become(consumer, d)
			if told != 1 {
				t.Fatalf("told %d times to try again", told)
			}
			if _, r := start(other, 2, "y", nothing); r != c.then {
				t.Errorf("the offer of a stream is answered %d, want %d", r, c.then)
			}
		})
	}
}

func TestStreamWaitsForCredit(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 0)
	told := 0
	if _, r := start(p, 1, "x", func() { told++ }); r != router.Busy {
		t.Fatalf("the offer of a stream is answered %d, want Busy", r)
	}
	p.Send("before")
	c.Link.Grant(1)
	if told != 1 {
		t.Fatalf("told %d times to try again", told)
	}
	c.Expect("before")
	if _, r := start(p, 1, "x", nothing); r != router.Busy {
		t.Fatalf("the offer of a stream is answered %d, want Busy", r)
	}
	c.Link.Grant(1)
	if _, r := start(p, 1, "x", nothing); r != router.Taken {
		t.Errorf("the offer of a stream is answered %d, want Taken", r)
	}
}

func TestStreamBeyondMaxMessageSizeIsVoid(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 1)
	s, _ := start(p, 1, "x", nothing)
	d := c.Next()
	s.Append(make([]byte, 10_000), false)
	x := d.Stream.Take(nothing, nil)
	if x.Void == nil || x.Void.Reason != router.TooLarge {
		t.Errorf("a message that is too large gives %+v", x)
	}
	if _, r := start(p, 2, string(make([]byte, 10_001)), nothing); r != router.WholeOnly {
		t.Errorf("the offer of a stream that is too large is answered %d, want WholeOnly", r)
	}
}

func TestSenderThatLeavesIsNotToldToTryAgain(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 0)
	start(p, 1, "x", func() { t.Error("told to try again") })
	p.Link.Close()
	c.Link.Grant(1)
}

func TestConsumerHearsThatAStreamIsAbandoned(t *testing.T) {
	l := streams(t)
	p, c := l.Sender("a"), streamer(l, 1)
	s, _ := start(p, 1, "", nothing)
	d, told := c.Next(), 0
	d.Stream.Take(func() { told++ }, nil)
	s.Abandon()
	if told != 1 || d.Stream.Take(nothing, nil).Void == nil {
		t.Errorf("told %d times that a stream is abandoned", told)
	}
}

// TestStreamGivesWhatWaitsInPiecesThatAreUsedAgain has more wait than goes into one piece, and spoils what
// it gives back.
func TestStreamGivesWhatWaitsInPiecesThatAreUsedAgain(t *testing.T) {
	const size = 150_000
	limits := router.Limits{StreamBuffer: size, MaxMessageSize: 10 * size}
	l := streamsWith(t, limits)
	p, c := l.Sender("a"), streamer(l, 1)
	s, _ := start(p, 1, "", nothing)
	d := c.Next()
	var sent, got, spent []byte
	for i := range 6 {
		more := bytes.Repeat([]byte{byte('a' + i)}, size-i)
		if room := s.Append(more, false); room != (i > 0) {
			t.Fatalf("Append of %d bytes finds room: %v", len(more), room)
		}
		sent = append(sent, more...)
		for len(got) < len(sent) {
			x := d.Stream.Take(nothing, spent)
			if len(x.Bytes) == 0 || x.Last || x.Void != nil {
				t.Fatalf("%d of %d bytes have come, and then %+v", len(got), len(sent), x)
			}
			got, spent = append(got, x.Bytes...), x.Bytes
			clear(x.Bytes)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Error("other bytes have come than were sent")
	}
}

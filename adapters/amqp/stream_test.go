package amqp

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
)

func TestLargeMessageReachesTheConsumerBeforeItsEnd(t *testing.T) {
	for _, address := range []string{"bulk", ""} { // directly, and through a relay
		inWorks(t, func(t *testing.T, w *works) {
			from, to := w.party(), w.party()
			to.receiver(to.session(), "r", "bulk", 5)
			l := from.sender(from.session(), "s", address)
			m := letter("bulk", 300<<10)
			from.begin(l, m, 100_000)
			if !bytes.Equal(to.got, m[:100_000]) {
				t.Fatalf("%d bytes have come before the end is sent, want 100000", len(to.got))
			}
			from.ended()
			from.goOn(l, m, 100_000)
			to.arrived(m)
			from.ended(frame.Accepted)
		})
	}
}

func TestHeadIsWaitedFor(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "")
		m := letter("bulk", 1000)
		from.begin(l, m, 9)
		if to.got != nil {
			t.Fatal("a message is passed on before it is known where to")
		}
		from.do(func() { _ = l.Continue(m[9:500], true) })
		if !bytes.Equal(to.got, m[:500]) {
			t.Fatal("the message is not passed on although its head is there")
		}
		from.goOn(l, m, 500)
		to.arrived(m)
	})
}

// TestMemoryIsBoundedHoweverLargeTheMessage sends 200 MiB, which neither client keeps, and looks at what the process keeps.
func TestMemoryIsBoundedHoweverLargeTheMessage(t *testing.T) {
	const size = 200 * mebibyte
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		received, looked, peak := 0, 0, uint64(0)
		to.sink = func(x *engine.Transfer) {
			received += len(x.Payload)
			if received-looked > 10*mebibyte {
				looked = received
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
		to.receiver(to.session(), "r", "bulk", 1)
		l := from.sender(from.session(), "s", "bulk")
		empty := letter("bulk", 0)
		head := append(empty[:len(empty)-2], byte(codec.CodeBinary32), size>>24, size>>16&0xff, size>>8&0xff, size&0xff)
		piece, left := make([]byte, mebibyte), size
		from.feed = func(l *engine.Link) {
			if left > 0 {
				left -= len(piece)
				if err := l.Continue(piece, left > 0); err != nil {
					t.Error(err)
				}
			}
		}
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		from.begin(l, head, len(head))
		if want := len(head) + size; received != want {
			t.Fatalf("%d bytes have come, want %d", received, want)
		}
		from.ended(frame.Accepted)
		if peak > before.HeapAlloc+size/8 {
			t.Errorf("a message of %d MiB took %d MiB of memory", size/mebibyte, (peak-before.HeapAlloc)/mebibyte)
		}
	})
}

func TestSlowConsumerHoldsBackOnlyTheSessionOfItsSender(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to, other := w.party(), w.party(), w.party()
		slow := to.session()
		to.receiver(slow, "r", "bulk", 5)
		other.receiver(other.session(), "r", "modest", 5)
		l := from.sender(from.session(), "s", "bulk")
		elsewhere := from.sender(from.session(), "t", "modest")
		to.do(slow.Hold)
		m := letter("bulk", 20*mebibyte)
		from.begin(l, m, 1000)
		from.goOn(l, m, 1000)
		if sent := len(m) - l.Unwritten(); sent > 5*mebibyte {
			t.Fatalf("%d bytes were taken for a consumer that takes none", sent)
		}
		small := letter("", 10)
		from.do(func() { _ = elsewhere.Send(engine.Delivery{Payload: small}) })
		other.arrived(small)
		to.do(slow.Resume)
		to.arrived(m)
		from.ended(frame.Accepted, frame.Accepted)
	})
}

func TestConsumerHearsThatAMessageIsAborted(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 1)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 300<<10)
		from.begin(l, m, 200<<10)
		from.do(func() { _ = l.Abort() })
		if to.aborted != 1 {
			t.Fatal("the consumer does not hear that the message is aborted")
		}
	})
}

func TestNextMessageFollowsAnAbortedOne(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 2)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 300<<10)
		from.begin(l, m, 200<<10)
		from.do(func() { _ = l.Abort() })
		from.begin(l, m, 200<<10)
		from.goOn(l, m, 200<<10)
		to.arrived(m)
		from.ended(frame.Accepted)
	})
}

func TestLossOfTheSenderAbortsWhatItHasBegun(t *testing.T) {
	for name, lose := range map[string]func(p *party, l *engine.Link){
		"connection": func(p *party, _ *engine.Link) { p.nc.Close(); synctest.Wait() },
		"session":    func(p *party, l *engine.Link) { p.do(func() { l.Session().End(&frame.Error{Condition: "x"}) }) },
		"link":       func(p *party, l *engine.Link) { p.do(func() { l.Close(&frame.Error{Condition: "x"}) }) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, func(t *testing.T, w *works) {
				from, to, next := w.party(), w.party(), w.party()
				to.receiver(to.session(), "r", "bulk", 2)
				m := letter("bulk", 300<<10)
				l := from.sender(from.session(), "s", "bulk")
				from.begin(l, m, 200<<10)
				behind := next.sender(next.session(), "s", "bulk")
				small := letter("", 10)
				next.do(func() { _ = behind.Send(engine.Delivery{Payload: small}) })
				to.arrived()
				lose(from, l)
				if to.aborted != 1 {
					t.Fatal("the consumer does not hear that the message will not become whole")
				}
				to.arrived(small)
				next.ended(frame.Accepted)
			})
		})
	}
}

func TestLossOfTheConsumerIsTheEndOfTheMessage(t *testing.T) {
	for name, lose := range map[string]func(p *party, l *engine.Link){
		"connection": func(p *party, _ *engine.Link) { p.nc.Close(); synctest.Wait() },
		"link":       func(p *party, l *engine.Link) { p.do(func() { l.Close(&frame.Error{Condition: "x"}) }) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, func(t *testing.T, w *works) {
				from, to, next := w.party(), w.party(), w.party()
				r := to.receiver(to.session(), "r", "bulk", 2)
				l := from.sender(from.session(), "s", "bulk")
				m := letter("bulk", 20*mebibyte)
				from.begin(l, m, 200<<10)
				lose(to, r)
				from.ended()             // some clients hear nothing before the end
				from.goOn(l, m, 200<<10) // nobody wants it
				if n := l.Unwritten(); n > 0 {
					t.Fatalf("%d bytes of the rest are not taken", n)
				}
				from.ended(frame.Modified)
				next.receiver(next.session(), "r", "bulk", 2)
				from.begin(l, m, 200<<10)
				from.goOn(l, m, 200<<10)
				next.arrived(m)
				from.ended(frame.Modified, frame.Accepted)
			})
		})
	}
}

func TestConsumerMaySettleBeforeTheEnd(t *testing.T) {
	for _, mode := range []frame.ReceiverSettleMode{frame.ReceiveFirst, frame.ReceiveSecond} {
		inWorks(t, func(t *testing.T, w *works) {
			from, to := w.party(), w.party()
			id, s, r := uint32(0), to.session(), (*engine.Link)(nil)
			to.sink = func(x *engine.Transfer) {
				id = x.ID
				to.got = bytes.Clone(x.Payload)
			}
			to.do(func() {
				r = s.Attach(frame.Attach{Name: "r", Role: frame.Receiver, ReceiverSettleMode: mode,
					Source: &frame.Source{Address: "bulk", HasAddress: true}, Target: &frame.Target{}})
				r.Stream()
				r.Grant(2)
			})
			l := from.sender(from.session(), "s", "bulk")
			m, small := letter("bulk", 300<<10), letter("", 10)
			from.begin(l, m, 200<<10)
			to.do(func() { r.Settle(id, frame.State{Kind: frame.Rejected}) })
			from.ended()
			if to.aborted != 1 {
				t.Error("the consumer gets the rest of a message that it has settled")
			}
			from.goOn(l, m, 200<<10)
			from.ended(frame.Rejected)
			from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
			to.arrived(small)
			from.ended(frame.Rejected, frame.Accepted)
		})
	}
}

func TestRestOfASettledMessageWhoseConsumerIsLostIsForgotten(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		r := to.receiver(to.session(), "r", "bulk", 2)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 20*mebibyte)
		from.do(func() { _ = l.Send(engine.Delivery{Payload: m[:1000], More: true, Settled: true}) })
		to.do(func() { r.Close(nil) })
		from.goOn(l, m, 1000)
		if n := l.Unwritten(); n > 0 {
			t.Errorf("%d bytes of the rest are not taken", n)
		}
	})
}

func TestConsumerOfAnotherProtocolGetsTheMessageWhole(t *testing.T) {
	for _, address := range []string{"modest", ""} {
		inWorks(t, func(t *testing.T, w *works) {
			c := w.links.Receiver("modest", 5)
			from := w.party()
			l := from.sender(from.session(), "s", address)
			m := letter("modest", 600<<10)
			from.begin(l, m, 500<<10)
			if !c.Idle() {
				t.Fatal("a part of the message has come")
			}
			from.goOn(l, m, 500<<10)
			d := c.Next()
			if d.Stream != nil || !bytes.Equal(d.Message.Bytes(), m) {
				t.Error("the message is not whole")
			}
			d.Settle(router.Accept())
			synctest.Wait()
			from.ended(frame.Accepted)
		})
	}
}

func TestRelayedMessageBeyondTheSizeOfItsAddressIsRejected(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "modest", 5)
		l := from.sender(from.session(), "s", "")
		m, small := letter("modest", 2*mebibyte), letter("modest", 10)
		from.begin(l, m, 500<<10)
		from.goOn(l, m, 500<<10)
		from.ended(frame.Rejected)
		if to.aborted != 1 {
			t.Error("the consumer does not hear that the message will not become whole")
		}
		from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
		to.arrived(small)
	})
}

func TestMessageBeyondTheSizeThatTheConsumerTakesIsRejected(t *testing.T) {
	for name, c := range map[string]struct{ before, after int }{
		"while it goes out": {before: 2},
		"before any of it goes out, which takes no credit": {after: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, func(t *testing.T, w *works) {
				from, to := w.party(), w.party()
				s := to.session()
				var r *engine.Link
				to.do(func() {
					r = s.Attach(frame.Attach{Name: "r", Role: frame.Receiver, MaxMessageSize: 250_000,
						Source: &frame.Source{Address: "bulk", HasAddress: true}, Target: &frame.Target{}})
					r.Stream()
					r.Grant(c.before)
				})
				l := from.sender(from.session(), "s", "bulk")
				m, small := letter("bulk", 300_000), letter("", 10)
				from.begin(l, m, 270_000)
				to.do(func() { r.Grant(c.after) })
				from.goOn(l, m, 270_000)
				from.ended(frame.Rejected)
				from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
				to.arrived(small)
			})
		})
	}
}

func TestSettledMessageIsStreamed(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 300<<10)
		from.do(func() { _ = l.Send(engine.Delivery{Payload: m[:1000], More: true, Settled: true}) })
		if !bytes.Equal(to.got, m[:1000]) {
			t.Fatal("a settled message is not streamed")
		}
		from.goOn(l, m, 1000)
		to.arrived(m)
	})
}

// TestSendersOfOneSessionDoNotBlockEachOther has two links of a session send large messages at the same time to a consumer
// that takes one after the other.
func TestSendersOfOneSessionDoNotBlockEachOther(t *testing.T) {
	for _, credit := range []int{2, 1} {
		inWorks(t, func(t *testing.T, w *works) {
			from, to := w.party(), w.party()
			r := to.receiver(to.session(), "r", "bulk", credit)
			s := from.session()
			one, two := from.sender(s, "one", "bulk"), from.sender(s, "two", "bulk")
			first, second := letter("bulk", 10*mebibyte), letter("bulk", 12*mebibyte)
			from.begin(one, first, 100<<10)
			from.begin(two, second, 100<<10)
			from.do(func() { _ = two.Continue(second[100<<10:], false) })
			from.goOn(one, first, 100<<10)
			to.do(func() { r.Grant(2 - credit) })
			to.arrived(first, second)
			from.ended(frame.Accepted, frame.Accepted)
		})
	}
}

// TestMessageThatFindsNoCreditWaitsAtItsSender has a consumer give credit only when a message has come in for a while.
func TestMessageThatFindsNoCreditWaitsAtItsSender(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		r := to.receiver(to.session(), "r", "bulk", 1)
		l := from.sender(from.session(), "s", "bulk")
		small, m := letter("", 10), letter("bulk", 20*mebibyte)
		from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
		from.begin(l, m, 1000)
		from.goOn(l, m, 1000)
		if sent := len(m) - l.Unwritten(); sent > 5*mebibyte {
			t.Fatalf("%d bytes were taken for a consumer that takes none", sent)
		}
		to.do(func() { r.Grant(1) })
		to.arrived(small, m)
	})
}

func TestDrainEndsAfterTheMessageThatIsUnderWay(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		r := to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		m := letter("bulk", 300<<10)
		from.begin(l, m, 200<<10)
		to.do(r.Drain)
		from.goOn(l, m, 200<<10)
		to.arrived(m)
		small := letter("", 10)
		from.do(func() { _ = l.Send(engine.Delivery{Payload: small}) })
		to.arrived(m)
		to.do(func() { r.Grant(1) })
		to.arrived(m, small)
	})
}

func TestDamagedMessageIsRejectedThoughItIsStreamed(t *testing.T) {
	whole := letter("bulk", 300<<10)
	for name, m := range map[string][]byte{
		"cut off":              whole[:len(whole)-1],
		"followed by nonsense": append(bytes.Clone(whole), 0x00, 0x53, 0x79, 0x45),
	} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, func(t *testing.T, w *works) {
				from, to := w.party(), w.party()
				to.receiver(to.session(), "r", "bulk", 5)
				l := from.sender(from.session(), "s", "bulk")
				from.begin(l, m, 200<<10)
				from.goOn(l, m, 200<<10)
				from.ended(frame.Rejected)
				if to.aborted != 1 {
					t.Error("the consumer does not hear that the message will not become whole")
				}
			})
		})
	}
}

// TestMessageThatCannotBeCheckedInPiecesComesWhole has one with a list for a body, and one that is damaged from the start.
func TestMessageThatCannotBeCheckedInPiecesComesWhole(t *testing.T) {
	list := codec.AppendString([]byte{0x00, 0x53, 0x77, 0xd0, 0, 0, 0, 0, 0, 0, 0, 1}, string(make([]byte, 300<<10)))
	binary.BigEndian.PutUint32(list[4:], uint32(len(list)-8))
	damaged := bytes.Clone(list)
	damaged[len(damaged)-1] = 0xff
	inWorks(t, func(t *testing.T, w *works) {
		from, to := w.party(), w.party()
		to.receiver(to.session(), "r", "bulk", 5)
		l := from.sender(from.session(), "s", "bulk")
		from.begin(l, list, 200<<10)
		to.arrived()
		if to.got != nil {
			t.Error("it does not come whole")
		}
		from.goOn(l, list, 200<<10)
		to.arrived(list)
		from.begin(l, damaged, 200<<10)
		from.goOn(l, damaged, 200<<10)
		to.arrived(list)
		from.ended(frame.Accepted, frame.Rejected)
	})
}

// TestClientOfGoAMQPHearsOfAnOutcomeBeforeTheEnd, for which it waits only once it has sent the whole message.
func TestClientOfGoAMQPHearsOfAnOutcomeBeforeTheEnd(t *testing.T) {
	inWorks(t, func(t *testing.T, w *works) {
		c := w.links.From(router.Source{Filter: routertest.Filter(t, "bulk"), Streams: true}, 1)
		ours, theirs := net.Pipe()
		w.serving.Go(func() { w.server.ServeConn(w.ctx, ours) })
		conn, err := goamqp.NewConn(w.ctx, theirs, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s, err := conn.NewSession(w.ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.NewSender(w.ctx, "bulk", nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan goamqp.DeliveryState, 1)
		w.serving.Go(func() {
			receipt, err := out.SendWithReceipt(w.ctx, goamqp.NewMessage(make([]byte, 20*mebibyte)), nil)
			if err != nil {
				t.Error(err)
				return
			}
			state, _ := receipt.Wait(w.ctx) // without a state it was in vain
			ended <- state
		})
		synctest.Wait()
		c.Next().Settle(router.Fail()) // and takes nothing of it, so that the client is still sending
		synctest.Wait()
		select {
		case state := <-ended:
			if _, ok := state.(*goamqp.StateModified); !ok {
				t.Errorf("the message has ended with %T", state)
			}
		default:
			t.Error("the message has no outcome")
		}
	})
}

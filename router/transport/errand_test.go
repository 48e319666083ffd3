package transport

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// watched gives a connection whose writer is taken to be there, so that a call of it stays to be seen, and its peer.
func watched(t *testing.T, d *Driver) (c *conn, e *echo, peer net.Conn) {
	t.Helper()
	ours, theirs := socketPair(t)
	c, e = newConn(d, ours), new(echo)
	c.engine, e.wake = e, c.wake
	c.writer.Store(writerPresent)
	return c, e, theirs
}

func TestReaderWritesForWhomItsBytesWake(t *testing.T) {
	d := NewDriver(Options{})
	c, e, peer := watched(t, d)
	d.errands.begin()
	e.post([]byte("one"))
	c.wake() // again
	d.errands.end()
	read(t, peer, "one")
	if len(c.woken) != 0 {
		t.Error("the writer was woken as well")
	}
	e.post([]byte("two"))
	if len(c.woken) != 1 {
		t.Error("nobody was woken though no reader was feeding")
	}
}

func TestReaderLeavesMostOfManyToTheirWriters(t *testing.T) {
	d := NewDriver(Options{})
	var all [maxErrands + 5]*conn
	d.errands.begin()
	for i := range all {
		c, e, _ := watched(t, d)
		all[i] = c
		e.post([]byte("x"))
	}
	d.errands.end()
	woken := 0
	for _, c := range all {
		woken += len(c.woken)
	}
	if woken != 5 {
		t.Errorf("%d writers woken, want 5", woken)
	}
}

func TestNobodyWritesForAConnectionThatIsOver(t *testing.T) {
	d := NewDriver(Options{})
	c, e, _ := watched(t, d)
	d.errands.begin()
	e.post([]byte("x"))
	c.finish()
	d.errands.end()
	if e.mu.Lock(); len(e.posted) != 1 {
		t.Error("its engine was called")
	}
	e.mu.Unlock()
}

func TestReaderNoticesASoonerDeadlineOfWhomItWritesFor(t *testing.T) {
	d := NewDriver(Options{})
	c, e, _ := watched(t, d)
	e.deadline = time.Now().Add(time.Hour)
	d.errands.begin()
	c.wake()
	d.errands.end()
	if len(c.woken) != 1 {
		t.Error("the writer was not told of the deadline")
	}
}

func TestNothingIsLeftBehindByTheLastReader(t *testing.T) {
	d := NewDriver(Options{})
	ours, _ := net.Pipe() // no plain socket: its writer is always called
	c := newConn(d, ours)
	c.writer.Store(writerPresent)
	for i := range 100_000 {
		var reading sync.WaitGroup
		d.errands.begin()
		reading.Go(d.errands.end)
		c.wake()
		reading.Wait()
		select {
		case <-c.woken:
		default:
			t.Fatalf("nobody came at attempt %d", i)
		}
	}
}

// TestNothingIsLeftToAReaderThatWaits: what it was left before, and what comes meanwhile, is for the writers.
func TestNothingIsLeftToAReaderThatWaits(t *testing.T) {
	d := NewDriver(Options{})
	before, sooner, _ := watched(t, d)
	meanwhile, later, peer := watched(t, d)
	d.errands.begin()
	sooner.post([]byte("x"))
	d.errands.Aside(func() {
		if len(before.woken) != 1 {
			t.Error("a connection that was left before is not written for")
		}
		later.post([]byte("one"))
		select {
		case <-meanwhile.woken:
		default:
			t.Error("a connection is left to a reader that waits")
		}
	})
	meanwhile.wake()
	d.errands.end()
	read(t, peer, "one")
	if len(meanwhile.woken) != 0 {
		t.Error("the reader went on no errands any more")
	}
}

// waiter is an engine that waits while it is fed.
type waiter struct {
	echo
	begun, goingOn chan struct{}
}

func (w *waiter) Feed(time.Time, []byte) error {
	close(w.begun)
	<-w.goingOn
	return nil
}

// TestNoReaderWaitsForAConnectionThatWaits: one that was left to another reader before it began to wait is its own reader's.
func TestNoReaderWaitsForAConnectionThatWaits(t *testing.T) {
	d := NewDriver(Options{})
	c, _, peer := watched(t, d)
	w := &waiter{begun: make(chan struct{}), goingOn: make(chan struct{})}
	c.engine, w.wake = w, c.wake
	d.errands.begin()
	w.post([]byte("one"))
	fed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		c.feed(time.Now(), nil)
	}()
	<-w.begun
	go func() {
		defer close(ended)
		d.errands.end()
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the other reader waits as well")
	}
	close(w.goingOn)
	<-fed
	<-ended
	read(t, peer, "one")
}

// relay is an engine that passes what it hears on to another connection.
type relay struct {
	echo
	next *relay
}

func (r *relay) Feed(_ time.Time, p []byte) error {
	r.next.post(p)
	return nil
}

// No wake-up is lost, however many readers and writers meet: tokens go round a ring of connections whose peers send back
// what they get.
func TestTokensGoRoundARing(t *testing.T) {
	const members, tokens, rounds = 8, 5, 1000
	d := NewDriver(Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ring := make([]*relay, members)
	for i := range ring {
		ring[i] = new(relay)
	}
	var ended []<-chan error
	peers := make([]net.Conn, members)
	opened := make(chan struct{}, members)
	for i, r := range ring {
		r.next = ring[(i+1)%members]
		ours, theirs := socketPair(t)
		peers[i] = theirs
		done := make(chan error, 1)
		ended = append(ended, done)
		go func() {
			done <- d.Serve(ctx, ours, func(wake func()) Engine {
				r.wake = wake
				opened <- struct{}{}
				return r
			})
		}()
	}
	for range ring {
		<-opened
	}
	for _, peer := range peers[1:] {
		go io.Copy(peer, peer)
	}
	write(t, peers[0], "12345"[:tokens])
	peers[0].SetReadDeadline(time.Now().Add(time.Minute))
	buffer := make([]byte, tokens)
	for seen := 0; seen < tokens*rounds; {
		n, err := peers[0].Read(buffer)
		if err != nil {
			t.Fatalf("after %d of %d: %v", seen, tokens*rounds, err)
		}
		seen += n
		write(t, peers[0], string(buffer[:n]))
	}
	for i, done := range ended {
		peers[i].Close()
		<-done
	}
}

// TestReaderWritesForConnectionsOfOtherDrivers: what comes in over one protocol goes out over another.
func TestReaderWritesForConnectionsOfOtherDrivers(t *testing.T) {
	var shared Errands
	from, to := NewDriver(Options{Errands: &shared}), NewDriver(Options{Errands: &shared})
	c, e, peer := watched(t, to)
	from.errands.begin()
	e.post([]byte("one"))
	from.errands.end()
	read(t, peer, "one")
	if len(c.woken) != 0 {
		t.Error("the writer was woken as well")
	}
}

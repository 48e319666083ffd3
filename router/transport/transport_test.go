package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is an engine that says back what it hears, holds back beyond a window, and says "bye" when it drains.
type echo struct {
	wake     func()
	out      []byte
	kept     []byte
	hold     bool
	closed   bool
	deadline time.Time
	ticks    int
	feedErr  error

	mu     sync.Mutex
	posted []byte // left by other goroutines
}

func (e *echo) Feed(_ time.Time, p []byte) error {
	p = append(e.kept, p...)
	e.kept = nil
	if e.hold {
		e.kept = bytes.Clone(p)
		return nil
	}
	if i := bytes.IndexByte(p, '!'); i >= 0 && e.feedErr != nil {
		e.out = append(e.out, "sorry"...)
		return e.feedErr
	}
	e.out = append(e.out, p...)
	return nil
}

func (e *echo) Ready() bool { return !e.hold }

func (e *echo) Advance(now time.Time) error {
	e.ticks++
	e.out = append(e.out, "tick"...)
	e.deadline = time.Time{}
	return nil
}

func (e *echo) Deadline() time.Time { return e.deadline }

func (e *echo) Flush(dst []byte) []byte {
	e.mu.Lock()
	e.out = append(e.out, e.posted...)
	e.posted = nil
	e.mu.Unlock()
	n := min(len(e.out), FlushSize)
	dst = append(dst, e.out[:n]...)
	e.out = e.out[n:]
	return dst
}

func (e *echo) Closed() bool { return e.closed }

func (e *echo) Drain(time.Time) {
	e.out = append(e.out, "bye"...)
	e.closed = true
}

func (e *echo) post(p []byte) {
	e.mu.Lock()
	e.posted = append(e.posted, p...)
	e.mu.Unlock()
	e.wake()
}

// serve runs an engine over one end of a connection and gives the other end and what Serve will return.
func serve(ctx context.Context, d *Driver, nc net.Conn, e *echo) <-chan error {
	ended := make(chan error, 1)
	opened := make(chan struct{})
	go func() {
		ended <- d.Serve(ctx, nc, func(wake func()) Engine {
			e.wake = wake
			close(opened)
			return e
		})
	}()
	<-opened
	return ended
}

func read(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func write(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

// socketPair gives two ends of a TCP connection over loopback.
func socketPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	theirs, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

func TestSocketAnswersAndEndsWithItsPeer(t *testing.T) {
	ours, theirs := socketPair(t)
	ended := serve(t.Context(), NewDriver(Options{}), ours, &echo{})
	write(t, theirs, "hello")
	read(t, theirs, "hello")
	theirs.Close()
	if err := <-ended; err != io.EOF {
		t.Errorf("Serve: %v, want io.EOF", err)
	}
}

func TestPipeAnswersAndEndsWithItsPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		ended := serve(t.Context(), NewDriver(Options{}), ours, &echo{})
		write(t, theirs, "hello")
		read(t, theirs, "hello")
		theirs.Close()
		if err := <-ended; err != io.EOF {
			t.Errorf("Serve: %v, want io.EOF", err)
		}
	})
}

func TestMuchIsWrittenThoughThePeerReadsLate(t *testing.T) {
	ours, theirs := socketPair(t)
	e := new(echo)
	ended := serve(t.Context(), NewDriver(Options{}), ours, e)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB: more than the sockets hold
	e.post(big)
	got := make([]byte, len(big)+1)
	if _, err := io.ReadFull(theirs, got[:1]); err != nil {
		t.Fatal(err)
	}
	write(t, theirs, "x") // the reader finds the writer at work
	if _, err := io.ReadFull(theirs, got[1:]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[:len(big)], big) || got[len(big)] != 'x' {
		t.Error("what was posted and what was answered came out of order or changed")
	}
	theirs.Close()
	<-ended
}

func TestAnswersOfTheReaderKeepTheirOrder(t *testing.T) {
	ours, theirs := socketPair(t)
	ended := serve(t.Context(), NewDriver(Options{}), ours, new(echo))
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	var writing sync.WaitGroup
	writing.Go(func() { theirs.Write(sent) })
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(theirs, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the echo differs from what was sent: %v", err)
	}
	writing.Wait()
	theirs.Close()
	<-ended
}

func TestOthersWakeTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		e := new(echo)
		ended := serve(t.Context(), NewDriver(Options{}), ours, e)
		e.post([]byte("news"))
		read(t, theirs, "news")
		theirs.Close()
		<-ended
	})
}

func TestNothingIsReadWhileTheEngineIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		e := &echo{hold: true}
		c := newConn(NewDriver(Options{}), ours)
		c.engine, e.wake = e, c.wake
		go func() { c.end(c.read()); c.wakeWriter() }()
		theirs.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := theirs.Write([]byte("held")); err == nil {
			t.Error("bytes were read while the engine was not ready")
		}
		c.mu.Lock()
		e.hold = false
		c.mu.Unlock()
		c.wake()
		theirs.SetWriteDeadline(time.Time{})
		write(t, theirs, "now")
		read(t, theirs, "now")
		theirs.Close()
		c.awaitFinish()
	})
}

func TestTheEngineAdvancesAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		start := time.Now()
		e := &echo{deadline: start.Add(3 * time.Second)}
		ended := serve(t.Context(), NewDriver(Options{}), ours, e)
		read(t, theirs, "tick")
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("advanced after %v, want 3s", got)
		}
		theirs.Close()
		<-ended
	})
}

func TestWhatIsLeftToSayIsSaidAfterAnError(t *testing.T) {
	ours, theirs := socketPair(t)
	broken := errors.New("broken")
	ended := serve(t.Context(), NewDriver(Options{}), ours, &echo{feedErr: broken})
	write(t, theirs, "!")
	got, _ := io.ReadAll(theirs)
	if string(got) != "sorry" {
		t.Errorf("read %q, want the last words", got)
	}
	if err := <-ended; err != broken {
		t.Errorf("Serve: %v, want the engine's error", err)
	}
}

func TestDrainSaysGoodbyeAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ours, theirs := net.Pipe()
		ended := serve(ctx, NewDriver(Options{}), ours, new(echo))
		stop()
		got, _ := io.ReadAll(theirs)
		if string(got) != "bye" {
			t.Errorf("read %q, want bye", got)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v, want nil", err)
		}
	})
}

func TestAnIdleConnectionHasNoWriterAndStillMeetsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		start := time.Now()
		e := &echo{deadline: start.Add(time.Hour)}
		c := newConn(NewDriver(Options{}), ours)
		c.engine, e.wake = e, c.wake
		c.wakeWriter()
		go func() { c.end(c.read()); c.wakeWriter() }()
		for range 3 {
			<-time.After(3 * linger)
			if c.writer.Load() != writerAbsent {
				t.Fatal("the writer is still there though there is nothing to do")
			}
			e.post([]byte("news"))
			read(t, theirs, "news")
		}
		read(t, theirs, "tick")
		if got := time.Since(start); got != time.Hour {
			t.Errorf("advanced after %v, want 1h", got)
		}
		theirs.Close()
		c.awaitFinish()
	})
}

// stubborn never closes by itself.
type stubborn struct{ *echo }

func (stubborn) Drain(time.Time) {}

func TestDrainHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ours, theirs := net.Pipe()
		defer theirs.Close()
		ended := make(chan error, 1)
		go func() {
			ended <- NewDriver(Options{DrainTimeout: 7 * time.Second}).Serve(ctx, ours,
				func(func()) Engine { return stubborn{new(echo)} })
		}()
		synctest.Wait()
		start := time.Now()
		stop()
		if err := <-ended; err != ErrDrainTimeout {
			t.Errorf("Serve: %v, want ErrDrainTimeout", err)
		}
		if got := time.Since(start); got != 7*time.Second {
			t.Errorf("cut off after %v, want 7s", got)
		}
	})
}

func TestPeerThatDoesNotReadIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		e := new(echo)
		ended := serve(t.Context(), NewDriver(Options{WriteTimeout: 4 * time.Second}), ours, e)
		start := time.Now()
		e.post([]byte("nobody reads this"))
		if err := <-ended; err != ErrWriteTimeout {
			t.Errorf("Serve: %v, want ErrWriteTimeout", err)
		}
		if got := time.Since(start); got != 4*time.Second {
			t.Errorf("cut off after %v, want 4s", got)
		}
	})
}

func TestPeerThatReadsSlowlyIsNotCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		e := new(echo)
		ended := serve(t.Context(), NewDriver(Options{WriteTimeout: 4 * time.Second}), ours, e)
		e.post([]byte("slow but moving"))
		for _, want := range []string{"slow ", "but ", "moving"} {
			<-time.After(3 * time.Second)
			read(t, theirs, want)
		}
		theirs.Close()
		if err := <-ended; err != io.EOF {
			t.Errorf("Serve: %v, want io.EOF", err)
		}
	})
}

// TestAnswersComeLongAfterTheLastWrite: the deadline of a write that is done must not end the connection later.
func TestAnswersComeLongAfterTheLastWrite(t *testing.T) {
	ours, theirs := socketPair(t)
	e := new(echo)
	const timeout = time.Second // which no write takes
	ended := serve(t.Context(), NewDriver(Options{WriteTimeout: timeout}), ours, e)
	e.post([]byte("by the writer"))
	read(t, theirs, "by the writer")
	<-time.After(2 * timeout)
	for range 2 {
		write(t, theirs, "by the reader")
		read(t, theirs, "by the reader")
	}
	theirs.Close()
	if err := <-ended; err != io.EOF {
		t.Errorf("Serve: %v, want io.EOF", err)
	}
}

func TestMailboxKeepsOrderAndWakesOncePerFilling(t *testing.T) {
	wakes := 0
	var m Mailbox[int]
	m.Init(func() { wakes++ })
	for round := range 3 {
		for i := range 100 {
			m.Put(round*100 + i)
		}
		if wakes != round+1 {
			t.Fatalf("woken %d times after %d fillings", wakes, round+1)
		}
		for i, v := range m.Take() {
			if v != round*100+i {
				t.Fatalf("item %d is %d", i, v)
			}
		}
	}
	if m.Take() != nil {
		t.Error("an empty mailbox gave something")
	}
}

func TestAcceptWaitsForItsConnections(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served, release, returned := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		returned <- Accept(ctx, ln, func(_ context.Context, nc net.Conn) {
			defer nc.Close()
			close(served)
			<-release
		})
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	<-served
	stop()
	select {
	case <-returned:
		t.Fatal("Accept returned before its connection had ended")
	default:
	}
	close(release)
	if err := <-returned; err != nil {
		t.Error(err)
	}
}

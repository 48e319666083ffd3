package stream_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/tcp"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/adapters/coap/internal/stream"
	"github.com/manifoldmq/manifold/router/transport"
)

// door answers every request with its own body, and tells an observer the next number when the last one was written.
type door struct {
	session session.Session
	body    []byte // of the answer; nil for the request's own
	silent  bool
	told    byte
	last    byte // what observers are told up to
	over    int
}

func (d *door) Attach(s session.Session)                { d.session = s }
func (d *door) Collect(time.Time)                       {}
func (d *door) Deadline() time.Time                     { return time.Time{} }
func (d *door) Drain(time.Time)                         {}
func (d *door) Idle() bool                              { return true }
func (d *door) Forgotten(_ time.Time, _ message.Token)  {}
func (d *door) Disconnected(time.Time)                  { d.over++ }
func (d *door) Notified(now time.Time, t message.Token) { d.notify(now, t) }

func (d *door) Request(now time.Time, r *session.Request) {
	if d.silent {
		return
	}
	answer := session.Response{Code: codes.Content, Body: r.Body}
	if d.body != nil {
		answer.Body = d.body
	}
	if _, err := r.Options.Observe(); err == nil {
		d.session.Observe(now, r.Exchange, answer)
		d.notify(now, r.Token)
		return
	}
	d.session.Respond(now, r.Exchange, answer)
}

func (d *door) notify(now time.Time, t message.Token) {
	if d.told < d.last {
		d.told++
		d.session.Notify(now, t, session.Response{Code: codes.Content, Body: []byte{d.told}}, true)
	}
}

type plenty struct{}

func (plenty) Take(int) bool { return true }
func (plenty) Give(int)      {}

func newShared() *stream.Shared {
	return &stream.Shared{Limits: stream.DefaultLimits(), Blocks: block.DefaultLimits(), Budget: plenty{}, Clock: time.Now}
}

// listen serves engines for a door on loopback until the test ends, and gives the address.
func listen(t *testing.T, d *door) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	driver := transport.NewDriver(transport.Options{DrainTimeout: time.Second})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- transport.Accept(ctx, ln, func(ctx context.Context, nc net.Conn) {
			driver.Serve(ctx, nc, func(func()) transport.Engine { return stream.New(newShared(), d) })
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

func TestAnotherImplementationIsServed(t *testing.T) {
	d := &door{last: 20}
	client, err := tcp.Dial(listen(t, d))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	for _, size := range []int{0, 1, 12, 13, 300, 1000, 5000, 70_000} {
		want := bytes.Repeat([]byte{'b'}, size)
		got, err := client.Post(ctx, "/a/t", message.AppOctets, bytes.NewReader(want))
		if err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		if body, err := got.ReadBody(); err != nil || !bytes.Equal(body, want) {
			t.Fatalf("%d octets came back as %d: %v", size, len(body), err)
		}
	}
	heard := make(chan byte, 30)
	_, err = client.Observe(ctx, "/a/t", func(m *pool.Message) {
		if body, err := m.ReadBody(); err == nil && len(body) == 1 {
			heard <- body[0]
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for want := byte(1); want <= 20; want++ {
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("heard %d, want %d", got, want)
			}
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
}

// csm is the least CSM there is.
var csm = []byte{0x00, 0xE1}

// post is POST without options, with a token of one octet.
func post(token byte) []byte { return []byte{0x01, 0x02, token} }

func TestWhoReadsNothingIsNotReadEither(t *testing.T) {
	d := &door{body: make([]byte, 1000)}
	e := stream.New(newShared(), d)
	now := time.Now()
	e.Feed(now, csm)
	n := 0
	for ; e.Ready(); n++ {
		if n > 1000 {
			t.Fatal("a client that reads nothing is read for ever")
		}
		e.Feed(now, post(1))
	}
	var out []byte
	for p := e.Flush(nil); len(p) > 0; p = e.Flush(nil) {
		out = append(out, p...)
	}
	if !e.Ready() || len(out) < n*1000 {
		t.Errorf("after %d octets of %d answers: ready %v", len(out), n, e.Ready())
	}
}

func TestMessagesThatWaitedAreAnsweredByFlushing(t *testing.T) {
	shared := newShared()
	shared.Limits.MaxOwed = 1
	e := stream.New(shared, &door{})
	now := time.Now()
	all := csm
	for i := range byte(100) {
		all = append(all, post(i)...)
	}
	e.Flush(nil)
	e.Feed(now, all)
	if got := bytes.Count(e.Flush(nil), []byte{0x01, byte(codes.Content)}); got != 100 {
		t.Errorf("%d of 100 were answered", got)
	}
}

func TestWhoIgnoresReadyIsCutOff(t *testing.T) {
	d := &door{silent: true}
	shared := newShared()
	shared.Limits.MaxExchanges = 1
	e := stream.New(shared, d)
	now := time.Now()
	e.Feed(now, csm)
	e.Feed(now, post(1))
	for range 100 {
		e.Feed(now, make([]byte, 64<<10))
	}
	if p := e.Flush(nil); d.over != 1 || !e.Closed() || !bytes.Contains(p, []byte("no message is taken")) {
		t.Errorf("flushed %q, disconnected %d times", p, d.over)
	}
}

func TestDisconnectedComesOnce(t *testing.T) {
	d := &door{}
	e := stream.New(newShared(), d)
	now := time.Now()
	e.Feed(now, csm)
	e.Drain(now)
	e.Flush(nil)
	e.Lost(now)
	if d.over != 1 {
		t.Errorf("it came %d times", d.over)
	}
}

func TestIdleEngineIsSmall(t *testing.T) {
	const engines = 1000
	shared := newShared()
	kept := make([]*stream.Engine, engines)
	before := heap()
	for i := range kept {
		e := stream.New(shared, &door{})
		e.Feed(time.Now(), csm)
		e.Feed(time.Now(), append(post(1), 0xFF))
		e.Flush(nil)
		kept[i] = e
	}
	each := int(heap()-before) / engines
	t.Logf("%d octets each", each)
	if each > 4<<10 {
		t.Errorf("an idle engine takes %d octets", each)
	}
	runtime.KeepAlive(kept)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestLimitsOutOfRangeAreNamed(t *testing.T) {
	l := stream.DefaultLimits()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	l.MaxMessage = 1000
	if err := l.Validate(); err == nil || !bytes.Contains([]byte(err.Error()), []byte("maxMessage")) {
		t.Errorf("got %v", errors.Unwrap(err))
	}
}

package datagram

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// watcher is a handler whose only client observes something.
type watcher struct{ session *Session }

func (w *watcher) Request(now time.Time, r *session.Request) {
	w.session.Observe(now, r.Exchange, session.Response{Code: codes.Content, Body: []byte("x")})
}
func (w *watcher) Notified(time.Time, message.Token)  {}
func (w *watcher) Forgotten(time.Time, message.Token) {}
func (w *watcher) Disconnected(time.Time)             {}

// TestObserverIsSmall: a gateway has tens of thousands of those, most of them silent.
func TestObserverIsSmall(t *testing.T) {
	const sessions, most = 5000, 1400 // bytes of one
	shared := &Shared{Limits: DefaultLimits(), Budget: &purse{1 << 30}, Random: func() uint64 { return 1 }}
	carrier := &discarder{buffer: make([]byte, 0, 2048)}
	register := encode(t, "CON GET id=1 token=6162 Uri-Path=a Uri-Path=telemetry Observe=0")
	now := time.Unix(1_800_000_000, 0)
	all := make([]*watcher, sessions)
	before := heap()
	for i := range all {
		w := &watcher{}
		w.session = New(now, shared, carrier, w, true)
		all[i] = w
		binary.BigEndian.PutUint16(register[2:], uint16(i))
		w.session.Feed(now, register)
		for range 3 {
			w.session.Notify(now, message.Token("ab"), session.Response{Code: codes.Content, Body: []byte("x")}, false)
			w.session.Flush(now)
		}
		w.session.Advance(w.session.Deadline()) // what to know duplicates by is forgotten
	}
	size := int(heap()-before) / sessions
	t.Logf("%d bytes", size)
	if size > most {
		t.Errorf("an observer takes %d bytes, want at most %d", size, most)
	}
	runtime.KeepAlive(all)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

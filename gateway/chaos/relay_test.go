package chaos

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// relay is a wire between two routers: what connects to it is connected to its target.
type relay struct {
	name     string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex // guards everything below
	target string     // host:port; empty as long as there is nobody
	pairs  map[*pair]bool
	delay  time.Duration // of every piece that passes
	deaf   bool          // swallows everything, and nobody is told
}

// pair is a connection through a relay.
type pair struct{ near, far net.Conn }

func (p *pair) close() {
	p.near.Close()
	p.far.Close()
}

// newRelay opens a wire, which is closed with the test.
func newRelay(t *testing.T, name string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{name: name, listener: listener, pairs: make(map[*pair]bool)}
	r.running.Go(r.accept)
	t.Cleanup(func() {
		r.listener.Close()
		r.cut()
		r.running.Wait()
	})
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

// lead says where the wire leads.
func (r *relay) lead(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		target := r.target
		r.mu.Unlock()
		far, err := net.Dial("tcp", target)
		if err != nil {
			near.Close()
			continue
		}
		p := &pair{near, far}
		r.mu.Lock()
		r.pairs[p] = true
		r.mu.Unlock()
		r.running.Go(func() { r.pass(p, near, far) })
		r.running.Go(func() { r.pass(p, far, near) })
	}
}

// pass moves what comes from one end to the other, until either is closed.
func (r *relay) pass(p *pair, from, to net.Conn) {
	defer r.forget(p)
	for piece := make([]byte, 32<<10); ; {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		r.mu.Lock()
		delay, deaf := r.delay, r.deaf
		r.mu.Unlock()
		if deaf {
			continue // what follows is of no use to anybody: the wire is cut before it hears again
		}
		if delay > 0 {
			<-time.After(delay)
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return
		}
	}
}

func (r *relay) forget(p *pair) {
	p.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pairs, p)
}

// cut closes what is connected, and mends what was wrong with the wire. Who connects again gets through.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay, r.deaf = 0, false
	for p := range r.pairs {
		p.close()
	}
}

// harm does one of the things that happen to wires, and gives its name. What is not mended at once is mended by cut.
func (r *relay) harm(random *rand.Rand) string {
	kind := random.IntN(4)
	if kind < 2 {
		r.cut()
		return "cut"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind == 2 {
		r.deaf = true
		return "deaf"
	}
	r.delay = time.Duration(1+random.IntN(50)) * time.Millisecond
	return "slow"
}

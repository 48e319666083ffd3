package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// lane is one socket and who is heard on it.
type lane struct {
	conn     *net.UDPConn
	options  Options
	shared   datagram.Shared
	in, out  *batch
	peers    map[key]*peer
	plain    []byte // where messages are composed that will be encrypted
	agenda   agenda
	maxPeers int
	arrived  []byte // the control message of the datagram at hand, of a DTLS client
	draining bool
	cutoff   time.Time // once draining: the end of patience
	counts   counts

	mu     sync.Mutex // guards everything below; a leaf
	woken  []*peer
	spare  []*peer // the array that woken had before, empty
	asleep bool    // the lane waits for datagrams, and is to be interrupted
	stops  bool    // the lane is to drain
}

// counts are what Figures tells of a lane.
type counts struct {
	peers                                      atomic.Int64
	refused, received, sent, unsent, truncated atomic.Uint64
}

func newLane(conn *net.UDPConn, o Options) *lane {
	l := &lane{
		conn: conn, options: o, shared: o.Shared, maxPeers: max(1, o.MaxPeers/o.Lanes),
		in: newBatch(conn, o.MaxDatagram+1), out: newBatch(conn, o.MaxDatagram), peers: make(map[key]*peer),
		plain: make([]byte, 0, o.MaxDatagram),
	}
	l.in.withControl(conn)
	// The system grants what it can; what it cannot is no error.
	_ = conn.SetReadBuffer(o.SocketBuffer)
	_ = conn.SetWriteBuffer(o.SocketBuffer)
	return l
}

// run is the lane's goroutine: it does what is due, writes what there is to say, and waits for more.
func (l *lane) run() error {
	defer l.closePeers()
	for {
		now := time.Now()
		l.advance(now)
		l.collect(now)
		l.flush()
		if l.isDone(now) {
			return nil
		}
		if !l.sleep() {
			continue
		}
		messages, err := l.in.read()
		l.awake()
		switch {
		case err == nil:
			l.receiveAll(messages)
		case errors.Is(err, net.ErrClosed):
			return err
		}
	}
}

// receiveAll takes the datagrams that were read.
func (l *lane) receiveAll(messages []ipv4.Message) {
	now := time.Now()
	l.counts.received.Add(uint64(len(messages)))
	for i := range messages {
		m := &messages[i]
		from, ok := m.Addr.(*net.UDPAddr)
		switch b, control := m.Buffers[0][:m.N], m.OOB[:m.NN]; {
		case !ok:
		case l.options.Security != nil:
			l.receiveSecure(now, from, b, control)
		default:
			l.receive(now, from, b, control)
		}
	}
}

// receive takes a datagram.
func (l *lane) receive(now time.Time, from *net.UDPAddr, b, control []byte) {
	address := from.AddrPort()
	address = netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
	p := l.peers[key{address: address}]
	if p == nil {
		answer, request := datagram.Stray(l.buffer(), b)
		if len(answer) > 0 {
			l.send(answer, from, control)
		}
		if !request || l.draining {
			return
		}
		if p = l.enter(now, key{address: address}); p == nil {
			return
		}
		p.address, p.to = address, from
		l.open(now, p, session.Peer{Address: address})
	}
	p.sentTo(control)
	if l.isTruncated(b) {
		p.session.Truncated(now, b)
	} else {
		p.session.Feed(now, b)
	}
	l.settle(now, p)
}

// isTruncated tells that a datagram was larger than what is read, and counts it.
func (l *lane) isTruncated(b []byte) bool {
	if len(b) <= l.options.MaxDatagram {
		return false
	}
	l.counts.truncated.Add(1)
	return true
}

// enter makes a peer; nil when there is no room for it.
func (l *lane) enter(now time.Time, k key) *peer {
	if len(l.peers) >= l.maxPeers && !l.makeRoom(now) {
		l.counts.refused.Add(1)
		return nil
	}
	p := &peer{lane: l, key: k, place: -1}
	l.peers[k] = p
	l.counts.peers.Add(1)
	return p
}

// open begins the session of a peer.
func (l *lane) open(now time.Time, p *peer, who session.Peer) {
	p.client = l.options.Open(who, p.wake)
	p.session = datagram.New(now, &l.shared, p, p.client, p.proven)
	p.client.Attach(p.session)
}

// makeRoom forgets a peer that is only remembered for its duplicates, or that sleeps; false when none is found.
func (l *lane) makeRoom(now time.Time) bool {
	p := l.agenda.sample((*peer).isQuiet)
	if p == nil {
		return false
	}
	l.forget(now, p)
	return true
}

// settle is for a peer after something has happened to it.
func (l *lane) settle(now time.Time, p *peer) {
	p.session.Flush(now)
	switch {
	case !p.isIdle():
		l.agenda.enter(p, p.deadline())
	case p.key.secure != nil:
		l.fallAsleep(now, p)
	default:
		l.forget(now, p)
	}
}

// forget ends a peer.
func (l *lane) forget(now time.Time, p *peer) {
	if l.peers[p.key] != p {
		return
	}
	delete(l.peers, p.key)
	l.agenda.remove(p)
	l.counts.peers.Add(-1)
	if !p.sleeps() {
		p.session.Close(now)
	}
	if p.key.secure != nil {
		l.dismiss(p)
	}
}

// advance does what is due, and begins to drain when the lane is to stop.
func (l *lane) advance(now time.Time) {
	if l.isToDrain() {
		l.draining, l.cutoff = true, now.Add(l.options.DrainTimeout)
		for _, p := range l.peers {
			if !p.sleeps() {
				p.session.Drain(now)
				p.client.Drain(now)
				p.client.Collect(now)
				l.settle(now, p)
			}
		}
	}
	if l.options.Security != nil {
		l.options.Security.Advance(now, secureSide{l})
	}
	for p := l.agenda.due(now); p != nil; p = l.agenda.due(now) {
		if p.sleeps() {
			l.sleepOn(now, p)
			continue
		}
		p.session.Advance(now)
		p.client.Collect(now)
		l.settle(now, p)
	}
}

// isToDrain tells, once, that the lane is to drain.
func (l *lane) isToDrain() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stops && !l.draining
}

// collect lets the clients speak that have been woken.
func (l *lane) collect(now time.Time) {
	woken := l.takeWoken()
	for _, p := range woken {
		if l.peers[p.key] == p && !p.sleeps() {
			p.client.Collect(now)
			l.settle(now, p)
		}
	}
	clear(woken)
	l.spare = woken[:0]
}

// takeWoken gives those who were woken, once each.
func (l *lane) takeWoken() []*peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	woken := l.woken
	l.woken = l.spare
	for _, p := range woken {
		p.listed = false
	}
	return woken
}

// isDone tells that a draining lane may end.
func (l *lane) isDone(now time.Time) bool {
	if !l.draining {
		return false
	}
	if now.Before(l.cutoff) {
		for _, p := range l.peers {
			if !p.isDone() {
				return false
			}
		}
	}
	return true
}

// closePeers disconnects all that are left.
func (l *lane) closePeers() {
	now := time.Now()
	for _, p := range l.peers {
		l.forget(now, p)
	}
	l.flush()
}

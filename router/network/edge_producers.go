package network

import (
	"sync"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// producers counts the senders at an edge router, of each address, so that there is a way up for what they send.
type producers struct {
	mesh *Mesh

	mu   sync.Mutex // guards everything below; a leaf but for the mesh's mailbox
	each map[protocol.Key]*produced
	keys map[*router.Sender][]protocol.Key
}

// produced is an address with senders.
type produced struct {
	senders int
	ready   chan struct{} // closed when there is a way up, if there may be one
}

var _ router.SenderWatcher = (*producers)(nil)

// WatchProducers gives who is to hear of the senders of an edge router; nil if this is none.
func (m *Mesh) WatchProducers() router.SenderWatcher {
	if !m.isEdge() {
		return nil
	}
	return &producers{mesh: m, each: make(map[protocol.Key]*produced), keys: make(map[*router.Sender][]protocol.Key)}
}

// Joined implements router.SenderWatcher. The first sender of an address waits until its way is there, so that what it sends
// at once finds it; that takes no answer of anybody. Who brings what comes down is none to go up for. Of an address with a fallback
// there are two.
func (p *producers) Joined(s *router.Sender, by router.Producer, def *addressing.Definition) {
	if _, network := by.(*inlet); network {
		return
	}
	phases := []uint8{s.Phase()}
	if s.FallsBack() {
		phases = append(phases, addressing.Fallback)
	}
	for _, phase := range phases {
		_, treatment, concerned := demand(def, &phase)
		key, ok := p.mesh.config.Reach.keys.Key(s.Tenant(), s.Address().Filter(), phase)
		if !concerned || !ok {
			return
		}
		select {
		case <-p.join(s, protocol.Address{Key: key, Treatment: treatment}):
		case <-p.mesh.ended:
		}
	}
}

// join counts a sender, and tells when the way is there.
func (p *producers) join(s *router.Sender, a protocol.Address) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.each[a.Key]
	if at == nil {
		at = &produced{ready: make(chan struct{})}
		p.each[a.Key] = at
		p.mesh.inputs.Put(func(now time.Time) {
			p.mesh.fringe.router.Producers(a, 1, now)
			p.mesh.fringe.follow()
			close(at.ready)
		})
	}
	at.senders++
	p.keys[s] = append(p.keys[s], a.Key)
	return at.ready
}

// Left implements router.SenderWatcher.
func (p *producers) Left(s *router.Sender) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range p.keys[s] {
		p.less(key)
	}
	delete(p.keys, s)
}

// less notes that an address has a sender less.
func (p *producers) less(key protocol.Key) {
	at := p.each[key]
	if at.senders--; at.senders > 0 {
		return
	}
	delete(p.each, key)
	p.mesh.inputs.Put(func(now time.Time) {
		p.mesh.fringe.router.Producers(protocol.Address{Key: key}, 0, now)
	})
}

package routing

import (
	"slices"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// local is the addresses with consumers at this router.
type local struct {
	now      map[protocol.Key]protocol.Treatment // as they are
	told     map[protocol.Key]protocol.Treatment // as the others were told
	touched  []protocol.Key                      // where the two may differ, in the order of the changes
	sequence int64                               // of what was told
	toldAt   time.Time
}

func newLocal() local {
	return local{now: make(map[protocol.Key]protocol.Treatment), told: make(map[protocol.Key]protocol.Treatment)}
}

func (l *local) changed() bool { return len(l.touched) > 0 }

// Announce says that the first consumer of an address came to this router. The treatment is a hint to routers where the
// address is not configured. Keys of classes that routers do not tell each other are ignored.
func (n *Node) Announce(a protocol.Address) {
	if _, there := n.addresses.now[a.Key]; there || !a.Key.Told() {
		return
	}
	n.addresses.now[a.Key] = a.Treatment
	n.addresses.touched = append(n.addresses.touched, a.Key)
}

// Withdraw says that its last consumer went.
func (n *Node) Withdraw(key protocol.Key) {
	if _, there := n.addresses.now[key]; !there {
		return
	}
	delete(n.addresses.now, key)
	n.addresses.touched = append(n.addresses.touched, key)
}

// tell sends all routers what changed, and then advertises the new number, so that only who missed the change asks for it.
func (n *Node) tell(now time.Time) {
	l := &n.addresses
	m := &protocol.Addresses{Sender: n.sender()}
	for _, key := range l.touched {
		treatment, is := l.now[key]
		_, was := l.told[key]
		switch {
		case is && !was:
			l.told[key] = treatment
			m.Added = append(m.Added, protocol.Address{Key: key, Treatment: treatment})
		case was && !is:
			delete(l.told, key)
			m.Removed = append(m.Removed, key)
		}
	}
	l.touched = nil
	if len(m.Added)+len(m.Removed) == 0 {
		return
	}
	l.sequence++
	l.toldAt = now
	m.Sequence = l.sequence
	n.flood(protocol.Packet{To: protocol.AllAddresses, Message: m}, nil)
	n.advertise(now)
}

// heardAddressesRequest answers with all addresses, as they were when the number was told last: what has changed since
// goes to everybody with the next.
func (n *Node) heardAddressesRequest(r *remote, m *protocol.AddressesRequest) {
	l := &n.addresses
	if m.Have >= l.sequence {
		return
	}
	all := &protocol.Addresses{Sender: n.sender(), Sequence: l.sequence, All: true}
	for key, treatment := range l.told {
		all.Added = append(all.Added, protocol.Address{Key: key, Treatment: treatment})
	}
	slices.SortFunc(all.Added, func(a, b protocol.Address) int { return compareKeys(a.Key, b.Key) })
	n.sendTo(r, protocol.RouterAddresses(r.id), all)
}

func (n *Node) heardAddresses(r *remote, m *protocol.Addresses, now time.Time) {
	switch {
	case m.All && r.mobile.takes(m.Sequence):
		n.replaceAddresses(r, m.Added)
		r.mobile.took(m.Sequence)
	case !m.All && !r.mobile.doubted && m.Sequence == r.mobile.sequence+1:
		for _, key := range m.Removed {
			n.removeAddress(r, key)
		}
		for _, a := range m.Added {
			n.addAddress(r, a)
		}
		r.mobile.took(m.Sequence)
	case !m.All && m.Sequence > r.mobile.sequence:
		r.mobile.wanted = true
		n.ask(r, now)
	}
}

// replaceAddresses puts a list in the place of what is known of a router's addresses. Those in both are left as they are.
func (n *Node) replaceAddresses(r *remote, list []protocol.Address) {
	stays := make(map[protocol.Key]bool, len(list))
	for _, a := range list {
		stays[a.Key] = true
	}
	var gone []protocol.Key
	for key := range r.addresses {
		if !stays[key] {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, compareKeys)
	for _, key := range gone {
		n.removeAddress(r, key)
	}
	for _, a := range list {
		n.addAddress(r, a)
	}
}

func (n *Node) addAddress(r *remote, a protocol.Address) {
	if _, there := r.addresses[a.Key]; there {
		return
	}
	if len(r.addresses) >= n.config.MaxAddresses {
		if !r.refused {
			r.refused = true
			n.report(Change{Kind: Refused, Router: r.id, Address: a})
		}
		return
	}
	r.addresses[a.Key] = a.Treatment
	n.report(Change{Kind: Added, Router: r.id, Address: a})
}

func (n *Node) removeAddress(r *remote, key protocol.Key) {
	treatment, there := r.addresses[key]
	if !there {
		return
	}
	delete(r.addresses, key)
	n.report(Change{Kind: Removed, Router: r.id, Address: protocol.Address{Key: key, Treatment: treatment}})
}

func compareKeys(a, b protocol.Key) int { return strings.Compare(string(a), string(b)) }

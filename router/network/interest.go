package network

import (
	"maps"
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// Interest counts the consumers that this router has for each address, so that the network hears when the first comes and
// the last goes. Besides, it tells of the queues and topics that this router stores for all, for which there is always
// somebody here who takes what is sent.
type Interest struct {
	keys     Keys
	announce func(protocol.Key, protocol.Treatment)
	withdraw func(protocol.Key)

	mu        sync.Mutex // guards everything below; taken before what announce and withdraw lock
	counts    map[protocol.Key]int
	receivers map[*router.Receiver][]protocol.Key
	stored    map[protocol.Key]bool
}

var _ router.Watcher = (*Interest)(nil)

// NewInterest gives one that nobody has come to. It calls announce and withdraw in turns for each key, one at a time and
// with a lock held: they put what they hear into a mailbox.
func NewInterest(
	keys Keys, announce func(protocol.Key, protocol.Treatment), withdraw func(protocol.Key),
) *Interest {
	return &Interest{
		keys: keys, announce: announce, withdraw: withdraw,
		counts:    make(map[protocol.Key]int),
		receivers: make(map[*router.Receiver][]protocol.Key),
		stored:    make(map[protocol.Key]bool),
	}
}

// Came implements router.Watcher.
func (i *Interest) Came(r *router.Receiver, defs []*addressing.Definition) {
	source := r.Source()
	var keys []protocol.Key
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, def := range defs {
		phase, treatment, concerned := demand(def, source.Phase)
		if !concerned || isLent(&source, def) {
			continue
		}
		if key, ok := i.keys.Key(r.Tenant(), source.Filter, phase); ok {
			keys = i.add(keys, key, treatment)
		}
	}
	if len(keys) > 0 {
		i.receivers[r] = keys
	}
}

// Went implements router.Watcher.
func (i *Interest) Went(r *router.Receiver) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, key := range i.receivers[r] {
		i.less(key)
	}
	delete(i.receivers, r)
}

// Define has the queues and topics among the addresses of these tenants, of which this router is the home, be known in the
// place of those before.
func (i *Interest) Define(tenants []*tenancy.Tenant) {
	i.mu.Lock()
	defer i.mu.Unlock()
	stored := make(map[protocol.Key]bool)
	for _, t := range tenants {
		for def := range t.Addresses.All() {
			if key, ok := i.keys.Key(t.Name, def.Name, 0); ok && def.Home == addressing.Here && !t.Disabled {
				stored[key] = true
			}
		}
	}
	if len(stored) > 0 {
		stored[homeKey(i.keys.Self)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) { // who knows the way to a queue knows whom to ask for the rest
		if !i.stored[key] {
			i.more(key, storedTreatment(key))
		}
	}
	for key := range i.stored {
		if !stored[key] {
			i.less(key)
		}
	}
	i.stored = stored
}

// storedTreatment tells how the network is to treat what this router stores, and the links by which others ask it.
func storedTreatment(key protocol.Key) protocol.Treatment {
	if key.Class() == protocol.LinkRouteOut {
		return protocol.LinkBalanced
	}
	return protocol.Closest
}

// demand tells at which phase a consumer takes from the addresses of a definition, and how the network is to treat what is
// sent there. It is false if messages do not come there from other routers, or come because this one stores them.
func demand(def *addressing.Definition, phase *uint8) (at uint8, _ protocol.Treatment, concerned bool) {
	at = def.ConsumerPhase()
	if phase != nil {
		at = *phase
	}
	switch {
	case def.Kind == addressing.Anycast && def.Distribution == addressing.Closest:
		return at, protocol.Closest, true
	case def.Kind == addressing.Anycast:
		return at, protocol.Balanced, true
	case def.Kind == addressing.Broadcast:
		return at, protocol.Multicast, true
	case def.Kind == addressing.Queue:
		return at, protocol.Balanced, def.Home == addressing.Elsewhere
	default:
		return at, protocol.Multicast, def.Home == addressing.Elsewhere
	}
}

// add counts a consumer of a key, if that is not among keys, and gives those with it.
func (i *Interest) add(keys []protocol.Key, key protocol.Key, t protocol.Treatment) []protocol.Key {
	for _, there := range keys {
		if there == key {
			return keys
		}
	}
	i.more(key, t)
	return append(keys, key)
}

func (i *Interest) more(key protocol.Key, t protocol.Treatment) {
	i.counts[key]++
	if i.counts[key] == 1 {
		i.announce(key, t)
	}
}

func (i *Interest) less(key protocol.Key) {
	i.counts[key]--
	if i.counts[key] == 0 {
		delete(i.counts, key)
		i.withdraw(key)
	}
}

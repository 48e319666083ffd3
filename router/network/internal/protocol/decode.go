package protocol

import (
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Names of the fields of a body.
const (
	fieldRouter    = "id"
	fieldVersion   = "pv"
	fieldArea      = "area"
	fieldInstance  = "instance"
	fieldSeen      = "seen"
	fieldLinkState = "ls_seq"
	fieldState     = "ls"
	fieldPeers     = "peers"
	fieldAddresses = "mobile_seq"
	fieldAdded     = "add"
	fieldRemoved   = "del"
	fieldExist     = "exist"
	fieldHints     = "hints"
	fieldHave      = "have_seq"
)

// parseBody reads a body. The version is looked at first: what a newer one means by the other fields is not known here.
func parseBody(opcode Opcode, body amqp.MapView) (Message, error) {
	r := reader{body: body}
	sender := Sender{Router: r.router(fieldRouter)}
	if version, ok := r.optional(fieldVersion); ok {
		sender.Version = version
	}
	if r.err == nil && sender.Version > Version {
		return nil, &VersionError{Opcode: opcode, Sender: sender}
	}
	m := r.message(opcode, sender)
	switch {
	case m == nil:
		return nil, errOpcode
	case r.err != nil:
		return nil, fmt.Errorf("inter-router %s: %w", opcode, r.err)
	default:
		return m, nil
	}
}

// reader reads the fields of a body. The first mistake stays in err.
type reader struct {
	body amqp.MapView
	err  error
}

// message reads the fields of one kind of message; nil for an unknown one.
func (r *reader) message(opcode Opcode, sender Sender) Message {
	switch opcode {
	case OpHello:
		return &Hello{Sender: sender, Instance: r.instance(), Seen: r.seen()}
	case OpAdvertisement:
		return &Advertisement{
			Sender: sender, Instance: r.instance(),
			LinkState: r.number(fieldLinkState), Addresses: r.number(fieldAddresses),
		}
	case OpLinkState:
		return r.linkState(sender)
	case OpLinkStateRequest:
		return &LinkStateRequest{sender}
	case OpAddresses:
		return r.addresses(sender)
	case OpAddressesRequest:
		return &AddressesRequest{Sender: sender, Have: r.number(fieldHave)}
	default:
		return nil
	}
}

func (r *reader) seen() []string {
	value, ok := r.body.Lookup(fieldSeen)
	if !ok {
		r.fail(fieldSeen, "is missing")
		return nil
	}
	seen, ok := texts(value, MaxRouters)
	if !ok {
		r.fail(fieldSeen, "is no list of ids")
	}
	return seen
}

// linkState reads an LSU. Its link state says once more whose it is, and with which number: that is the one that counts.
func (r *reader) linkState(sender Sender) Message {
	m := &LinkState{Sender: sender, Instance: r.instance()}
	r.number(fieldLinkState)
	value, _ := r.body.Lookup(fieldState)
	state, ok := value.Map()
	if !ok {
		r.fail(fieldState, "is no map")
		return m
	}
	inner := reader{body: state}
	if inner.router(fieldRouter) != sender.Router && inner.err == nil {
		inner.fail(fieldRouter, "is that of another router")
	}
	m.Sequence = inner.number(fieldLinkState)
	m.Peers = inner.peers(sender.Router)
	if inner.err != nil {
		r.fail(fieldState, inner.err.Error())
	}
	return m
}

func (r *reader) peers(self string) []Peer {
	value, _ := r.body.Lookup(fieldPeers)
	view, ok := value.Map()
	if !ok || view.Len() > MaxRouters {
		r.fail(fieldPeers, "is no map of ids and costs")
		return nil
	}
	peers := make([]Peer, 0, view.Len())
	for key, value := range view.All() {
		id, isText := text(key)
		cost, isNumber := integer(value)
		switch {
		case !isText || !ValidID(id) || id == self:
			r.fail(fieldPeers, "has what is no neighbour's id")
		case !isNumber || cost < 1 || cost > MaxCost:
			r.fail(fieldPeers, "has what is no cost")
		}
		peers = append(peers, Peer{id, cost})
	}
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(a.Router, b.Router) })
	for i := range peers {
		if i > 0 && peers[i].Router == peers[i-1].Router {
			r.fail(fieldPeers, "has a neighbour twice")
		}
	}
	return peers
}

// addresses reads a MAU: one with all addresses, or one with those that came and those that went. Addresses of a class
// that is not known here are left out, and hints of another number than addresses are not used.
func (r *reader) addresses(sender Sender) Message {
	m := &Addresses{Sender: sender, Sequence: r.number(fieldAddresses)}
	exist, all := r.body.Lookup(fieldExist)
	added, hasAdded := r.body.Lookup(fieldAdded)
	removed, hasRemoved := r.body.Lookup(fieldRemoved)
	if all == (hasAdded || hasRemoved) || hasAdded != hasRemoved {
		r.fail(fieldExist, "or add and del, one of both must be there")
		return m
	}
	if m.All = all; all {
		added = exist
	}
	keys := r.keys(fieldAdded, added)
	hints := r.hints(len(keys))
	seen := make(map[Key]bool, len(keys))
	for i, key := range keys {
		if key.Told() && !seen[key] {
			seen[key] = true
			m.Added = append(m.Added, Address{key, hints(i)})
		}
	}
	if !all {
		m.Removed = slices.DeleteFunc(r.keys(fieldRemoved, removed), func(k Key) bool { return !k.Told() })
	}
	return m
}

func (r *reader) keys(field string, value amqp.RawValue) []Key {
	names, ok := texts(value, MaxAddresses)
	if !ok {
		r.fail(field, "is no list of addresses")
		return nil
	}
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = Key(name)
	}
	return keys
}

// hints gives the treatments of n addresses by their position.
func (r *reader) hints(n int) func(int) Treatment {
	var hints []Treatment
	value, _ := r.body.Lookup(fieldHints)
	well := elements(value, n, func(element amqp.RawValue) bool {
		treatment := Unknown
		if hint, ok := integer(element); ok && hint >= 0 && hint < int64(Unavailable) {
			treatment = Treatment(hint + 1)
		}
		hints = append(hints, treatment)
		return true
	})
	return func(i int) Treatment {
		if !well || len(hints) != n {
			return Unknown
		}
		return hints[i]
	}
}

func (r *reader) router(field string) string {
	value, _ := r.body.Lookup(field)
	id, ok := text(value)
	if !ok || !ValidID(id) {
		r.fail(field, "is no router's id")
	}
	return id
}

// instance reads what tells two starts of a router apart, 0 if that is not there.
func (r *reader) instance() int64 {
	instance, _ := r.optional(fieldInstance)
	return instance
}

// number reads a field that must be there.
func (r *reader) number(field string) int64 {
	n, ok := r.optional(field)
	if !ok {
		r.fail(field, "is missing")
	}
	return n
}

// optional reads a number, at least 0, if it is there.
func (r *reader) optional(field string) (n int64, ok bool) {
	value, ok := r.body.Lookup(field)
	if !ok {
		return 0, false
	}
	n, ok = integer(value)
	if !ok || n < 0 {
		r.fail(field, "is no number from 0")
	}
	return n, true
}

func (r *reader) fail(field, reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", field, reason)
	}
}

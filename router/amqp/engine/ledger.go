package engine

import "slices"

// before compares serial numbers: a comes before b [2.8.10, RFC 1982].
func before(a, b uint32) bool { return int32(a-b) < 0 }

// maxSpan is how far apart the delivery-ids of unsettled deliveries may be, so that their order stays clear.
const maxSpan = 1 << 30

// entry is an unsettled delivery.
type entry struct {
	id       uint32
	dead     bool // settled; what it referred to is let go
	answered bool // of a receiver that settles second: the outcome has been told
	second   bool // the receiver settles after the sender
	link     *Link
	token    any // of the owner, for what we sent
}

// maxDead is how many settled entries may stay between live ones, beyond as many as there are live ones.
const maxDead = 256

// ledger holds the unsettled deliveries of one direction of a session, ordered by delivery-id. Ids mostly come in order
// and mostly settle in order, both of which cost a few instructions; any other order works too.
type ledger struct {
	entries []entry // sorted; the first and the last are live
	backing []entry // where entries began: what was settled at the front leaves room there
	live    int
}

// find gives the entry of a delivery, or nil. It is valid until the next insert or remove.
func (g *ledger) find(id uint32) *entry {
	i := g.search(id)
	if i < len(g.entries) && g.entries[i].id == id && !g.entries[i].dead {
		return &g.entries[i]
	}
	return nil
}

// from gives the first live entry whose id is not before id, or nil.
func (g *ledger) from(id uint32) *entry {
	for i := g.search(id); i < len(g.entries); i++ {
		if !g.entries[i].dead {
			return &g.entries[i]
		}
	}
	return nil
}

// search gives the place of id among the entries.
func (g *ledger) search(id uint32) int {
	if len(g.entries) == 0 || !before(g.entries[0].id, id) {
		return 0
	}
	if i := int(id - g.entries[0].id); i < len(g.entries) && g.entries[i].id == id {
		return i // there is no gap
	}
	i, _ := slices.BinarySearchFunc(g.entries, id, func(e entry, id uint32) int { return int(int32(e.id - id)) })
	return i
}

// takes tells whether id, which comes behind all others, is close enough to them.
func (g *ledger) takes(id uint32) bool { return len(g.entries) == 0 || id-g.entries[0].id <= maxSpan }

// insert adds an entry. It is false when the id is in use, or too far from the others.
func (g *ledger) insert(e entry) bool {
	n := len(g.entries)
	if n == 0 || before(g.entries[n-1].id, e.id) {
		if n > 0 && e.id-g.entries[0].id > maxSpan {
			return false
		}
		g.live++
		g.append(e)
		return true
	}
	if g.entries[n-1].id-e.id > maxSpan {
		return false
	}
	i := g.search(e.id)
	switch {
	case g.entries[i].id != e.id:
		g.entries = slices.Insert(g.entries, i, e)
	case g.entries[i].dead:
		g.entries[i] = e
	default:
		return false
	}
	g.live++
	return true
}

// append adds an entry behind all others, in the room at the front if there is much of it.
func (g *ledger) append(e entry) {
	if len(g.entries) == cap(g.entries) && cap(g.backing) > 2*len(g.entries) {
		all := g.backing[:cap(g.backing)]
		n := copy(all, g.entries)
		clear(all[n:])
		g.entries = all[:n]
	}
	full := len(g.entries) == cap(g.entries)
	g.entries = append(g.entries, e)
	if full {
		g.backing = g.entries
	}
}

// remove forgets a live entry.
func (g *ledger) remove(e *entry) {
	*e = entry{id: e.id, dead: true}
	g.live--
	if g.live == 0 {
		g.entries = g.backing[:0]
		if cap(g.backing) > keptSlots {
			g.entries, g.backing = nil, nil
		}
		return
	}
	head := 0
	for g.entries[head].dead {
		head++
	}
	tail := len(g.entries)
	for g.entries[tail-1].dead {
		tail--
	}
	g.entries = g.entries[head:tail]
	if len(g.entries) > 2*g.live+maxDead {
		g.entries = slices.DeleteFunc(g.entries, func(e entry) bool { return e.dead })
	}
}

// trim gives the memory of an empty ledger back.
func (g *ledger) trim() {
	if g.live == 0 {
		*g = ledger{}
	}
}

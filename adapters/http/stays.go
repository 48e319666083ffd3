package http

import (
	"context"
	"sync"
	"time"
)

// place is where a user's streams are: of the same place, a new one ends those that wait for their client.
type place struct {
	holder holder
	text   string // of the address or filter, and what the query says of the source
}

// stays is the table of all stays: those that a client has, and those that wait for it to come back.
type stays struct {
	lasts time.Duration // how long one waits

	mu      sync.Mutex // guards everything below, and the parking of each; a leaf
	byID    map[string]*stay
	byPlace map[place]map[*stay]bool
	order   []departed // the first to end comes first
}

// parking is what the table knows of a stay.
type parking struct {
	until  time.Time     // zero as long as a client has it
	wanted chan struct{} // closed when its client is back on another connection
	left   chan struct{} // closed when the connection that has it lets it go
}

// departed is a stay whose client left; it is out of date if the client has come back since.
type departed struct {
	stay  *stay
	until time.Time
}

func newStays(lasts time.Duration) *stays {
	return &stays{lasts: lasts, byID: make(map[string]*stay), byPlace: make(map[place]map[*stay]bool)}
}

// begin adds a stay that a client has.
func (t *stays) begin(p place, f *feed) *stay {
	s := &stay{id: newToken(), place: p, feed: f}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.occupy()
	t.byID[s.id] = s
	if t.byPlace[p] == nil {
		t.byPlace[p] = make(map[*stay]bool)
	}
	t.byPlace[p][s] = true
	return s
}

// isWanted tells whether its client is back on another connection.
func (p *parking) isWanted() bool {
	select {
	case <-p.wanted:
		return true
	default:
		return false
	}
}

func (p *parking) occupy() {
	*p = parking{wanted: make(chan struct{}), left: make(chan struct{})}
}

// claim gives a client its stay of an id, or nil if there is none at this place. A connection that still has it is asked
// to let it go: its client knows better than the server that it is dead.
func (t *stays) claim(ctx context.Context, id string, p place) *stay {
	for asked := false; ; asked = true {
		s, left := t.tryClaim(id, p, !asked)
		if left == nil {
			return s
		}
		select {
		case <-left:
		case <-ctx.Done():
			return nil
		}
	}
}

// tryClaim gives the stay if it is free, or else what tells that it is; ask tells to ask for it.
func (t *stays) tryClaim(id string, p place, ask bool) (s *stay, left <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.byID[id]
	if !ok || s.place != p {
		return nil, nil
	}
	if !s.until.IsZero() {
		s.occupy()
		return s, nil
	}
	if s.isWanted() || !ask { // by somebody else
		return nil, nil
	}
	close(s.wanted)
	s.feed.poke()
	return nil, s.left
}

// park keeps a stay for a client that has left.
func (t *stays) park(s *stay, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.until = now.Add(t.lasts)
	t.order = append(t.order, departed{s, s.until})
	close(s.left)
}

// leave removes a stay that a client has.
func (t *stays) leave(s *stay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(s)
	close(s.left)
}

func (t *stays) remove(s *stay) {
	delete(t.byID, s.id)
	delete(t.byPlace[s.place], s)
	if len(t.byPlace[s.place]) == 0 {
		delete(t.byPlace, s.place)
	}
}

// evict removes the stays of a place whose clients have left.
func (t *stays) evict(p place) (gone []*stay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.byPlace[p] {
		if !s.until.IsZero() {
			gone = append(gone, s)
		}
	}
	for _, s := range gone {
		t.remove(s)
	}
	return gone
}

// await waits until a client leaves a stay at a place, and tells whether one has in time.
func (t *stays) await(ctx context.Context, p place, within time.Duration) bool {
	t.mu.Lock()
	var left <-chan struct{} // nil for nobody
	for s := range t.byPlace[p] {
		left = s.left
	}
	t.mu.Unlock()
	if left == nil {
		return false
	}
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case <-left:
		return true
	case <-timeout.C:
	case <-ctx.Done():
	}
	return false
}

// due removes the stays whose clients have not come back in time.
func (t *stays) due(now time.Time) (gone []*stay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.prune(); len(t.order) > 0 && !t.order[0].until.After(now); t.prune() {
		gone = append(gone, t.order[0].stay)
		t.remove(t.order[0].stay)
	}
	return gone
}

// next tells when the first stay ends; ok is false when none waits.
func (t *stays) next() (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.prune(); len(t.order) == 0 {
		return time.Time{}, false
	}
	return t.order[0].until, true
}

// prune takes what is out of date off the beginning.
func (t *stays) prune() {
	for len(t.order) > 0 {
		first := t.order[0]
		if t.byID[first.stay.id] == first.stay && first.stay.until.Equal(first.until) {
			return
		}
		t.order[0] = departed{}
		t.order = t.order[1:]
	}
	t.order = nil
}

// all removes every stay that waits.
func (t *stays) all() (gone []*stay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byID {
		if !s.until.IsZero() {
			gone = append(gone, s)
		}
	}
	for _, s := range gone {
		t.remove(s)
	}
	t.order = nil
	return gone
}

package mqtt

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// shelf keeps records in memory, and says at once that they are safe.
type shelf struct {
	mu      sync.Mutex // guards everything below
	records map[[3]string]string
	holding bool     // nothing is answered
	held    []func() // the answers
}

var _ Sessions = (*shelf)(nil)

func (s *shelf) Put(tenant, client, name string, value []byte, done func(error)) {
	s.change(done, func() {
		s.records[[3]string{tenant, client, name}] = string(value)
	})
}

// Record gives nothing: no address of a house with a shelf stores messages.
func (s *shelf) Record(string, string, string, []byte) any { return nil }

func (s *shelf) Delete(tenant, client, name string, done func(error)) {
	s.change(done, func() { delete(s.records, [3]string{tenant, client, name}) })
}

func (s *shelf) Forget(tenant, client string) {
	s.change(nil, func() {
		maps.DeleteFunc(s.records, func(k [3]string, _ string) bool { return k[0] == tenant && k[1] == client })
	})
}

func (s *shelf) change(done func(error), change func()) {
	s.mu.Lock()
	if s.records == nil {
		s.records = make(map[[3]string]string)
	}
	change()
	holds := done != nil && s.holding
	if holds {
		s.held = append(s.held, func() { done(nil) })
	}
	s.mu.Unlock()
	if done != nil && !holds {
		done(nil)
	}
}

// hold makes changes wait for release.
func (s *shelf) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = true
}

// release answers what was held.
func (s *shelf) release() {
	s.mu.Lock()
	held := s.held
	s.held, s.holding = nil, false
	s.mu.Unlock()
	for _, answer := range held {
		answer()
	}
}

func (s *shelf) All(visit func(tenant, client, name string, value []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(s.records), func(a, b [3]string) int {
		return strings.Compare(strings.Join(a[:], "\x00"), strings.Join(b[:], "\x00"))
	})
	for _, k := range keys {
		if err := visit(k[0], k[1], k[2], []byte(s.records[k])); err != nil {
			return err
		}
	}
	return nil
}

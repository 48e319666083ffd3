package transport

import "sync"

// Owners knows who has what only one connection at a time may have, by its name: a client that comes back on another
// connection takes it from its former self. The zero value is ready; its methods may be called from any goroutine.
type Owners[N, O comparable] struct {
	mu     sync.Mutex // guards everything below; a leaf
	byName map[N]O
}

// Take makes o the owner of a name.
func (s *Owners[N, O]) Take(name N, o O) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = make(map[N]O)
	}
	s.byName[name] = o
}

// Release forgets o, unless another has its name by now.
func (s *Owners[N, O]) Release(name N, o O) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[name] == o {
		delete(s.byName, name)
	}
}

// Rob takes a name from its owner, whom the caller then tells; false when it has none.
func (s *Owners[N, O]) Rob(name N) (O, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.byName[name]
	delete(s.byName, name)
	return o, ok
}

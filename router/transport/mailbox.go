package transport

import (
	"sync"
	"weak"
)

// Mailbox is where other goroutines leave things for the owner of a connection. Its lock is a leaf. What it may hold
// is bounded by the credit of those who put into it. It is not to be copied.
type Mailbox[T any] struct {
	wake func()

	mu   sync.Mutex // guards everything below; a leaf
	room *room[T]   // nil while there is nothing in it
	idle weak.Pointer[room[T]]
}

// room is the memory of a mailbox. An empty mailbox refers to its room weakly: one that soon gets more goes on with it, and
// one that does not leaves it to the garbage collector.
type room[T any] struct {
	items []T // what has come
	taken []T // what the owner took last
}

// Init says what wakes the owner; it is called before anything else. wake is called, without the lock, when something
// comes into an empty mailbox; it must not block.
func (m *Mailbox[T]) Init(wake func()) { m.wake = wake }

// Put adds v and wakes the owner if need be.
func (m *Mailbox[T]) Put(v T) {
	m.mu.Lock()
	if m.room == nil {
		m.enter()
	}
	m.room.items = append(m.room.items, v)
	first := len(m.room.items) == 1
	m.mu.Unlock()
	if first {
		m.wake()
	}
}

// enter takes the room that there was, or a new one.
func (m *Mailbox[T]) enter() {
	if m.room = m.idle.Value(); m.room == nil {
		m.room = new(room[T])
		m.idle = weak.Make(m.room)
	}
}

// Take gives all that has come, in order, or nil. The owner calls it again only when it is done with the last answer:
// that slice is used anew.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.room
	if r == nil {
		return nil
	}
	clear(r.taken)
	r.taken = r.taken[:0]
	if len(r.items) == 0 {
		m.room = nil
		return nil
	}
	r.items, r.taken = r.taken, r.items
	return r.taken
}

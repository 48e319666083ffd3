package transport

import "sync"

// Mailbox is where other goroutines leave things for the owner of a connection. Its lock is a leaf. What it may hold
// is bounded by the credit of those who put into it. It is not to be copied.
type Mailbox[T any] struct {
	wake func()

	mu    sync.Mutex // guards everything below; a leaf
	items []T
	spare []T
}

// Init says what wakes the owner; it is called before anything else. wake is called, without the lock, when something
// comes into an empty mailbox; it must not block.
func (m *Mailbox[T]) Init(wake func()) { m.wake = wake }

// Put adds v and wakes the owner if need be.
func (m *Mailbox[T]) Put(v T) {
	m.mu.Lock()
	m.items = append(m.items, v)
	first := len(m.items) == 1
	m.mu.Unlock()
	if first {
		m.wake()
	}
}

// keptSlots is how many slots a mailbox keeps while it is empty.
const keptSlots = 16

// Take gives all that has come, in order, or nil. The owner calls it again only when it is done with the last answer:
// that slice is used anew.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) == 0 {
		if cap(m.items)+cap(m.spare) > keptSlots {
			m.items, m.spare = nil, nil
		}
		return nil
	}
	items := m.items
	clear(m.spare)
	m.items, m.spare = m.spare[:0], items
	return items
}

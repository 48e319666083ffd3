package http

import (
	"container/heap"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// lockID names a lock in a path: a number for people who read logs, and a token that nobody can guess.
type lockID struct {
	number uint64
	token  string
}

// tokenLength is the length of 128 random bits in unpadded base64url.
const tokenLength = 22

func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // it never returns an error
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// holder is whose locks are counted together.
type holder struct{ tenant, user string }

// lock is a message that a client has received and not yet settled.
type lock struct {
	id       lockID
	holder   holder
	text     string // of the address or filter, as in the path it was received through
	expires  time.Time
	delivery router.Delivery // without its message
	from     *intake
	position int // in the heap
}

// settle ends the lock, which must have been taken out of the table, and with the last lock its link.
func (l *lock) settle(o router.Outcome, done func(error)) {
	l.delivery.SettleThen(o, done)
	l.from.unlock()
}

// locks is the table of all locks: found by token, ordered by when they expire, counted by holder.
type locks struct {
	most int // of one holder

	mu      sync.Mutex // guards everything below; a leaf
	byToken map[string]*lock
	expiry  expiryHeap
	held    map[holder]int
	number  uint64 // of the newest lock
}

func newLocks(most int) *locks {
	return &locks{most: most, byToken: make(map[string]*lock), held: make(map[holder]int)}
}

// reserve counts up to n locks for a holder before there is a message for them, and gives how many there is room for.
func (t *locks) reserve(h holder, n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = min(n, t.most-t.held[h])
	if n > 0 {
		t.held[h] += n
	}
	return n
}

// giveBack uncounts n locks of a holder.
func (t *locks) giveBack(h holder, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uncount(h, n)
}

func (t *locks) uncount(h holder, n int) {
	if t.held[h] -= n; t.held[h] == 0 {
		delete(t.held, h)
	}
}

// add puts in a lock whose holder has reserved it, and names it. first tells whether it expires before all others.
func (t *locks) add(l *lock) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	l.id = lockID{number: t.number, token: newToken()}
	t.byToken[l.id.token] = l
	heap.Push(&t.expiry, l)
	return l.position == 0
}

// take removes a lock, which only one caller gets. The path that names it must be the one it was given out with.
func (t *locks) take(tenant, text string, id lockID) (*lock, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.find(tenant, text, id)
	if ok {
		t.remove(l)
	}
	return l, ok
}

// renew changes when a lock expires, which is named as for take.
func (t *locks) renew(tenant, text string, id lockID, expires time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.find(tenant, text, id)
	if ok {
		l.expires = expires
		heap.Fix(&t.expiry, l.position)
	}
	return ok
}

func (t *locks) find(tenant, text string, id lockID) (*lock, bool) {
	l, ok := t.byToken[id.token]
	return l, ok && l.holder.tenant == tenant && l.text == text && l.id == id
}

// due removes the locks that have expired.
func (t *locks) due(now time.Time) []*lock {
	t.mu.Lock()
	defer t.mu.Unlock()
	var expired []*lock
	for len(t.expiry) > 0 && !t.expiry[0].expires.After(now) {
		expired = append(expired, t.expiry[0])
		t.remove(t.expiry[0])
	}
	return expired
}

// all removes every lock.
func (t *locks) all() []*lock {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*lock
	for len(t.expiry) > 0 {
		all = append(all, t.expiry[0])
		t.remove(t.expiry[0])
	}
	return all
}

// next tells when the first lock expires; ok is false when there is none.
func (t *locks) next() (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.expiry) == 0 {
		return time.Time{}, false
	}
	return t.expiry[0].expires, true
}

func (t *locks) remove(l *lock) {
	delete(t.byToken, l.id.token)
	heap.Remove(&t.expiry, l.position)
	t.uncount(l.holder, 1)
}

// expiryHeap implements heap.Interface; the lock that expires first is on top.
type expiryHeap []*lock

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

func (h *expiryHeap) Push(x any) {
	l := x.(*lock)
	l.position = len(*h)
	*h = append(*h, l)
}

func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}

package coap

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// holder is whose locks are counted together.
type holder struct{ tenant, user string }

// lock is a message that a client has received and not yet settled. Its token, which nobody can guess, is its name in a
// path, so that a client whose address has changed finds it again.
type lock struct {
	token    string
	holder   holder
	expires  time.Time       // guarded by the table
	delivery router.Delivery // without its message
	link     *router.Receiver
}

// settle ends the lock, which must have been taken out of the table, and its link.
func (l *lock) settle(o router.Outcome, done func(error)) {
	l.delivery.SettleThen(o, done)
	l.link.Close()
}

// locks is the table of all locks: found by token, counted by holder. The session that was given a lock sees to its end, and
// after that session the table: its client may come back in another one.
type locks struct {
	most int // of one holder

	mu      sync.Mutex // guards everything below; a leaf
	byToken map[string]*lock
	held    map[holder]int
}

func newLocks(most int) *locks {
	return &locks{most: most, byToken: make(map[string]*lock), held: make(map[holder]int)}
}

// reserve counts a lock for a holder before there is a message for it, if there is room for one more.
func (t *locks) reserve(h holder) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[h] >= t.most {
		return false
	}
	t.held[h]++
	return true
}

// giveBack uncounts a lock that was reserved.
func (t *locks) giveBack(h holder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uncount(h)
}

func (t *locks) uncount(h holder) {
	if t.held[h]--; t.held[h] == 0 {
		delete(t.held, h)
	}
}

// add puts in a lock that was reserved, and names it.
func (t *locks) add(l *lock) {
	var random [16]byte
	rand.Read(random[:]) // it never returns an error
	l.token = base64.RawURLEncoding.EncodeToString(random[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byToken[l.token] = l
}

// take removes a lock of a tenant, which only one caller gets; nil when there is none of this name.
func (t *locks) take(token, tenant string) *lock {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.byToken[token]
	if !ok || l.holder.tenant != tenant {
		return nil
	}
	t.remove(l)
	return l
}

// renew changes when a lock expires.
func (t *locks) renew(token, tenant string, expires time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.byToken[token]
	if !ok || l.holder.tenant != tenant {
		return false
	}
	l.expires = expires
	return true
}

// expire removes those among locks that have expired, and gives them, those that are still there, and when the first of
// these expires.
func (t *locks) expire(now time.Time, all []*lock) (expired, left []*lock, next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range all {
		switch {
		case t.byToken[l.token] != l:
		case !l.expires.After(now):
			t.remove(l)
			expired = append(expired, l)
		default:
			left = append(left, l)
			next = sooner(next, l.expires)
		}
	}
	return expired, left, next
}

// outlive sees to the end of the locks of a session that is over.
func (t *locks) outlive(now time.Time, all []*lock) {
	expired, left, next := t.expire(now, all)
	end(expired)
	if len(left) > 0 {
		time.AfterFunc(next.Sub(now), func() { t.outlive(time.Now(), left) })
	}
}

// close ends what is locked still, as when the process ends.
func (t *locks) close() {
	t.mu.Lock()
	var all []*lock
	for _, l := range t.byToken {
		t.remove(l)
		all = append(all, l)
	}
	t.mu.Unlock()
	end(all)
}

// end gives back messages that were not settled in time.
func end(all []*lock) {
	for _, l := range all {
		l.settle(router.Fail(), nil)
	}
}

func (t *locks) remove(l *lock) {
	delete(t.byToken, l.token)
	t.uncount(l.holder)
}

// expireLocks gives back what this peer has not settled in time.
func (c *conn) expireLocks(now time.Time) {
	if c.lockDue.IsZero() || now.Before(c.lockDue) {
		return
	}
	var expired []*lock
	expired, c.locks, c.lockDue = c.server.locks.expire(now, c.locks)
	end(expired)
}

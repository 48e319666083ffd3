package authenticator

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"
)

// memory is answers to questions, under a keyed hash of each: it cannot be looked up in a table of common passwords. What is in
// neither half of it is forgotten.
type memory struct {
	settings Settings
	key      [32]byte

	mu            sync.Mutex // guards everything below; a leaf
	recent, older map[hash]remembered
}

type hash [sha256.Size]byte

// remembered is an answer, and how long it is good.
type remembered struct {
	verdict
	until time.Time
}

func (m *memory) init(s Settings) {
	m.settings, m.recent = s, make(map[hash]remembered)
	rand.Read(m.key[:]) // never fails
}

// hash gives the keyed hash of a question.
func (m *memory) hash(q *question) hash {
	mac := hmac.New(sha256.New, m.key[:])
	json.NewEncoder(mac).Encode(q) // of texts, to a hash: neither fails
	return hash(mac.Sum(nil))
}

// recall gives the answer to a question if it is remembered.
func (m *memory) recall(now time.Time, q *question) (verdict, bool) {
	id := m.hash(q)
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.recent[id]
	if !ok {
		r, ok = m.older[id]
	}
	return r.verdict, ok && now.Before(r.until)
}

// keep remembers an answer as long as it is good.
func (m *memory) keep(now time.Time, q *question, v verdict) {
	lasts := m.settings.RememberYes
	if v.err != nil {
		lasts = m.settings.RememberNo
	}
	until := now.Add(lasts)
	if end := v.identity.Expires; !end.IsZero() && end.Before(until) {
		until = end
	}
	if !now.Before(until) {
		return
	}
	id := m.hash(q)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) >= max(1, m.settings.MaxRemembered/2) {
		m.older, m.recent = m.recent, make(map[hash]remembered)
	}
	m.recent[id] = remembered{v, until}
}

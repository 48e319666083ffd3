package http

import (
	"context"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// pull is what a receive asks for.
type pull struct {
	source  router.Source
	timeout time.Duration
	lock    time.Duration
	most    int
}

// defaultPoll is how long a receive waits for a first message if the client does not say.
const defaultPoll = time.Second

func (s *Server) readPull(r *nethttp.Request, path *route, p *tenancy.Principal) (want pull, err error) {
	query := parseQuery(r.URL)
	if want.source, err = s.readSource(p, path, query); err != nil {
		return want, err
	}
	want.timeout = query.seconds("timeout", min(defaultPoll, s.limits.MaxPoll), 0, s.limits.MaxPoll, "http.maxPoll")
	want.most = query.integer("max", 1, 1, s.limits.MaxBatch, "http.maxBatch")
	if r.Method == nethttp.MethodPost {
		want.lock = query.lock(s.limits)
	}
	if err := query.err(); err != nil {
		return want, err
	}
	return want, p.Allowance().MayReceive()
}

// lock reads for how long messages are to be locked.
func (p *parameters) lock(l Limits) time.Duration {
	return p.seconds("lock", l.LockTime, time.Second, l.MaxLockTime, "http.maxLockTime")
}

// receive answers POST {address}/messages/head: it waits for messages and gives them out under locks.
func (s *Server) receive(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	want, err := s.readPull(r, path, p)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	held := holder{p.Tenant.Name, p.User}
	room := s.locks.reserve(held, want.most)
	if room <= 0 {
		s.answer(w, router.Quota, "too many messages are locked (http.maxLocks): settle some, or wait until their locks expire")
		return
	}
	used := 0
	defer func() { s.locks.giveBack(held, room-used) }()
	in, err := s.openIntake(r.Context(), p, want.source, room)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	poll, cancel := context.WithTimeout(r.Context(), max(want.timeout, s.limits.Gather))
	defer cancel()
	came := in.gather(poll, draining(r), room, s.limits.Gather)
	if r.Context().Err() != nil {
		in.giveBack(came)
		s.answer(w, router.Stopping, "") // read only by a client that is cut off at the drain timeout
		return
	}
	if len(came) == 0 {
		in.close()
		s.writeEmpty(w, r, nethttp.StatusNoContent)
		return
	}
	locks := s.lockAll(in, came, held, path, time.Now().Add(want.lock))
	used = countLocks(locks)
	if want.most == 1 {
		s.writeMessage(w, path, &came[0], locks[0])
	} else {
		s.writeBatch(w, r, path, came, locks)
	}
}

// lockAll locks what came, and leaves the link to the locks. What nobody waits for needs none: its lock is nil.
func (s *Server) lockAll(
	in *intake, came []router.Delivery, held holder, path *route, expires time.Time,
) []*lock {
	locks := make([]*lock, len(came))
	for i, d := range came {
		if d.Owned() {
			d.Message = router.Message{}
			locks[i] = &lock{holder: held, text: path.text, expires: expires, delivery: d, from: in}
		}
	}
	n := countLocks(locks)
	if n == 0 {
		in.close()
		return locks
	}
	in.seal(n)
	first := false
	for _, l := range locks {
		if l != nil && s.locks.add(l) {
			first = true
		}
	}
	if first {
		s.keeper.poke()
	}
	return locks
}

func countLocks(locks []*lock) int {
	n := 0
	for _, l := range locks {
		if l != nil {
			n++
		}
	}
	return n
}

// writeMessage answers with one message: its body, and the rest in headers.
func (s *Server) writeMessage(w nethttp.ResponseWriter, path *route, d *router.Delivery, l *lock) {
	opened := read(d)
	h := w.Header()
	opened.writeHeaders(h, time.Now())
	h.Set("Cache-Control", "no-store")
	if l != nil {
		h.Set("Location", path.location(l.id))
		h.Set(headerLockToken, l.id.token)
		h.Set(headerLockExpires, formatExpiry(l.expires))
	}
	s.write(w, nethttp.StatusOK, opened.body)
}

// writeBatch answers with a JSON array of envelopes.
func (s *Server) writeBatch(
	w nethttp.ResponseWriter, r *nethttp.Request, path *route, came []router.Delivery, locks []*lock,
) {
	now := time.Now()
	batch := make([]envelope, len(came))
	for i := range came {
		opened := read(&came[i])
		batch[i] = opened.envelope(now)
		if l := locks[i]; l != nil {
			batch[i].Location = path.location(l.id)
			batch[i].LockToken = l.id.token
			batch[i].LockExpires = formatExpiry(l.expires)
		}
	}
	s.writeJSON(w, r, batch)
}

// formatExpiry writes when a lock expires as RFC 3339 does.
func formatExpiry(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

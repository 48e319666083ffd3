package http

import (
	"context"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// maxReason is the longest reason that a client may give for an outcome, in bytes.
const maxReason = 1024

// readOutcome reads what a client says of a message that it has under a lock: DELETE accepts it, PUT gives it back,
// POST .../reject says that it is of no use.
func readOutcome(r *nethttp.Request, path *route) (router.Outcome, error) {
	query := parseQuery(r.URL)
	var o router.Outcome
	switch {
	case path.endpoint == endpointReject:
		o = router.Reject(router.Malformed, query.text("reason", "rejected by its consumer", maxReason))
	case r.Method == nethttp.MethodDelete:
		o = router.Accept()
	case query.choice("failed", "false", "true", "false"):
		o = router.Fail()
		o.Text = query.text("reason", "", maxReason)
	default:
		o = router.Release()
	}
	return o, query.err()
}

// settle ends a lock and says so once that is safe.
//
// A lock that was settled, has expired or never was is 404 (RFC 9110 section 15.5.5): the door does not remember those
// that ended, so it cannot say 410. A lock that the door still has and whose message is no longer its client's is 409.
func (s *Server) settle(w nethttp.ResponseWriter, r *nethttp.Request, path *route) {
	o, err := readOutcome(r, path)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	l, ok := s.locks.take(path.tenant, path.text, path.lock)
	if !ok {
		s.answer(w, router.NotFound, noSuchLock)
		return
	}
	safe := make(chan error, 1)
	l.settle(o, func(err error) { safe <- err })
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.OutcomeTimeout)
	defer cancel()
	select {
	case err := <-safe:
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		s.writeEmpty(w, r, nethttp.StatusNoContent)
	case <-ctx.Done():
		s.writeProblem(w, problem{Status: nethttp.StatusGatewayTimeout, Detail: unsafe})
	}
}

const noSuchLock = "no such lock: it was settled, has expired, or is of another address"

// renew answers POST of a lock's renew: the lock expires as long from now as it says.
func (s *Server) renew(w nethttp.ResponseWriter, r *nethttp.Request, path *route) {
	query := parseQuery(r.URL)
	lasts := query.lock(s.limits)
	if err := query.err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	expires := time.Now().Add(lasts)
	if !s.locks.renew(path.tenant, path.text, path.lock, expires) {
		s.answer(w, router.NotFound, noSuchLock)
		return
	}
	s.keeper.poke()
	w.Header().Set(headerLockExpires, formatExpiry(expires))
	s.writeEmpty(w, r, nethttp.StatusNoContent)
}

package http

import (
	"context"
	nethttp "net/http"

	"github.com/manifoldmq/manifold/router"
)

// settle answers DELETE and PUT of a lock's location, and POST of its reject: it ends the lock and says so once that is
// safe.
//
// A lock that was settled, has expired or never was is 404 (RFC 9110 section 15.5.5): the door does not remember those
// that ended, so it cannot say 410. A lock that the door still has and whose message is no longer its client's is 409.
func (s *Server) settle(w nethttp.ResponseWriter, r *nethttp.Request, path *route, o router.Outcome) {
	if err := parseQuery(r.URL).err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	l, ok := s.locks.take(path.tenant, path.text, path.lock)
	if !ok {
		s.answer(w, router.NotFound, "no such lock: it was settled, has expired, or is of another address")
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
		s.write(w, nethttp.StatusNoContent, nil)
	case <-ctx.Done():
		s.writeProblem(w, problem{
			Status: nethttp.StatusGatewayTimeout,
			Detail: "the settlement is not safe yet: the message may be delivered again",
		})
	}
}

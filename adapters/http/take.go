package http

import (
	"context"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// take answers DELETE {address}/messages/head: it receives messages and accepts them before its client has them. What
// the answer does not bring home is lost.
func (s *Server) take(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	want, err := s.readPull(r, path, p)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	in, err := s.openIntake(r.Context(), p, want.source, want.most)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer in.close()
	poll, cancel := context.WithTimeout(r.Context(), max(want.timeout, s.limits.Gather))
	defer cancel()
	came := in.gather(poll, draining(r), want.most, s.limits.Gather)
	switch {
	case r.Context().Err() != nil:
		in.giveBack(came)
		s.answer(w, router.Stopping, "")
	case len(came) == 0:
		s.writeEmpty(w, r, nethttp.StatusNoContent)
	case !s.acceptAll(r.Context(), came):
		s.writeProblem(w, problem{Status: nethttp.StatusGatewayTimeout, Detail: unsafe})
	case want.most == 1:
		s.writeMessage(w, path, &came[0], nil)
	default:
		s.writeBatch(w, r, path, came, make([]*lock, len(came)))
	}
}

// unsafe says that a settlement is not on disk.
const unsafe = "the settlement is not safe yet: the message may be delivered again"

// acceptAll accepts messages and tells whether that is safe for all of them.
func (s *Server) acceptAll(ctx context.Context, came []router.Delivery) bool {
	safe := make(chan error, len(came))
	for _, d := range came {
		d.SettleThen(router.Accept(), func(err error) { safe <- err })
	}
	timeout := time.NewTimer(s.limits.OutcomeTimeout)
	defer timeout.Stop()
	for range came {
		select {
		case err := <-safe:
			if err != nil {
				return false
			}
		case <-timeout.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

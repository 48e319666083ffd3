package http

import (
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// browse answers GET {queue}/messages: the first messages of a queue, in their order, of which none is taken.
func (s *Server) browse(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	query := parseQuery(r.URL)
	most := query.integer("max", s.limits.MaxBatch, 1, s.limits.MaxBatch, "http.maxBatch")
	source, err := s.readSource(p, path, query)
	if err == nil {
		err = query.err()
	}
	source.Kind, source.Browse = addressing.Queue, true
	if err == nil && s.router.KindOf(p, literal(source.Filter)) != addressing.Queue {
		err = router.Errorf(router.Unsupported, "%s is no queue, and only a queue can be browsed", source.Filter)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	in, err := s.openIntake(r.Context(), p, source, most)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer in.close()
	in.grant(most)
	var came []router.Delivery
	for until := time.Now().Add(s.limits.OutcomeTimeout); ; {
		came = in.fill(came, s.limits.Gather)
		if in.granted == 0 || in.exhausted() || time.Now().After(until) || r.Context().Err() != nil {
			break
		}
	}
	s.writeBatch(w, r, path, came, make([]*lock, len(came)))
}

// literal gives the address that a filter is, or the empty one, which nothing declares.
func literal(f addressing.Filter) addressing.Address {
	a, _ := f.Literal()
	return a
}

package http

import (
	nethttp "net/http"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// keptSubscription is a durable subscription as a client sees it.
type keptSubscription struct {
	Name     string `json:"name"`
	Filter   string `json:"filter"`
	Shared   bool   `json:"shared"`
	Selector string `json:"selector,omitempty"`
}

// serveSubscription answers the methods of {topic}::{name}/subscription.
func (s *Server) serveSubscription(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	query := parseQuery(r.URL)
	source, err := path.source()
	if err == nil && source.Subscription == "" {
		err = router.Errorf(router.NotFound, "the path names no subscription: want topic::name")
	}
	if err == nil && r.Method == nethttp.MethodPut {
		source, err = s.readSource(p, path, query)
	}
	if err == nil {
		err = query.err()
	}
	if err == nil && r.Method == nethttp.MethodDelete {
		err = s.router.Forget(r.Context(), p, source)
	}
	switch {
	case err != nil:
		s.refuse(w, r, err)
	case r.Method == nethttp.MethodGet:
		s.showSubscription(w, r, p, source)
	case r.Method == nethttp.MethodPut:
		s.makeSubscription(w, r, p, source)
	default:
		s.writeEmpty(w, r, nethttp.StatusNoContent)
	}
}

func (s *Server) showSubscription(
	w nethttp.ResponseWriter, r *nethttp.Request, p *tenancy.Principal, source router.Source,
) {
	made, ok, err := s.subscription(p, source)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if !ok {
		s.answer(w, router.NotFound, "no such subscription")
		return
	}
	shown := keptSubscription{Name: made.Subscription, Filter: made.Filter.String(), Shared: made.Shared}
	if made.Selector != nil {
		shown.Selector = made.Selector.String()
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	s.write(w, nethttp.StatusOK, encodeJSON(shown))
}

// makeSubscription makes sure that a subscription is there, which keeps what its topics get from now on: to receive from
// it is to make it.
func (s *Server) makeSubscription(
	w nethttp.ResponseWriter, r *nethttp.Request, p *tenancy.Principal, source router.Source,
) {
	if _, ok, _ := s.subscription(p, source); ok {
		s.writeEmpty(w, r, nethttp.StatusNoContent)
		return
	}
	in, err := s.openIntake(r.Context(), p, source, 0)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	in.close()
	s.writeEmpty(w, r, nethttp.StatusCreated)
}

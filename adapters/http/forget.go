package http

import (
	nethttp "net/http"

	"github.com/manifoldmq/manifold/tenancy"
)

// forget answers DELETE of a durable subscription: it ends, with all that it keeps.
func (s *Server) forget(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	if err := parseQuery(r.URL).err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	source, err := path.source()
	if err == nil {
		err = s.router.Forget(r.Context(), p, source)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.write(w, nethttp.StatusNoContent, nil)
}

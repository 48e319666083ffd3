package http

import (
	"errors"
	nethttp "net/http"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// serveHTTP finds out what a request wants and who sends it. It looks at the path itself: a ServeMux would clean it.
func (s *Server) serveHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	// Messages are what others sent: a browser must not guess that one is a web page.
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.ContentLength != 0 {
		s.setBodyDeadline(w)
	}
	s.origins.allow(w, r)
	if isUpgrade(r) {
		s.upgrade(w, r)
		return
	}
	path, err := parsePath(rawPath(r.URL))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if r.Method == nethttp.MethodOptions {
		s.origins.options(w, r, methods[path.endpoint])
		return
	}
	if !path.endpoint.allows(r.Method) {
		w.Header().Set("Allow", methods[path.endpoint])
		s.writeProblem(w, problem{Status: nethttp.StatusMethodNotAllowed})
		return
	}
	if err := s.origins.check(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	principal, err := s.authenticate(r, path.tenant)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.dispatch(w, r, &path, principal)
}

func (s *Server) dispatch(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	switch path.endpoint {
	case endpointMessages:
		s.send(w, r, path, p)
	case endpointHead:
		s.receive(w, r, path, p)
	case endpointStream:
		s.stream(w, r, path, p)
	case endpointSubscription:
		s.forget(w, r, path, p)
	case endpointReject:
		s.settle(w, r, path, router.Reject(router.Malformed, "rejected by its consumer"))
	case endpointLock:
		outcome := router.Accept()
		if r.Method == nethttp.MethodPut {
			outcome = router.Release()
		}
		s.settle(w, r, path, outcome)
	}
}

// authenticate finds out who sends a request to the tenant of its path: by Basic credentials (RFC 7617) or a bearer token
// (RFC 6750) if it has any, else by its certificate or as nobody. Why it is refused is not told, so that nobody learns
// which tenants exist.
func (s *Server) authenticate(r *nethttp.Request, tenant string) (*tenancy.Principal, error) {
	var c tenancy.Credentials
	if r.TLS != nil {
		c.Visitor = tenancy.VisitorOver(r.TLS)
	}
	c.Tenant = tenant
	authorization := r.Header.Get("Authorization")
	if user, password, ok := r.BasicAuth(); ok {
		c.User, c.Password = user, []byte(password)
	} else if token, ok := tenancy.BearerToken(authorization); ok {
		c.Token = token
	} else if authorization != "" {
		return nil, router.Errorf(router.Unauthenticated, "the credentials are of neither scheme, Basic or Bearer")
	}
	if tenant == "" {
		return nil, router.Errorf(router.Unauthenticated, "credentials are required or wrong")
	}
	p, err := s.directory.Authenticate(r.Context(), c)
	switch {
	case errors.Is(err, tenancy.ErrBusy):
		return nil, router.Errorf(router.Unroutable, "%v", err)
	case err != nil:
		return nil, router.Errorf(router.Unauthenticated, "credentials are required or wrong")
	}
	return p, nil
}

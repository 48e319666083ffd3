package http

import (
	"context"
	"errors"
	nethttp "net/http"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// serveHTTP finds out what a request wants and who sends it. It looks at the path itself: a ServeMux would clean it.
func (s *Server) serveHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	if r.ContentLength != 0 {
		s.setBodyDeadline(w)
	}
	raw := rawPath(r.URL)
	origins := s.originsOf(raw)
	origins.allow(w, r)
	if isUpgrade(r) {
		if tenant, ok := socketTenant(raw); ok && !s.upgradesOnly {
			s.serveSocket(w, r, tenant)
		} else {
			s.upgrade(w, r)
		}
		return
	}
	if s.upgradesOnly && s.others != nil {
		s.others.ServeHTTP(w, r)
		return
	}
	if s.upgradesOnly { // RFC 9110 section 15.5.22
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		s.writeProblem(w, problem{Status: nethttp.StatusUpgradeRequired, Detail: "this port is for WebSockets"})
		return
	}
	if page, ok := s.pages[raw]; ok {
		s.show(w, r, page)
		return
	}
	if form, ok := parseHono(raw); ok {
		s.serveHono(w, r, form)
		return
	}
	path, err := parsePath(raw)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if r.Method == nethttp.MethodOptions {
		origins.options(w, r, methods[path.endpoint])
		return
	}
	if !path.endpoint.allows(r.Method) {
		s.refuseMethod(w, methods[path.endpoint])
		return
	}
	if err := origins.check(r); err != nil {
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

// refuseMethod tells which methods there are instead (RFC 9110 section 15.5.6).
func (s *Server) refuseMethod(w nethttp.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	s.writeProblem(w, problem{Status: nethttp.StatusMethodNotAllowed})
}

func (s *Server) dispatch(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	switch path.endpoint {
	case endpointMessages:
		if r.Method == nethttp.MethodGet {
			s.browse(w, r, path, p)
		} else {
			s.send(w, r, path, p)
		}
	case endpointBatch:
		s.sendBatch(w, r, path, p)
	case endpointHead:
		if r.Method == nethttp.MethodDelete {
			s.take(w, r, path, p)
		} else {
			s.receive(w, r, path, p)
		}
	case endpointRequests:
		s.request(w, r, path, p)
	case endpointStream:
		s.stream(w, r, path, p)
	case endpointSubscription:
		s.serveSubscription(w, r, path, p)
	case endpointSettle:
		s.settleBatch(w, r, path)
	case endpointRenew:
		s.renew(w, r, path)
	case endpointLock, endpointReject:
		s.settle(w, r, path)
	}
}

// authenticate finds out who sends a request to the tenant of its path.
func (s *Server) authenticate(r *nethttp.Request, tenant string) (*tenancy.Principal, error) {
	c, err := readCredentials(r, tenant)
	if err != nil {
		return nil, err
	}
	return s.login(r.Context(), c)
}

// readCredentials reads who a request says it is from: by Basic credentials (RFC 7617) or a bearer token (RFC 6750) if it
// has any, else by its certificate or as nobody.
func readCredentials(r *nethttp.Request, tenant string) (c tenancy.Credentials, err error) {
	c.Visitor = visitorOf(r)
	c.Tenant = tenant
	authorization := r.Header.Get("Authorization")
	if user, password, ok := r.BasicAuth(); ok {
		c.User, c.Password = user, []byte(password)
	} else if token, ok := tenancy.BearerToken(authorization); ok {
		c.Token = token
	} else if authorization != "" {
		return c, router.Errorf(router.Unauthenticated, "the credentials are of neither scheme, Basic or Bearer")
	}
	return c, nil
}

// visitorOf gives what the connection of a request tells of its client.
func visitorOf(r *nethttp.Request) (v tenancy.Visitor) {
	if r.TLS != nil {
		v = tenancy.VisitorOver(r.TLS)
	}
	v = v.From(r.RemoteAddr).Through("HTTP")
	v.Private = v.Private || v.Address.Addr().IsLoopback()
	return v
}

// login checks credentials. Why they are refused is not told, so that nobody learns which tenants exist.
func (s *Server) login(ctx context.Context, c tenancy.Credentials) (*tenancy.Principal, error) {
	if c.Tenant == "" {
		return nil, errCredentials()
	}
	return s.admit(ctx, c)
}

// admit is login for a client that may leave it to its credentials which tenant it is of.
func (s *Server) admit(ctx context.Context, c tenancy.Credentials) (*tenancy.Principal, error) {
	p, err := s.directory.Authenticate(ctx, c)
	switch {
	case errors.Is(err, tenancy.ErrBusy):
		return nil, router.Errorf(router.Unroutable, "%v", err)
	case err != nil:
		return nil, errCredentials()
	}
	return p, p.MayStay("HTTP")
}

func errCredentials() error {
	return router.Errorf(router.Unauthenticated, "credentials are required or wrong")
}

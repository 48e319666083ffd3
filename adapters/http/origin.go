package http

import (
	"fmt"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router"
)

// origins decides which web pages may use the door from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol).
type origins struct {
	all     bool
	trusted []string
	guard   *nethttp.CrossOriginProtection
}

func newOrigins(trusted []string) (*origins, error) {
	o := &origins{trusted: trusted, guard: nethttp.NewCrossOriginProtection()}
	for _, origin := range trusted {
		if origin == "*" {
			o.all = true
			continue
		}
		if err := o.guard.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("origins: %w", err)
		}
	}
	return o, nil
}

// newTenantOrigins gives the origins of tenants by tenant.
func newTenantOrigins(trusted map[string][]string) (map[string]*origins, error) {
	all := make(map[string]*origins, len(trusted))
	for tenant, list := range trusted {
		o, err := newOrigins(list)
		if err != nil {
			return nil, fmt.Errorf("tenant %q: %w", tenant, err)
		}
		all[tenant] = o
	}
	return all, nil
}

// originsOf gives what decides for a path: what its tenant says, or else what the door does.
func (s *Server) originsOf(raw string) *origins {
	if len(s.tenantOrigins) == 0 {
		return s.origins
	}
	if level, _, ok := cutLevel(strings.CutPrefix(raw, "/v1/")); ok {
		tenant, err := url.PathUnescape(level)
		if o := s.tenantOrigins[tenant]; err == nil && o != nil {
			return o
		}
	}
	return s.origins
}

// check refuses a request that a browser sends for a page of another origin: without it every web page could post
// messages through its reader's browser. Reading is safe, as the browser keeps the answer from such a page.
func (o *origins) check(r *nethttp.Request) error {
	if o.all {
		return nil
	}
	if err := o.guard.Check(r); err != nil {
		return router.Errorf(router.Denied, "a page of another origin may not do this; see the setting origins")
	}
	return nil
}

// checkUpgrade refuses a WebSocket that a browser opens for a page of another origin: the browser would let that page
// read and write (RFC 6455 section 10.2).
func (o *origins) checkUpgrade(r *nethttp.Request) error {
	origin := r.Header.Get("Origin")
	if o.all || origin == "" || slices.Contains(o.trusted, origin) {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	return router.Errorf(router.Denied, "a page of another origin may not do this; see the setting origins")
}

// exposed are the headers of an answer that a page may read beyond the harmless ones.
var exposed = strings.Join([]string{
	"Location", "Retry-After", "Content-Encoding", headerAddress, headerMessageID, headerCorrelationID, headerReplyTo,
	headerSubject, headerGroupID, headerTTL, headerPriority, headerProperty, headerRetained, headerAttempts, headerDeath,
	headerLockToken, headerLockExpires, "Ce-Id", "Ce-Source", "Ce-Specversion", "Ce-Type", "Ce-Subject", "Ce-Time",
	headerTraceParent, headerTraceState,
}, ", ")

// allow tells the browser that the page may have the answer.
func (o *origins) allow(w nethttp.ResponseWriter, r *nethttp.Request) {
	origin := r.Header.Get("Origin")
	if len(o.trusted) == 0 || origin == "" {
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if o.all || slices.Contains(o.trusted, origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", exposed)
		if !o.all { // a page that is trusted by name may also show what the browser knows of its reader
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
}

// options answers what a path takes, to people and to a browser's preflight.
func (o *origins) options(w nethttp.ResponseWriter, r *nethttp.Request, methods string) {
	h := w.Header()
	h.Set("Allow", methods)
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", methods)
		if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
		}
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(nethttp.StatusNoContent)
}

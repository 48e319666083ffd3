package edge

import (
	"maps"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// proxy is a link route with containers at the edge. The interior router leads links there by one of its own, which is to be
// there as long as they are.
type proxy struct {
	key      protocol.Key
	wanted   bool
	asked    RequestID // that has no response; 0 for none
	identity string    // as the interior calls it; empty when that has none
	refused  bool      // it is asked for again later
}

// expose says whether there are containers for a link route at the edge.
func (r *Router) expose(key protocol.Key, wanted bool) {
	p := r.proxies[key]
	switch {
	case p != nil:
		p.wanted = wanted
	case wanted:
		p = &proxy{key: key, wanted: true}
		r.proxies[key] = p
	default:
		return
	}
	r.followProxy(p)
}

// followProxy has the interior asked for what is not as it should be, one thing at a time.
func (r *Router) followProxy(p *proxy) {
	switch {
	case p.asked != 0 || p.refused:
	case len(r.uplinks) > 0 && p.wanted != (p.identity != ""):
		r.asked++
		p.asked = r.asked
		r.requests[p.asked] = p
		r.report(Action{Kind: Ask, Request: Request{ID: p.asked, Key: p.key, Identity: p.identity}})
	case !p.wanted && p.identity == "":
		delete(r.proxies, p.key)
	}
}

// Responded takes the response to a request. For one that has got lost it is the zero Response with its ID.
func (r *Router) Responded(s Response, now time.Time) {
	p := r.requests[s.ID]
	if p == nil {
		return
	}
	delete(r.requests, s.ID)
	p.asked = 0
	if came, comes := s.Identity != "", p.identity == ""; s.Done && came == comes {
		p.identity = s.Identity
	} else {
		p.refused = true
		r.renewals.put(now.Add(r.times.Renewal), p.key, Receive)
	}
	r.followProxy(p)
}

// renew asks again for what was refused.
func (r *Router) renew(key protocol.Key) {
	if p := r.proxies[key]; p != nil {
		p.refused = false
		r.followProxy(p)
	}
}

// followProxies asks a new interior router for all that is to be there.
func (r *Router) followProxies() {
	for _, key := range slices.Sorted(maps.Keys(r.proxies)) {
		r.followProxy(r.proxies[key])
	}
}

// forgetProxies notes that there is no uplink: what the interior had it has no more.
func (r *Router) forgetProxies() {
	clear(r.requests)
	r.renewals = nil
	for key, p := range r.proxies {
		p.asked, p.identity, p.refused = 0, "", false
		if !p.wanted {
			delete(r.proxies, key)
		}
	}
}

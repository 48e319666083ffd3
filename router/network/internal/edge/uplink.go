package edge

import (
	"slices"
	"time"
)

// UplinkID names a connection to an interior router. Its owner chooses it, and never twice.
type UplinkID uint64

// Opened says that there is a connection to an interior router. It is used if there is no other one, and stands by
// otherwise.
func (r *Router) Opened(u UplinkID, now time.Time) {
	if slices.Contains(r.uplinks, u) {
		return
	}
	r.uplinks = append(r.uplinks, u)
	if len(r.uplinks) == 1 {
		r.activate(now)
	}
}

// Lost says that a connection is no more, and its links with it. If it was the one in use, the one that has stood by for
// longest takes its place.
func (r *Router) Lost(u UplinkID, now time.Time) {
	at := slices.Index(r.uplinks, u)
	if at < 0 {
		return
	}
	r.uplinks = slices.Delete(r.uplinks, at, at+1)
	if at > 0 {
		return
	}
	r.forgetLinks()
	r.forgetProxies()
	r.report(Action{Kind: Deactivate, Uplink: u})
	if len(r.uplinks) > 0 {
		r.activate(now)
	}
}

// Active gives the uplink in use; ok is false when there is none.
func (r *Router) Active() (u UplinkID, ok bool) {
	if len(r.uplinks) == 0 {
		return 0, false
	}
	return r.uplinks[0], true
}

// activate begins to use the first uplink.
func (r *Router) activate(now time.Time) {
	r.report(Action{Kind: Activate, Uplink: r.uplinks[0]})
	for _, a := range r.inOrder() {
		r.follow(a, now)
	}
	r.followProxies()
}

// forgetLinks notes that there is no uplink, and so no links.
func (r *Router) forgetLinks() {
	clear(r.links)
	r.patience, r.lingering, r.retries = nil, nil, nil
	for _, a := range r.inOrder() {
		a.in, a.out = link{}, link{}
		r.lead(a, Nowhere)
		r.tidy(a)
	}
}

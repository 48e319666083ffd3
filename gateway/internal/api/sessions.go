package api

import (
	"context"
	"net/http"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Sessions are those of MQTT that outlive their connections.
type Sessions interface {
	// Page gives the first sessions of a tenant behind the id of a client, in the order of ids, at most so many.
	Page(tenant, after string, most int) []Session
	// Expire ends a session that has no connection now. The error is a *router.Error: NotFound, or Conflict if it has one.
	Expire(tenant, client string) error
}

// Session is what an MQTT client finds again when it comes back.
type Session struct {
	Client        string     `json:"client"`
	User          string     `json:"user,omitempty"`
	Connected     bool       `json:"connected"`
	Subscriptions int        `json:"subscriptions"`
	Ends          *time.Time `json:"ends,omitempty" doc:"when it ends if its client does not come back; none for never, or while it is there"`
}

func (s *server) addSessions() {
	const tenant = "/v1/tenants/{tenant}"
	register(s, operation("list-sessions", http.MethodGet, tenant+"/sessions", "sessions", "List MQTT sessions"),
		func(_ context.Context, c *Caller, in *struct {
			InTenant
			Paging
		}) (*output[Session], error) {
			if _, err := s.tenant(c, in.Tenant); err != nil {
				return nil, err
			}
			out := &output[Session]{page[Session]{Items: []Session{}}}
			out.Body.Items = append(out.Body.Items, s.Sessions.Page(in.Tenant, in.After, in.Limit+1)...)
			if len(out.Body.Items) > in.Limit {
				out.Body.Items = out.Body.Items[:in.Limit]
				out.Body.Next = out.Body.Items[in.Limit-1].Client
			}
			return out, nil
		})
	register(s, operation("expire-session", http.MethodDelete, tenant+"/sessions/{client}", "sessions", "End an MQTT session whose client is away"),
		func(_ context.Context, c *Caller, in *struct {
			InTenant
			Client string `path:"client" doc:"the client's id, percent-encoded"`
		}) (*nothing, error) {
			if _, err := s.tenant(c, in.Tenant); err != nil {
				return nil, err
			}
			err := s.Sessions.Expire(in.Tenant, in.Client)
			if err == nil {
				s.Note(c, in.Tenant, "session", in.Client, "removed")
			}
			return nil, err
		})
	register(s, operation("delete-subscription", http.MethodDelete, tenant+"/subscriptions/{filter}/{name}", "sessions",
		"End a durable subscription with what is in it"),
		func(ctx context.Context, c *Caller, in *struct {
			InTenant
			Filter string `path:"filter" doc:"the filter of topics, percent-encoded"`
			Name   string `path:"name" doc:"the subscription's own name, percent-encoded"`
		}) (*nothing, error) {
			f, err := addressing.ParseFilter(in.Filter)
			if !c.administers(in.Tenant) && (err != nil || !c.may(in.Tenant, tenancy.Manage, f)) {
				return nil, errNotFound()
			}
			t, ok := s.Directory.Lookup(in.Tenant)
			if !ok || err != nil {
				return nil, errNotFound()
			}
			err = s.Store.Forget(ctx, t, router.Source{Filter: f, Subscription: in.Name})
			if err == nil {
				s.Note(c, in.Tenant, "subscription", in.Filter+"::"+in.Name, "removed")
			}
			return nil, err
		})
}

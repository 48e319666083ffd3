package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
)

// InTenant is the tenant that a request is about.
type InTenant struct {
	Tenant string `path:"tenant" doc:"the tenant's name"`
}

// OnTerms are those of a change (RFC 9110 section 13.1).
type OnTerms struct {
	IfMatch     string `header:"If-Match" doc:"the ETag that what is changed must have; * for any"`
	IfNoneMatch string `header:"If-None-Match" doc:"* if nothing may be there yet"`
	DryRun      bool   `query:"dryRun" doc:"only tell what would change"`
}

// of gives the terms in the words of package declared.
func (t OnTerms) of(c *Caller) declared.Terms {
	d := declared.Terms{Match: strings.Trim(strings.TrimPrefix(t.IfMatch, "W/"), `"`), DryRun: t.DryRun, Within: !c.operates()}
	if t.IfNoneMatch == "*" {
		d.Match = declared.None
	}
	return d
}

// tenantSummary is a tenant on a list.
type tenantSummary struct {
	Name      string          `json:"name"`
	Source    declared.Source `json:"source" enum:"file,api" doc:"who declares it"`
	Disabled  bool            `json:"disabled,omitempty"`
	Plan      string          `json:"plan,omitempty"`
	Addresses int             `json:"addresses"`
	Users     int             `json:"users"`
	Roles     int             `json:"roles"`
	Webhooks  int             `json:"webhooks"`
	ETag      string          `json:"etag"`
}

// shown is an answer with a part of a configuration.
type shown[T any] struct {
	ETag   string          `header:"ETag"`
	Source declared.Source `header:"Manifold-Source" enum:"file,api" doc:"who declares it"`
	Body   document[T]
}

// changed is an answer with what was changed.
type changed struct {
	ETag string `header:"ETag"`
	Body struct {
		Changes []declared.Difference `json:"changes"`
	}
}

func quoted(tag string) string { return `"` + tag + `"` }

func (s *server) addTenants() {
	const path = "/v1/tenants/{tenant}"
	register(s, operation("list-tenants", http.MethodGet, "/v1/tenants", "tenants", "List tenants"), s.listTenants)
	register(s, operation("get-tenant", http.MethodGet, path, "tenants", "Show a tenant with all it has"), s.getTenant)
	put := takes[config.Tenant](operation("put-tenant", http.MethodPut, path, "tenants", "Declare a tenant"))
	put.Description = "What the API has declared of the tenant and is not mentioned is gone."
	register(s, put, func(_ context.Context, c *Caller, in *putTenant) (*changed, error) { return s.putTenant(c, in, false) })
	patch := takes[config.Tenant](operation("apply-tenant", http.MethodPatch, path, "tenants", "Declare a part of a tenant"))
	patch.Description = "What is not mentioned stays: settings, and addresses, roles, users and webhooks by their names."
	register(s, patch, func(_ context.Context, c *Caller, in *putTenant) (*changed, error) { return s.putTenant(c, in, true) })
	register(s, operation("delete-tenant", http.MethodDelete, path, "tenants", "Take a tenant back"), s.deleteTenant)
	for _, action := range []struct {
		name, summary string
		disabled      bool
	}{{"enable", "Let the clients of a tenant in", false}, {"disable", "Send the clients of a tenant away, and let none in", true}} {
		op := operation(action.name+"-tenant", http.MethodPost, path+"/"+action.name, "tenants", action.summary)
		register(s, op, func(_ context.Context, c *Caller, in *InTenant) (*changed, error) {
			t := &config.Tenant{Name: in.Tenant, Disabled: action.disabled}
			return s.changeTenant(c, t, config.Draft{Keys: []string{"name", "disabled"}}, true, declared.Terms{Match: "*"})
		})
	}
}

// tenant finds a tenant that c may see and change.
func (s *server) tenant(c *Caller, name string) (*declared.Tenant, error) {
	if !c.administers(name) {
		return nil, errNotFound()
	}
	t, ok := s.Book.Lookup(name)
	if !ok {
		return nil, errNotFound()
	}
	return t, nil
}

func (s *server) listTenants(_ context.Context, c *Caller, in *struct{ Paging }) (*output[tenantSummary], error) {
	names := s.Book.Names()
	if !c.operates() {
		names = []string{c.Principal.Tenant.Name}
	}
	return paged(in.Paging, len(names), func(i int) string { return names[i] }, func(i int) (tenantSummary, bool) {
		t, err := s.tenant(c, names[i])
		if err != nil {
			return tenantSummary{}, false
		}
		return tenantSummary{
			Name: t.Name, Source: t.Source(), Disabled: t.Disabled, Plan: t.Plan, Addresses: len(t.Addresses),
			Users: len(t.Users), Roles: len(t.Roles), Webhooks: len(t.Webhooks), ETag: quoted(t.Tag()),
		}, true
	}), nil
}

func (s *server) getTenant(_ context.Context, c *Caller, in *InTenant) (*shown[config.Tenant], error) {
	t, err := s.tenant(c, in.Tenant)
	if err != nil {
		return nil, err
	}
	return &shown[config.Tenant]{quoted(t.Tag()), t.Source(), documentOf(t.Tenant)}, nil
}

type putTenant struct {
	InTenant
	OnTerms
	RawBody []byte
}

func (s *server) putTenant(c *Caller, in *putTenant, merge bool) (*changed, error) {
	if !c.administers(in.Tenant) {
		return nil, errNotFound()
	}
	t := new(config.Tenant)
	draft, err := config.ReadJSON(in.RawBody, t)
	if err != nil {
		return nil, err
	}
	if t.Name == "" {
		t.Name = in.Tenant
	}
	if t.Name != in.Tenant {
		return nil, declared.ErrName
	}
	return s.changeTenant(c, t, draft, merge, in.of(c))
}

func (s *server) changeTenant(
	c *Caller, t *config.Tenant, draft config.Draft, merge bool, terms declared.Terms,
) (*changed, error) {
	was, err := s.tenant(c, t.Name)
	if err == nil && !c.operates() {
		err = checkReach(was, t)
	}
	if err != nil && (!c.operates() || terms.Match == "*") {
		return nil, err
	}
	all, err := s.Book.Put(t, draft, merge, terms)
	if err != nil {
		return nil, err
	}
	return s.answer(c, t.Name, all, terms), nil
}

// checkReach refuses what a tenant's admin declares that reaches beyond the tenant, unless it was declared so before: files of
// the machine, and connections to other brokers.
func checkReach(was *declared.Tenant, t *config.Tenant) error {
	for _, w := range t.Webhooks {
		had := slices.ContainsFunc(was.Webhooks, func(o config.Webhook) bool { return o.Name == w.Name && o.SecretFile == w.SecretFile })
		if w.SecretFile != "" && !had {
			return errForbidden("only who runs the gateway may have it read files of its machine (secretFile)")
		}
	}
	for _, a := range t.Addresses {
		had := slices.ContainsFunc(was.Addresses, func(o config.Address) bool {
			return o.Name == a.Name && reflect.DeepEqual(o.Waypoint, a.Waypoint)
		})
		if !reflect.ValueOf(a.Waypoint).IsZero() && !had {
			return errForbidden("only who runs the gateway may have an address go through other brokers (waypoint)")
		}
	}
	return nil
}

// answer keeps a record of what was changed in a tenant, and tells it.
func (s *server) answer(c *Caller, tenant string, all []declared.Difference, terms declared.Terms) *changed {
	out := new(changed)
	out.Body.Changes = all
	if all == nil {
		out.Body.Changes = []declared.Difference{}
	}
	if !terms.DryRun {
		s.Record(c, all)
	}
	if t, ok := s.Book.Lookup(tenant); ok {
		out.ETag = quoted(t.Tag())
	}
	return out
}

func (s *server) deleteTenant(_ context.Context, c *Caller, in *struct {
	InTenant
	OnTerms
}) (*changed, error) {
	if _, err := s.tenant(c, in.Tenant); err != nil {
		return nil, err
	}
	if !c.operates() {
		return nil, errForbidden("only who runs the gateway may take a tenant back")
	}
	all, err := s.Book.Delete(in.Tenant, in.of(c))
	if err != nil {
		return nil, err
	}
	return s.answer(c, in.Tenant, all, in.of(c)), nil
}

var _ huma.SchemaProvider = document[config.Tenant]{}

package api

import (
	"context"
	"net/http"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/tenancy"
)

// item is an address, a role, a user or a webhook on a list.
type item[T any] struct {
	Source declared.Source `json:"source" enum:"file,api" doc:"who declares it"`
	ETag   string          `json:"etag"`
	Value  document[T]     `json:"value"`
}

// OfItem is the item that a request is about.
type OfItem struct {
	InTenant
	Name string `path:"name" doc:"its name, percent-encoded"`
}

func (s *server) addItems() {
	addItems[config.Address](s, "addresses", "an address", plainly)
	addItems[config.Role](s, "roles", "a role", plainly)
	addItems[config.User](s, "users", "a user", s.readUser)
	addItems[config.Webhook](s, "webhooks", "a webhook", plainly)
}

// plainly reads an item as it is.
func plainly(text []byte, into any) (config.Draft, error) { return config.ReadJSON(text, into) }

// readUser reads a user, who may come with a password as it is in place of a credential.
func (s *server) readUser(text []byte, into any) (config.Draft, error) {
	var with struct {
		config.User
		Password string `yaml:"password" secret:"true"`
	}
	draft, err := config.ReadJSON(text, &with)
	if err != nil {
		return draft, err
	}
	if with.Password != "" {
		if with.Credential, err = tenancy.NewCredential(tenancy.SCRAMSHA256, with.Password); err != nil {
			return draft, config.Problems{{Path: "password", Text: err.Error()}}
		}
	}
	*into.(*config.User) = with.User
	return draft, nil
}

// addItems adds the operations of one of the lists of a tenant.
func addItems[T any](s *server, list, one string, read func([]byte, any) (config.Draft, error)) {
	path := "/v1/tenants/{tenant}/" + list
	single := declared.Singular(list)
	register(s, operation("list-"+list, http.MethodGet, path, list, "List "+list),
		func(_ context.Context, c *Caller, in *struct {
			InTenant
			Paging
		}) (*output[item[T]], error) {
			return listItems[T](s, c, in.Tenant, list, in.Paging)
		})
	path += "/{name}"
	register(s, operation("get-"+single, http.MethodGet, path, list, "Show "+one),
		func(_ context.Context, c *Caller, in *OfItem) (*shown[T], error) {
			t, i, err := s.item(c, in, list)
			if err != nil {
				return nil, err
			}
			v := t.Items(list).At(i).(*T)
			return &shown[T]{quoted(declared.Tag(v)), t.Owner(list, in.Name), documentOf(v)}, nil
		})
	register(s, takes[T](operation("put-"+single, http.MethodPut, path, list, "Declare "+one)),
		func(_ context.Context, c *Caller, in *struct {
			OfItem
			OnTerms
			RawBody []byte
		}) (*changed, error) {
			if !s.mayChange(c, in.Tenant, list, in.Name) {
				return nil, errNotFound()
			}
			v := new(T)
			if err := config.SetName(v, in.Name); err != nil {
				return nil, config.Problems{{Path: "name", Text: err.Error()}}
			}
			draft, err := read(in.RawBody, v)
			if err != nil {
				return nil, err
			}
			if config.NameOf(v) == "" {
				_ = config.SetName(v, in.Name) // it is one
			}
			return putItem(s, c, &in.OfItem, list, v, draft, in.of(c))
		})
	register(s, operation("delete-"+single, http.MethodDelete, path, list, "Take "+one+" back"),
		func(_ context.Context, c *Caller, in *struct {
			OfItem
			OnTerms
		}) (*changed, error) {
			if _, _, err := s.item(c, &in.OfItem, list); err != nil {
				return nil, err
			}
			all, err := s.Book.DeleteItem(in.Tenant, list, in.Name, in.of(c))
			if err != nil {
				return nil, err
			}
			return s.answer(c, in.Tenant, all, in.of(c)), nil
		})
}

// mayChange tells whether c may see and change an item: who manages an address may change that. It looks at c only.
func (s *server) mayChange(c *Caller, tenant, list, name string) bool {
	if list != "addresses" {
		return c.administers(tenant)
	}
	f, err := addressing.ParseFilter(name)
	return err == nil && c.may(tenant, tenancy.Manage, f) || c.administers(tenant)
}

// item finds an item that c may see and change.
func (s *server) item(c *Caller, in *OfItem, list string) (t *declared.Tenant, i int, err error) {
	if !s.mayChange(c, in.Tenant, list, in.Name) {
		return nil, 0, errNotFound()
	}
	t, ok := s.Book.Lookup(in.Tenant)
	if !ok {
		return nil, 0, errNotFound()
	}
	if i, ok = t.Items(list).Find(in.Name); !ok {
		return nil, 0, errNotFound()
	}
	return t, i, nil
}

// listItems lists those that c may see.
func listItems[T any](s *server, c *Caller, tenant, list string, p Paging) (*output[item[T]], error) {
	if !c.administers(tenant) && !(c.belongs(tenant) && list == "addresses") {
		return nil, errNotFound()
	}
	t, ok := s.Book.Lookup(tenant)
	if !ok {
		return nil, errNotFound()
	}
	items := t.Items(list)
	out := paged(p, items.Len(), items.Name, func(i int) (item[T], bool) {
		if !s.mayChange(c, tenant, list, items.Name(i)) {
			return item[T]{}, false
		}
		v := items.At(i).(*T)
		return item[T]{t.Owner(list, items.Name(i)), quoted(declared.Tag(v)), documentOf(v)}, true
	})
	if len(out.Body.Items) == 0 && !c.administers(tenant) {
		return nil, errNotFound() // nothing is for him
	}
	return out, nil
}

func putItem[T any](
	s *server, c *Caller, in *OfItem, list string, v *T, draft config.Draft, terms declared.Terms,
) (*changed, error) {
	if !c.operates() {
		was, ok := s.Book.Lookup(in.Tenant)
		if !ok {
			return nil, errNotFound()
		}
		declares := &config.Tenant{Name: in.Tenant}
		declares.Items(list).Put(v)
		if err := checkReach(was, declares); err != nil {
			return nil, err
		}
	}
	all, err := s.Book.PutItem(in.Tenant, list, in.Name, v, draft, terms)
	if err != nil {
		return nil, err
	}
	out := s.answer(c, in.Tenant, all, terms)
	out.ETag = quoted(declared.Tag(v))
	return out, nil
}

package api

import (
	"context"
	"net/http"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
)

// planName is the plan that a request is about.
type planName struct {
	Name string `path:"name" doc:"the plan's name"`
}

// addPlans adds what is about plans, which hold for all tenants that name them.
func (s *server) addPlans() {
	const path = "/v1/plans/{name}"
	register(s, operation("list-plans", http.MethodGet, "/v1/plans", "plans", "List what tenants may use"),
		operating(func(in *struct{ Paging }) (*output[item[config.Plan]], error) {
			plans := s.Book.Plans()
			return paged(in.Paging, len(plans), func(i int) string { return plans[i].Name }, func(i int) (item[config.Plan], bool) {
				_, source, ok := s.Book.Plan(plans[i].Name)
				return item[config.Plan]{source, quoted(declared.Tag(&plans[i])), documentOf(&plans[i])}, ok
			}), nil
		}))
	register(s, operation("get-plan", http.MethodGet, path, "plans", "Show a plan"),
		operating(func(in *planName) (*shown[config.Plan], error) {
			p, source, ok := s.Book.Plan(in.Name)
			if !ok {
				return nil, errNotFound()
			}
			return &shown[config.Plan]{quoted(declared.Tag(&p)), source, documentOf(&p)}, nil
		}))
	register(s, takes[config.Plan](operation("put-plan", http.MethodPut, path, "plans", "Declare a plan")), s.putPlan)
	register(s, operation("delete-plan", http.MethodDelete, path, "plans", "Take back a plan that no tenant names"),
		func(_ context.Context, c *Caller, in *struct {
			Name string `path:"name" doc:"the plan's name"`
			OnTerms
		}) (*changed, error) {
			if !c.operates() {
				return nil, errNotFound()
			}
			all, err := s.Book.DeletePlan(in.Name, in.of(c))
			if err != nil {
				return nil, err
			}
			return s.answer(c, "", all, in.of(c)), nil
		})
}

func (s *server) putPlan(_ context.Context, c *Caller, in *struct {
	Name string `path:"name" doc:"the plan's name"`
	OnTerms
	RawBody []byte
}) (*changed, error) {
	if !c.operates() {
		return nil, errNotFound()
	}
	p := config.Plan{Name: in.Name}
	if _, err := config.ReadJSON(in.RawBody, &p); err != nil {
		return nil, err
	}
	if p.Name != in.Name {
		return nil, declared.ErrName
	}
	all, err := s.Book.PutPlan(p, in.of(c))
	if err != nil {
		return nil, err
	}
	out := s.answer(c, "", all, in.of(c))
	out.ETag = quoted(declared.Tag(&p))
	return out, nil
}

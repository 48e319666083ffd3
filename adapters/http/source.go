package http

import (
	"context"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
	"github.com/manifoldmq/manifold/tenancy"
)

// source reads the text as what is received from.
func (r *route) source() (router.Source, error) { return ParseSource(r.text) }

// ParseSource reads what is received from: a filter in the house syntax, and after "::" the name of a durable subscription. The
// name is a single level, so that an IPv6 address further left in the text is not taken for one. The error is a *router.Error.
func ParseSource(text string) (router.Source, error) {
	subscription := ""
	if i := strings.LastIndex(text, "::"); i >= 0 && !strings.Contains(text[i:], "/") {
		text, subscription = text[:i], text[i+len("::"):]
		if subscription == "" {
			return router.Source{}, router.Errorf(router.Malformed, "the name of a subscription must follow \"::\"")
		}
	}
	f, err := addressing.ParseFilter(text)
	if err != nil {
		return router.Source{}, router.Errorf(router.Malformed, "%v", err)
	}
	return router.Source{Filter: f, Subscription: subscription}, nil
}

// readSource reads what a request receives from: its path, and the parameters selector and shared. A durable
// subscription that there is stays as it was made.
func (s *Server) readSource(p *tenancy.Principal, path *route, query *parameters) (router.Source, error) {
	source, err := path.source()
	if err != nil {
		return source, err
	}
	source.Selector = query.selector("selector")
	if source.Subscription == "" {
		return source, query.failed
	}
	shared, asked := query.take("shared")
	if asked && shared != "true" && shared != "false" {
		return source, router.Errorf(router.Malformed, "parameter shared: want true or false")
	}
	source.Shared = shared == "true"
	if query.failed != nil {
		return source, query.failed
	}
	err = s.asMade(p, &source, asked)
	return source, err
}

// asMade has a source be what its subscription was made as, if there is one. asked tells that its client said whether it
// is to be shared.
func (s *Server) asMade(p *tenancy.Principal, source *router.Source, asked bool) error {
	made, ok, err := s.subscription(p, *source)
	switch {
	case !ok:
		return err
	case asked && made.Shared != source.Shared:
		return router.Errorf(router.Conflict, "the subscription was made with another value of shared")
	case source.Selector != nil && source.Selector.String() != made.Selector.String():
		return router.Errorf(router.Conflict, "the subscription was made with another selector")
	}
	source.Shared, source.Selector, source.Except = made.Shared, made.Selector, made.Except
	return nil
}

// orderedSource reads what an order of a socket subscribes to.
func (s *Server) orderedSource(p *tenancy.Principal, o *order) (router.Source, error) {
	source, err := (&route{text: o.Address}).source()
	if err == nil && o.Selector != "" {
		if source.Selector, err = selector.Parse(o.Selector); err != nil {
			err = router.Errorf(router.Malformed, "selector: %v", err)
		}
	}
	source.Retained = o.Retained == nil && source.Subscription == "" || o.Retained != nil && *o.Retained
	if err != nil || source.Subscription == "" {
		return source, err
	}
	source.Shared = o.Shared
	err = s.asMade(p, &source, o.Shared)
	return source, err
}

// subscription finds the durable subscription of a name on a filter.
func (s *Server) subscription(p *tenancy.Principal, source router.Source) (made router.Source, ok bool, err error) {
	found, err := s.router.Subscriptions(context.Background(), p, source)
	if len(found) == 0 {
		return router.Source{}, false, err
	}
	return found[0], true, nil
}

// selector reads a condition on messages; without the parameter it is nil, which is none.
func (p *parameters) selector(name string) *selector.Selector {
	text, ok := p.take(name)
	if !ok {
		return nil
	}
	condition, err := selector.Parse(text)
	if err != nil {
		p.fail(router.Errorf(router.Malformed, "parameter %s: %v", name, err))
	}
	return condition
}

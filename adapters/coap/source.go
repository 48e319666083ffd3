package coap

import (
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
)

// parseSource reads what is received from: a filter in the house syntax, and after "::" the name of a durable
// subscription, which is a single level.
func parseSource(text string) (router.Source, error) {
	subscription := ""
	if i := strings.LastIndex(text, "::"); i >= 0 && !strings.Contains(text[i:], "/") {
		text, subscription = text[:i], text[i+len("::"):]
		if subscription == "" {
			return router.Source{}, router.Errorf(router.Malformed, "the name of a subscription must follow \"::\"")
		}
	}
	f, err := addressing.ParseFilter(text)
	if err != nil {
		return router.Source{}, router.Errorf(router.Malformed, "the path: %v", err)
	}
	return router.Source{Filter: f, Subscription: subscription}, nil
}

// source reads what a request receives from: its path, and a selector and whether a subscription is shared from the query.
// A selector that is too long for a query is the body of a FETCH (RFC 8132 section 2).
func (c *conn) source(r *request, text string) (router.Source, error) {
	source, err := parseSource(text)
	if err != nil {
		return source, err
	}
	source.Selector = r.query.selector("selector")
	source.Shared = r.query.flag("shared", false)
	if source.Shared && source.Subscription == "" {
		return source, router.Errorf(router.Malformed, "query shared: only a durable subscription, topic::name, can be")
	}
	if r.code != codeFETCH || len(r.body) == 0 {
		return source, nil
	}
	if r.format != noFormat && r.format != int(message.TextPlain) { // RFC 8132 section 2.3.1
		return source, refuse(codes.UnsupportedMediaType, "the body of FETCH is a selector, which is plain text")
	}
	if source.Selector != nil {
		return source, router.Errorf(router.Malformed, "two selectors, in the query and in the body")
	}
	if source.Selector, err = selector.Parse(string(r.body)); err != nil {
		return source, router.Errorf(router.Malformed, "the body: %v", err)
	}
	return source, nil
}

package coap

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// link is a resource as others see it (RFC 6690 section 2).
type link struct {
	target     string   // percent-encoded
	kinds      []string // rt
	interfaces []string // if
	format     string   // ct; empty for none
	observable bool     // obs
}

// What the resources of an address are called.
const (
	ifMessages = "manifold.messages" // at a/{address}: POST sends, GET reads or observes
	ifHead     = "manifold.head"     // at q/{address}/head: POST receives
	rtPrefix   = "manifold."         // and the kind of the address

	rtBroker     = "core.ps"
	rtCollection = "core.ps.coll"
	rtConf       = "core.ps.conf"
	rtData       = "core.ps.data"
)

// atCore answers GET of .well-known/core: what there is for the client, as far as its query selects it.
func (c *conn) atCore(now time.Time, r *request) error {
	if r.code != codes.GET {
		return errMethod
	}
	links := []link{{target: "/ps", kinds: []string{rtBroker, rtCollection}, format: "40"}}
	for def := range r.account.user.Tenant.Addresses.All() {
		a, literal := def.Name.Literal()
		if !literal || !sees(r.account.user, def) { // a pattern is no resource
			continue
		}
		kind := []string{rtPrefix + def.Kind.String()}
		links = append(links, link{
			target: "/a/" + escapePath(string(a)), kinds: kind, interfaces: []string{ifMessages}, observable: true,
		})
		if def.Kind == addressing.Queue {
			links = append(links, link{target: "/q/" + escapePath(string(a)) + "/head", kinds: kind, interfaces: []string{ifHead}})
		}
	}
	return c.answerLinks(now, r, links, false)
}

// sees tells whether an address is there for a user.
func sees(user *tenancy.Principal, def *addressing.Definition) bool {
	return user.May(tenancy.Send, def.Name) || user.May(tenancy.Receive, def.Name)
}

// answerLinks answers with the links that the query selects; terse leaves out what they are.
func (c *conn) answerLinks(now time.Time, r *request, links []link, terse bool) error {
	if !r.accepts(int(message.AppLinkFormat)) {
		return errNotAcceptable
	}
	selected := slices.DeleteFunc(links, func(l link) bool {
		return slices.ContainsFunc(r.query.list, func(q parameter) bool { return !l.matches(q) })
	})
	var b strings.Builder
	for i := range selected {
		if i > 0 {
			b.WriteByte(',')
		}
		selected[i].write(&b, terse)
	}
	var o options
	o.number(message.ContentFormat, uint32(message.AppLinkFormat))
	c.respond(now, r.exchange, session.Response{Code: codes.Content, Options: message.Options(o), Body: []byte(b.String())})
	return nil
}

// matches tells whether a query selects the link (RFC 6690 section 4.1): one of the values of its attribute is that of
// the query, or begins so if that ends in "*".
func (l *link) matches(q parameter) bool {
	var values []string
	switch q.name {
	case "href":
		values = []string{l.target}
	case "rt":
		values = l.kinds
	case "if":
		values = l.interfaces
	case "ct":
		values = []string{l.format}
	}
	prefix, open := strings.CutSuffix(q.value, "*")
	return slices.ContainsFunc(values, func(v string) bool { return v == q.value || open && strings.HasPrefix(v, prefix) })
}

// write appends the link in the link format.
func (l *link) write(b *strings.Builder, terse bool) {
	b.WriteString("<" + l.target + ">")
	if terse {
		return
	}
	for _, a := range []struct {
		name   string
		values []string
	}{{"rt", l.kinds}, {"if", l.interfaces}} {
		if len(a.values) > 0 {
			b.WriteString(";" + a.name + `="` + strings.Join(a.values, " ") + `"`)
		}
	}
	if l.format != "" {
		b.WriteString(";ct=" + l.format)
	}
	if l.observable {
		b.WriteString(";obs")
	}
}

// escapePath gives a path as it stands in a URI, level by level.
func escapePath(path string) string {
	levels := strings.Split(path, "/")
	for i := range levels {
		levels[i] = url.PathEscape(levels[i])
	}
	return strings.Join(levels, "/")
}

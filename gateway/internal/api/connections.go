package api

import (
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// connection is a client that has been let in.
type connection struct {
	ID          uint64    `json:"id"`
	Tenant      string    `json:"tenant"`
	User        string    `json:"user,omitempty" doc:"none for the anonymous one"`
	Client      string    `json:"client,omitempty" doc:"what it calls itself in its protocol"`
	Protocol    string    `json:"protocol"`
	Address     string    `json:"address"`
	TLS         string    `json:"tls,omitempty" doc:"its version; none without"`
	Since       time.Time `json:"since"`
	MessagesIn  uint64    `json:"messagesIn" doc:"that it has sent"`
	MessagesOut uint64    `json:"messagesOut" doc:"that it was given"`
	BytesIn     uint64    `json:"bytesIn"`
	BytesOut    uint64    `json:"bytesOut"`
}

func connectionOf(v *tenancy.Visit) connection {
	traffic := v.Traffic()
	c := connection{
		ID: v.ID(), Tenant: v.Tenant(), User: v.User(), Client: v.Client(), Protocol: v.Protocol(), Address: v.Address().String(),
		Since: v.Since().UTC(), MessagesIn: traffic.MessagesIn, MessagesOut: traffic.MessagesOut,
		BytesIn: traffic.BytesIn, BytesOut: traffic.BytesOut,
	}
	if v.TLS() != 0 {
		c.TLS = tls.VersionName(v.TLS())
	}
	return c
}

// link is a way that messages take between a client and an address.
type link struct {
	ID           uint64 `json:"id"`
	Connection   uint64 `json:"connection,omitempty" doc:"none for one without a connection, such as a session's"`
	Tenant       string `json:"tenant"`
	Direction    string `json:"direction" enum:"in,out" doc:"in: the client sends"`
	Address      string `json:"address" doc:"or the filter of addresses"`
	Kind         string `json:"kind"`
	Subscription string `json:"subscription,omitempty"`
	Browse       bool   `json:"browse,omitempty"`
	Credit       int    `json:"credit" doc:"messages that it may be given"`
	Delivered    uint64 `json:"delivered"`
	Accepted     uint64 `json:"accepted"`
	Released     uint64 `json:"released"`
	Rejected     uint64 `json:"rejected"`
	Modified     uint64 `json:"modified"`
	Presettled   uint64 `json:"presettled"`
	Unsettled    uint64 `json:"unsettled"`
	Dropped      uint64 `json:"dropped" doc:"missed for want of credit"`
}

func linkOf(tenant string, l *router.Link) link {
	direction := "out"
	if l.Sends {
		direction = "in"
	}
	return link{
		ID: l.ID, Connection: l.Visit, Tenant: tenant, Direction: direction, Address: l.Address, Kind: l.Kind.String(),
		Subscription: l.Subscription, Browse: l.Browse, Credit: l.Credit, Delivered: l.Delivered,
		Accepted: l.Ended[router.Accepted], Released: l.Ended[router.Released], Rejected: l.Ended[router.Rejected],
		Modified: l.Ended[router.Modified], Presettled: l.Presettled, Unsettled: l.Unsettled, Dropped: l.Dropped,
	}
}

// guests is which part of a list over all tenants is wanted.
type guests struct {
	Tenant string `query:"tenant" doc:"only those of this tenant"`
	After  string `query:"after" doc:"the value of next on the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

func (s *server) addConnections() {
	register(s, operation("list-connections", http.MethodGet, "/v1/connections", "connections", "List clients that are connected"),
		func(_ context.Context, c *Caller, in *guests) (*output[connection], error) {
			return guestsOf(s, c, in, func(tenant string, after uint64, most int) (ids []uint64, page []connection) {
				for _, v := range s.Directory.Visits(tenant, after, most) {
					ids, page = append(ids, v.ID()), append(page, connectionOf(v))
				}
				return ids, page
			})
		})
	register(s, operation("list-links", http.MethodGet, "/v1/links", "connections", "List what clients send to and receive from"),
		func(_ context.Context, c *Caller, in *guests) (*output[link], error) {
			return guestsOf(s, c, in, func(tenant string, after uint64, most int) (ids []uint64, page []link) {
				for _, l := range s.Router.Links(tenant, after, most) {
					ids, page = append(ids, l.ID), append(page, linkOf(tenant, &l))
				}
				return ids, page
			})
		})
	type one struct {
		ID uint64 `path:"id" doc:"the connection's id"`
	}
	register(s, operation("get-connection", http.MethodGet, "/v1/connections/{id}", "connections", "Show a client"),
		func(_ context.Context, c *Caller, in *one) (*struct{ Body connection }, error) {
			v, ok := s.visit(c, in.ID)
			if !ok {
				return nil, errNotFound()
			}
			return &struct{ Body connection }{connectionOf(v)}, nil
		})
	register(s, operation("close-connection", http.MethodDelete, "/v1/connections/{id}", "connections", "Send a client away"),
		func(_ context.Context, c *Caller, in *one) (*nothing, error) {
			v, ok := s.visit(c, in.ID)
			if !ok {
				return nil, errNotFound()
			}
			v.Dismiss(tenancy.ByAdministrator)
			s.Note(c, v.Tenant(), "connection", strconv.FormatUint(in.ID, 10), "closed")
			return nil, nil
		})
}

// tenantsOf names the tenants whose clients c may see, in order.
func (s *server) tenantsOf(c *Caller, only string) []string {
	all := s.Directory.Occupied()
	if !c.operates() {
		all = []string{c.Principal.Tenant.Name}
	}
	return slices.DeleteFunc(all, func(name string) bool { return only != "" && name != only || !c.administers(name) })
}

// guestsOf gives a page of what there is in all tenants, one after the other. The cursor is a tenant and an id.
func guestsOf[T any](
	s *server, c *Caller, in *guests, list func(tenant string, after uint64, most int) ([]uint64, []T),
) (*output[T], error) {
	if !c.operates() && !c.administers(c.Principal.Tenant.Name) {
		return nil, errNotFound()
	}
	begin, text, _ := strings.Cut(in.After, "/")
	after, err := strconv.ParseUint(text, 10, 64)
	if in.After != "" && err != nil {
		return nil, huma.Error422UnprocessableEntity("it is not valid", &huma.ErrorDetail{Location: "query.after", Message: "is no value of next"})
	}
	out := &output[T]{page[T]{Items: []T{}}}
	for _, tenant := range s.tenantsOf(c, in.Tenant) {
		if tenant < begin {
			continue
		}
		from := uint64(0)
		if tenant == begin {
			from = after
		}
		room := in.Limit - len(out.Body.Items)
		ids, found := list(tenant, from, room+1)
		if len(found) > room {
			out.Body.Items = append(out.Body.Items, found[:room]...)
			if room > 0 {
				from = ids[room-1]
			}
			out.Body.Next = tenant + "/" + strconv.FormatUint(from, 10)
			return out, nil
		}
		out.Body.Items = append(out.Body.Items, found...)
	}
	return out, nil
}

// visit finds a client that c may see.
func (s *server) visit(c *Caller, id uint64) (*tenancy.Visit, bool) {
	for _, tenant := range s.tenantsOf(c, "") {
		if v, ok := s.Directory.Visit(tenant, id); ok {
			return v, true
		}
	}
	return nil, false
}

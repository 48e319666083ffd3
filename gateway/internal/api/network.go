package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/network"
)

// networkRouter is a router of the network that the gateway is in.
type networkRouter struct {
	ID           string   `json:"id"`
	Reachable    bool     `json:"reachable"`
	NextHop      string   `json:"nextHop,omitempty" doc:"the neighbor that the way leads through; none for a neighbor"`
	Cost         int64    `json:"cost" doc:"of the way"`
	Hops         int      `json:"hops" doc:"of the way"`
	Neighbors    []string `json:"neighbors" doc:"its own"`
	ValidOrigins []string `json:"validOrigins" doc:"routers whose messages for it lead through this one"`
	Addresses    int      `json:"addresses" doc:"that have consumers there"`
}

// neighbor is a connection to another router.
type neighbor struct {
	Connection string    `json:"connection" doc:"its number"`
	Router     string    `json:"router,omitempty" doc:"the router; none as long as it has not said hello"`
	Connector  string    `json:"connector,omitempty" doc:"by which it is kept; none where the other side has connected"`
	Host       string    `json:"host" doc:"host:port of the other side"`
	Cost       int       `json:"cost"`
	Used       bool      `json:"used" doc:"whether messages go over it; not so when another one leads to the same router at a lower cost"`
	Since      time.Time `json:"since"`
	Sent       uint64    `json:"sent" doc:"messages"`
	Received   uint64    `json:"received" doc:"messages"`
	Lost       uint64    `json:"lost" doc:"messages that asked for no answer, and did not reach the neighbor"`
}

// connector is a connection that is kept to a router or a broker.
type connector struct {
	Name      string    `json:"name"`
	Role      string    `json:"role" doc:"what is there: normal for a broker"`
	Cost      int       `json:"cost,omitempty" doc:"of the way over it, between routers"`
	Hosts     []string  `json:"hosts" doc:"where it is; the first is the first choice"`
	TLS       bool      `json:"tls"`
	User      string    `json:"user,omitempty" doc:"who the gateway is there"`
	Open      bool      `json:"open"`
	Since     time.Time `json:"since" doc:"when it was opened or lost, or declared"`
	Host      string    `json:"host,omitempty" doc:"host:port that it is connected to, or has tried last"`
	Container string    `json:"container,omitempty" doc:"what the other side calls itself"`
	Error     string    `json:"error,omitempty" doc:"why it is not open"`
	Opened    uint64    `json:"opened" doc:"how many times it was"`
	Failed    uint64    `json:"failed" doc:"how many tries came to nothing"`
}

// autoLink is a link that is kept between an address of a tenant and one elsewhere.
type autoLink struct {
	ID              string    `json:"id"`
	Name            string    `json:"name,omitempty"`
	Address         string    `json:"address" doc:"the tenant's; topic::name for a subscription"`
	Direction       string    `json:"direction" enum:"in,out"`
	Phase           int       `json:"phase"`
	Fallback        bool      `json:"fallback,omitempty" doc:"out: takes what nobody else wants; in: what comes does not go there again"`
	Connector       string    `json:"connector,omitempty"`
	ExternalAddress string    `json:"externalAddress"`
	Attached        bool      `json:"attached"`
	Since           time.Time `json:"since" doc:"when that became so"`
	Error           string    `json:"error,omitempty" doc:"why it is not attached"`
}

// addNetwork adds what is about the network that the gateway is in. But for automatic links it is of who runs the gateway.
func (s *server) addNetwork() {
	register(s, operation("list-routers", http.MethodGet, "/v1/network/routers", "network",
		"List the other routers of the network, and the ways to them"),
		operating(func(in *Paging) (*output[networkRouter], error) { return s.listRouters(*in), nil }))
	register(s, operation("list-neighbors", http.MethodGet, "/v1/network/neighbors", "network", "List the connections to other routers"),
		operating(func(in *Paging) (*output[neighbor], error) { return s.listNeighbors(*in), nil }))
	register(s, operation("list-connectors", http.MethodGet, "/v1/network/connectors", "network",
		"List the connections that are kept to routers and brokers"),
		operating(func(in *Paging) (*output[connector], error) { return s.listConnectors(*in), nil }))
	register(s, operation("list-auto-links", http.MethodGet, "/v1/tenants/{tenant}/auto-links", "network",
		"List the links that are kept between addresses of a tenant and those of brokers"), s.listAutoLinks)
}

// pageOf gives a page of things in the order of their names.
func pageOf[S, T any](p Paging, all []S, name func(S) string, view func(S) T) *output[T] {
	slices.SortStableFunc(all, func(a, b S) int { return cmp.Compare(name(a), name(b)) })
	return paged(p, len(all), func(i int) string { return name(all[i]) }, func(i int) (T, bool) { return view(all[i]), true })
}

// numbered gives a number as text whose order is that of numbers.
func numbered(n uint64) string {
	const digits = 20 // of the greatest
	text := strconv.FormatUint(n, 10)
	return "00000000000000000000"[:digits-len(text)] + text
}

func (s *server) listRouters(p Paging) *output[networkRouter] {
	return pageOf(p, s.Network.Routers(), func(r network.RouterStatus) string { return r.ID }, func(r network.RouterStatus) networkRouter {
		return networkRouter{
			ID: r.ID, Reachable: r.Reachable, NextHop: r.NextHop, Cost: r.Cost, Hops: r.Hops,
			Neighbors: listed(r.Peers), ValidOrigins: listed(r.ValidOrigins), Addresses: r.Addresses,
		}
	})
}

// listed is a list that is there, if only empty.
func listed(all []string) []string { return append([]string{}, all...) }

func (s *server) listNeighbors(p Paging) *output[neighbor] {
	return pageOf(p, s.Network.Neighbors(), func(n network.NeighborStatus) string { return numbered(n.Link) }, func(n network.NeighborStatus) neighbor {
		return neighbor{
			Connection: numbered(n.Link), Router: n.Router, Connector: n.Connector, Host: n.Host, Cost: n.Cost, Used: n.Used,
			Since: n.Since.UTC(), Sent: n.Sent, Received: n.Received, Lost: n.Lost,
		}
	})
}

func (s *server) listConnectors(p Paging) *output[connector] {
	return pageOf(p, s.Network.Connectors(), func(c network.ConnectorStatus) string { return c.Name }, func(c network.ConnectorStatus) connector {
		return connector{
			Name: c.Name, Role: c.Role.String(), Cost: c.Cost, Hosts: c.Hosts, TLS: c.TLS != nil, User: c.Login.User,
			Open: c.Open, Since: c.Since.UTC(), Host: c.Host, Container: c.Container, Error: c.Error, Opened: c.Opened, Failed: c.Failed,
		}
	})
}

func (s *server) listAutoLinks(_ context.Context, c *Caller, in *struct {
	InTenant
	Paging
}) (*output[autoLink], error) {
	if _, err := s.tenant(c, in.Tenant); err != nil {
		return nil, err
	}
	its := slices.DeleteFunc(s.Network.AutoLinks(), func(l network.AutoLinkStatus) bool { return l.Tenant != in.Tenant })
	return pageOf(in.Paging, its, func(l network.AutoLinkStatus) string { return numbered(l.ID) }, autoLinkView), nil
}

func autoLinkView(l network.AutoLinkStatus) autoLink {
	address := string(l.Address)
	if l.Subscription != "" {
		address += "::" + l.Subscription
	}
	return autoLink{
		ID: numbered(l.ID), Name: l.Name, Address: address, Direction: l.Direction.String(), Phase: int(l.Phase), Fallback: l.Fallback,
		Connector: l.Connector, ExternalAddress: l.External, Attached: l.Attached, Since: l.Since.UTC(), Error: l.Error,
	}
}

package management

import "iter"

// Node is a router of the network, this one included.
type Node struct {
	Names
	ID              string   `attr:"id" about:"What it is called."`
	Index           int      `about:"Its place in the list."`
	ProtocolVersion int      `about:"Of the protocol between routers."`
	Instance        int64    `about:"When it was started, in seconds since 1970."`
	LinkState       []string `about:"Its neighbors."`
	NextHop         *string  `about:"The neighbor through which it is reached; (self) is this one. A neighbor has none."`
	ValidOrigins    []string `about:"Routers whose messages reach it through this one."`
	Address         string   `about:"Where it can be sent to."`
	RouterLink      *int     `about:"The connection to a neighbor."`
	Cost            *int     `about:"Of the way to it."`
	LastTopoChange  *int64   `about:"Of this one: when routers or ways came or went last, in seconds since 1970."`
}

var nodeType = newType(entityType{
	name: "router.node", base: operationalEntity, about: "A router of the network, this one included.",
}, func(m Model, offset int) iter.Seq[Node] { return slice(m.Nodes(), offset) }, nil)

// mgmtAddress is where the management of a router is reached.
func (n Node) mgmtAddress() string { return n.Address + "/$management" }

package protocol

import "strings"

// Addresses that routers know each other by.
const (
	HelloAddress = "amqp:/_local/qdhello"       // the router at the other end of the link
	AllRouters   = "amqp:/_topo/0/all/qdrouter" // every router: RA, LSU
	AllAddresses = "_topo/0/all/qdrouter.ma"    // every router: MAU
	routerPrefix = "_topo/" + area + "/"        // one router: its id, a slash and a name follow
	nodePrefix   = area + "/"                   // of a router's name in annotations
	area         = "0"                          // the only area that there is
	everybody    = "all"                        // stands for the id of every router, or for every area
	helloName    = "qdhello"                    // where a HELLO goes
	controlName  = "qdrouter"                   // where RA, LSU and LSR go
	addressName  = "qdrouter.ma"                // where MAU and MAR go
)

// RouterAddress gives where RA, LSU and LSR for one router go.
func RouterAddress(router string) string { return "amqp:/" + routerPrefix + router + "/" + controlName }

// RouterAddresses gives where MAU and MAR for one router go.
func RouterAddresses(router string) string {
	return "amqp:/" + routerPrefix + router + "/" + addressName
}

// NodeName gives how a router is called in annotations: its area, a slash, its id.
func NodeName(router string) string { return nodePrefix + router }

// RouterNamed gives the router of a NodeName; ok is false for other areas and for what is no such name.
func RouterNamed(node string) (router string, ok bool) { return strings.CutPrefix(node, nodePrefix) }

// Place is where an address leads, seen from one router.
type Place struct {
	Class Class
	Node  string // of class Router the router, of class Edge the edge router
	Name  string // what is addressed there
}

// Control tells whether it is an address to which routers send what concerns the network itself.
func (p Place) Control() bool {
	switch p.Class {
	case Local, Topological, Router:
		return p.Name == helloName || p.Name == controlName || p.Name == addressName
	default:
		return false
	}
}

// Hello tells whether it is where a HELLO goes.
func (p Place) Hello() bool { return p.Class == Local && p.Name == helloName }

// Locate reads an address as the router self does. Scheme, host and a slash in front are no part of it.
func Locate(address, self string) Place {
	path := withoutHost(address)
	if rest, ok := strings.CutPrefix(path, "_local/"); ok {
		return Place{Class: Local, Name: rest}
	}
	if rest, ok := strings.CutPrefix(path, "_topo/"); ok {
		return locateRouter(rest, self)
	}
	if rest, ok := strings.CutPrefix(path, "_edge/"); ok {
		edge, name, _ := strings.Cut(rest, "/")
		if edge == self {
			return Place{Class: Local, Name: name}
		}
		return Place{Class: Edge, Node: edge, Name: name}
	}
	return Place{Class: Mobile, Name: path}
}

// locateRouter reads what follows _topo: area, router and name.
func locateRouter(path, self string) Place {
	in, rest, _ := strings.Cut(path, "/")
	if in != area && in != everybody {
		return Place{Class: Area, Node: in, Name: rest}
	}
	router, name, _ := strings.Cut(rest, "/")
	switch router {
	case everybody:
		return Place{Class: Topological, Name: name}
	case self:
		return Place{Class: Local, Name: name}
	default:
		return Place{Class: Router, Node: router, Name: name}
	}
}

// withoutHost takes scheme and host away: amqp:/a, amqp://host/a, //host/a and /a are all a.
func withoutHost(address string) string {
	path := address
	for _, scheme := range []string{"amqp:", "amqps:"} {
		if rest, ok := strings.CutPrefix(path, scheme); ok {
			path = rest
			break
		}
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		_, path, _ = strings.Cut(rest, "/")
		return path
	}
	return strings.TrimPrefix(path, "/")
}

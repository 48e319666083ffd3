package network

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/frametrace"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Network rests on. All of it is required but Dial, and what routers have.
type Config struct {
	Router      *router.Router
	Directory   *tenancy.Directory
	Driver      *transport.Driver
	ContainerID string // what we call ourselves in open
	Version     string // of the program, told in open
	Connectors  []Connector
	Federation  *Federation // nil for none
	NoResumable bool        // link routes refuse links whose terminus stays when their connection is lost
	Log         *slog.Logger
	Frames      *frametrace.Log // has what is said on connections logged, for those who want that; nil for nobody

	Mesh            *Mesh  // of a router in a network of routers; nil for none
	ContainerLimits Limits // for the links over connections of containers that have connected to us

	// Dial opens a connection to a host and port; nil is over TCP.
	Dial func(ctx context.Context, hostPort string) (net.Conn, error)

	AsDispatch bool // brokers are told in open what a Qpid Dispatch Router tells them
}

// Connector declares a connection that is kept to one AMQP 1.0 container.
type Connector struct {
	Name     string        // unique
	Role     Role          // Normal or InterRouter
	Cost     int           // InterRouter: of the way over it; 0 is 1
	Hosts    []string      // host:port where it is, or its stand-ins are; the first is the first choice
	Hostname string        // the virtual host to ask for in open; empty for the name in Hosts
	Greeting amqp.RawValue // what is said in open beside who we are: a map whose keys are symbols; empty for nothing
	Follow   bool          // when the connection is lost, the hosts are tried too that the other side has told (failover-server-list)
	TLS      *tls.Config   // nil for none; without a ServerName the name in Hosts is verified
	Login    Login
	Limits   Limits
}

// Login is who we are for a broker.
type Login struct {
	User, Password string   // empty for nobody
	Mechanisms     []string // of SASL, the best first; none leaves it to what else is known: see mechanisms
}

// Limits are the settings of a connector. Start from DefaultLimits.
type Limits struct {
	engine.Limits

	// ConnectTimeout is how long dialling and the handshake of TLS may take. SASL and the open have HandshakeTimeout.
	ConnectTimeout time.Duration
	// ReconnectInitial is how long to wait before the second try, or after a connection is lost; each further round takes
	// twice as long, up to ReconnectMax.
	ReconnectInitial, ReconnectMax time.Duration
	// LinkRetry is how long to wait before a link is attached again that the broker refused or ended.
	LinkRetry time.Duration
}

// DefaultLimits suit a broker in the same region.
func DefaultLimits() Limits {
	l := Limits{
		Limits:           engine.DefaultLimits(),
		ConnectTimeout:   10 * time.Second,
		ReconnectInitial: 500 * time.Millisecond,
		ReconnectMax:     30 * time.Second,
		LinkRetry:        5 * time.Second,
	}
	l.IdleTimeout = 30 * time.Second
	l.ChannelMax, l.MaxLinks = 1<<15-1, 1<<16 // each session of a client with links that lead on has one there
	return l
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name       string
		value, low time.Duration
	}{
		{"connectTimeout", l.ConnectTimeout, time.Millisecond},
		{"reconnect.initial", l.ReconnectInitial, time.Millisecond},
		{"reconnect.max", l.ReconnectMax, l.ReconnectInitial},
		{"linkRetry", l.LinkRetry, time.Millisecond},
	} {
		if f.value < f.low {
			return fmt.Errorf("%s is %v, below %v", f.name, f.value, f.low)
		}
	}
	return l.Limits.Validate()
}

// Direction is which way an automatic link goes, as seen from us.
type Direction uint8

// The directions.
const (
	Out Direction = iota // what is sent to our address goes to the broker
	In                   // what the broker has comes to our address
)

var directionNames = [...]string{"out", "in"}

// String gives the direction's name.
func (d Direction) String() string { return directionNames[d] }

// UnmarshalText reads the direction's name.
func (d *Direction) UnmarshalText(text []byte) error {
	for i, name := range directionNames {
		if string(text) == name {
			*d = Direction(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is not one of out, in", text)
}

// MarshalText gives the direction's name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// AutoLink declares a link that is kept between an address of ours and one of a broker's. Two that are equal are the same.
type AutoLink struct {
	Name         string // by which people know it; may be empty
	Tenant       string
	Address      addressing.Address // of ours
	Subscription string             // Out: the durable subscription of the topic at Address that it takes from; empty for none
	Direction    Direction
	Fallback     bool            // of an anycast address: Out takes what nobody else wants, In sends what does not come back so
	Phase        uint8           // of an anycast address: Out takes what is sent at this phase, In sends at it
	Connector    string          // over which connection, by the name of a connector or of a listener for containers
	Container    string          // or by what the other side calls itself; the other one is empty
	External     string          // the broker's address
	Durable      bool            // Out: what somebody waits for an answer to is sent as durable, so that the broker has it on disk
	Capability   addressing.Kind // what the broker's address is to be, Queue or Topic; AnyKind does not say

	federated *federated      // what the link is, if it is one of the federation; nil for none
	via       federation.Path // then on whose behalf
}

// Waypoint gives the automatic links of a waypoint: an address at which what clients send is stored by brokers, from where
// what they receive comes. A sender who waits for an answer gets it when the broker has the message on disk. Its definition has the Egress WaypointEgress.
func Waypoint(tenant string, a addressing.Address, external string, connectors ...string) []AutoLink {
	var links []AutoLink
	for _, connector := range connectors {
		l := AutoLink{
			Tenant: tenant, Address: a, Connector: connector, External: external, Capability: addressing.Queue,
		}
		l.Durable = true
		links = append(links, l)
		l.Direction, l.Phase, l.Durable = In, WaypointEgress, false
		links = append(links, l)
	}
	return links
}

// WaypointEgress is the phase at which consumers of a waypoint receive.
const WaypointEgress = 1

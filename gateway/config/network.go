package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
	"github.com/manifoldmq/manifold/router/network"
)

// Network is the gateway's connections to other AMQP 1.0 brokers, and what goes over them.
type Network struct {
	ContainerID      string        `yaml:"containerID"`      // what the gateway calls itself to brokers; none is by the machine's name
	Metadata         string        `yaml:"metadata"`         // what management tells about the gateway beside its name, for people
	MaxFrameSize     Size          `yaml:"maxFrameSize"`     // of what a broker sends
	MaxMessageSize   Size          `yaml:"maxMessageSize"`   // likewise
	MaxUnsettled     int           `yaml:"maxUnsettled"`     // messages of one link that are not settled
	IdleTimeout      time.Duration `yaml:"idleTimeout"`      // how long a broker may be silent
	HandshakeTimeout time.Duration `yaml:"handshakeTimeout"` // for SASL and open
	ConnectTimeout   time.Duration `yaml:"connectTimeout"`   // for dialling, and TLS
	WriteTimeout     time.Duration `yaml:"writeTimeout"`     // how long a broker may take nothing of what is sent
	Reconnect        Reconnect     `yaml:"reconnect"`
	LinkRetry        time.Duration `yaml:"linkRetry"` // until a link is attached again that a broker refused or ended
	Connectors       []Connector   `yaml:"connectors"`
	AutoLinks        []AutoLink    `yaml:"autoLinks"`
	LinkRoutes       []LinkRoute   `yaml:"linkRoutes"`
	ResumableLinks   bool          `yaml:"resumableLinks"` // link routes pass links on whose terminus outlives their connection
	Router           Router        `yaml:"router"`
	Federation       []Federation  `yaml:"federation"`
}

// Reconnect says when a connector tries again.
type Reconnect struct {
	Initial time.Duration `yaml:"initial"` // after a connection was lost, or the first round through its hosts; then twice as long
	Max     time.Duration `yaml:"max"`     // at most
}

// Connector declares a connection that is kept to one broker.
type Connector struct {
	Name         string       `yaml:"name"`
	Role         network.Role `yaml:"role"`     // what it leads to: normal, a broker; or inter-router, another router
	Cost         int          `yaml:"cost"`     // inter-router: of the way over it; 0 is 1
	Hosts        []string     `yaml:"hosts"`    // host:port; the first is the first choice
	Hostname     string       `yaml:"hostname"` // the virtual host to ask for; none is the name in hosts
	User         string       `yaml:"user"`
	Password     string       `yaml:"password" secret:"true"`
	PasswordFile string       `yaml:"passwordFile"` // a file with the password in its first line
	Mechanisms   []string     `yaml:"mechanisms"`   // of SASL, the best first; none leaves it to what else is declared
	TLS          ConnectorTLS `yaml:"tls"`

	MaxFrameSize Size          `yaml:"maxFrameSize"` // of what comes over it; 0 is network.maxFrameSize
	MaxSessions  int           `yaml:"maxSessions"`  // that the other side may begin; 0 is as many as there may be
	IdleTimeout  time.Duration `yaml:"idleTimeout"`  // how long the other side may be silent; 0 is network.idleTimeout

	FollowFailover bool       `yaml:"followFailover"` // hosts that the other side tells of are tried too when it is lost
	OpenProperties Properties `yaml:"openProperties"` // what the other side is told in open, beside who the gateway is
}

// ConnectorTLS says how a connection is secured.
type ConnectorTLS struct {
	Enabled    bool   `yaml:"enabled"`
	CA         string `yaml:"ca"` // file: the authorities that the broker's certificate may come from; none is the system's
	KeyPair           // what the gateway shows
	ServerName string `yaml:"serverName"` // the name in the broker's certificate; none is the name in hosts
}

// AutoLink declares a link that is kept between an address of a tenant and one of a broker's.
type AutoLink struct {
	Name            string            `yaml:"name"`    // what tools call it; none is by a number
	Tenant          string            `yaml:"tenant"`  // none is "default"
	Address         string            `yaml:"address"` // of ours; out: also topic::subscription
	Direction       network.Direction `yaml:"direction"`
	Connector       string            `yaml:"connector"`
	ContainerID     string            `yaml:"containerID"`     // or what the broker calls itself
	ExternalAddress string            `yaml:"externalAddress"` // the broker's; none is the same as ours
	ExternalKind    addressing.Kind   `yaml:"externalKind"`    // queue or topic, where the broker is to make it; none does not say
	Durable         bool              `yaml:"durable"`         // out: what somebody waits for an answer to is stored on disk
	Phase           int               `yaml:"phase"`           // of an anycast address
	Fallback        bool              `yaml:"fallback"`        // out: takes what nobody else wants; in: what comes does not go there again
}

// Waypoint declares that what is sent to an address is stored by brokers, from where those have it who receive from it.
type Waypoint struct {
	Connectors []string `yaml:"connectors"` // to brokers, which share the messages
	External   string   `yaml:"external"`   // the brokers' queue; none is called as the address
}

func defaultNetwork() Network {
	l := network.DefaultLimits()
	return Network{
		MaxFrameSize: Size(l.MaxFrameSize), MaxMessageSize: Size(l.MaxMessageSize), MaxUnsettled: l.MaxUnsettled,
		IdleTimeout: l.IdleTimeout, HandshakeTimeout: l.HandshakeTimeout, ConnectTimeout: l.ConnectTimeout,
		WriteTimeout: 30 * time.Second,
		Reconnect:    Reconnect{Initial: l.ReconnectInitial, Max: l.ReconnectMax},
		LinkRetry:    l.LinkRetry,

		ResumableLinks: true,
		Router:         defaultRouter(),
	}
}

// Limits gives the settings in the words of package network.
func (n *Network) Limits() network.Limits {
	l := network.DefaultLimits()
	l.MaxFrameSize, l.MaxMessageSize = uint32(n.MaxFrameSize), uint64(n.MaxMessageSize)
	l.MaxUnsettled = n.MaxUnsettled
	l.IdleTimeout, l.HandshakeTimeout, l.ConnectTimeout = n.IdleTimeout, n.HandshakeTimeout, n.ConnectTimeout
	l.ReconnectInitial, l.ReconnectMax, l.LinkRetry = n.Reconnect.Initial, n.Reconnect.Max, n.LinkRetry
	return l
}

// Connector gives the declaration in the words of package network, with what is in its files.
func (c *Connector) Connector(limits network.Limits) (n network.Connector, err error) {
	limits.MaxFrameSize = cmp.Or(uint32(c.MaxFrameSize), limits.MaxFrameSize)
	limits.IdleTimeout = cmp.Or(c.IdleTimeout, limits.IdleTimeout)
	if c.MaxSessions > 0 {
		limits.ChannelMax = uint16(c.MaxSessions - 1)
	}
	n = network.Connector{
		Name: c.Name, Role: c.Role, Cost: c.Cost, Hosts: c.Hosts, Hostname: c.Hostname, Limits: limits,
		Login:    network.Login{User: c.User, Password: c.Password, Mechanisms: c.Mechanisms},
		Greeting: c.OpenProperties.AMQP(), Follow: c.FollowFailover,
	}
	if c.PasswordFile != "" {
		if n.Login.Password, err = pki.ReadPassword(c.PasswordFile); err != nil {
			return n, fmt.Errorf("password: %w", withoutOperation(err))
		}
	}
	n.TLS, err = c.TLS.Config()
	return n, err
}

// Config gives the settings in the words of package tls, nil for none, with what is in their files.
func (t *ConnectorTLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		text, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", withoutOperation(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("tls.ca: %s has no certificate in the form PEM", t.CA)
		}
	}
	if t.Certificate != "" {
		files := t.Pair("tls")
		pair, err := files.Load()
		if err != nil {
			return nil, fmt.Errorf("tls.certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Link gives the declaration in the words of package network.
func (l *AutoLink) Link() network.AutoLink {
	address, subscription, _ := strings.Cut(l.Address, "::")
	return network.AutoLink{
		Name: l.Name, Tenant: cmp.Or(l.Tenant, "default"), Address: addressing.Address(address), Subscription: subscription,
		Direction: l.Direction, Phase: uint8(l.Phase), Fallback: l.Fallback, Connector: l.Connector, Container: l.ContainerID,
		External: cmp.Or(l.ExternalAddress, address), Capability: l.ExternalKind, Durable: l.Durable,
	}
}

// Waypoints gives the links of the waypoints among a tenant's addresses. While it is disabled it has none.
func (t *Tenant) Waypoints() (links []network.AutoLink) {
	if t.Disabled {
		return nil
	}
	for i := range t.Addresses {
		a := &t.Addresses[i]
		if literal, ok := a.Name.Literal(); ok {
			external := cmp.Or(a.Waypoint.External, string(literal))
			links = append(links, network.Waypoint(t.Name, literal, external, a.Waypoint.Connectors...)...)
		}
	}
	return links
}

// MaxUnsettled bounds network.maxUnsettled.
const MaxUnsettled = 1 << 20

func (c *Config) validateNetwork(k *check) {
	const tick = 10 * time.Millisecond
	n := &c.Network
	k.size("network.maxFrameSize", n.MaxFrameSize, 512, 16<<20)
	k.size("network.maxMessageSize", n.MaxMessageSize, 128, 256<<20)
	k.within("network.maxUnsettled", n.MaxUnsettled, 1, MaxUnsettled)
	k.span("network.idleTimeout", n.IdleTimeout, time.Second)
	k.span("network.handshakeTimeout", n.HandshakeTimeout, tick)
	k.span("network.connectTimeout", n.ConnectTimeout, tick)
	k.span("network.writeTimeout", n.WriteTimeout, tick)
	k.span("network.reconnect.initial", n.Reconnect.Initial, tick)
	k.span("network.reconnect.max", n.Reconnect.Max, n.Reconnect.Initial)
	k.span("network.linkRetry", n.LinkRetry, tick)
	c.validateRouter(k)
	c.validateLinkRoutes(k)
	first := make(map[string]int, len(n.Connectors))
	for i := range n.Connectors {
		at := fmt.Sprintf("network.connectors[%d]", i)
		j, twice := first[n.Connectors[i].Name]
		k.refuse(twice, at+".name", "%q is declared in network.connectors[%d] already", n.Connectors[i].Name, j)
		first[n.Connectors[i].Name] = i
		n.Connectors[i].validate(k, at, c.AMQP.Manner)
		role := n.Connectors[i].Role
		k.refuse((role == network.InterRouter || role == network.Edge) && n.Router.ID == "", at+".role",
			"needs network.router.id")
		k.refuse(role == network.InterRouter && n.Router.IsEdge(), at+".role", "is not for an edge router")
		k.refuse(role == network.Edge && !n.Router.IsEdge(), at+".role", "needs network.router.mode edge")
	}
	seen := make(map[network.AutoLink]int, len(n.AutoLinks))
	for i := range n.AutoLinks {
		at, l := fmt.Sprintf("network.autoLinks[%d]", i), n.AutoLinks[i].Link()
		j, twice := seen[l]
		k.refuse(twice, at, "is the same as network.autoLinks[%d]", j)
		seen[l] = i
		c.validateAutoLink(k, at, &n.AutoLinks[i])
	}
	c.validateFederation(k)
}

// Check tells what is wrong with the declaration in a manner: its error is Problems.
func (c *Connector) Check(manner string) error {
	var k check
	c.validate(&k, "connector", manner)
	return k.err()
}

func (c *Connector) validate(k *check, at, manner string) {
	if manner == DispatchManner {
		k.refuse(!isDispatchName(c.Name), at+".name", "%.80q is not 1 to 255 characters that can be printed", c.Name)
	} else {
		k.refuse(!isLabel(c.Name), at+".name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", c.Name)
	}
	k.refuse(len(c.Hosts) == 0, at+".hosts", "there is none, such as broker.example:5672")
	for i, h := range c.Hosts {
		host, port, err := net.SplitHostPort(h)
		k.refuse(err != nil || host == "" || port == "", fmt.Sprintf("%s.hosts[%d]", at, i),
			"%.80q is not a host and port, such as broker.example:5672", h)
	}
	k.refuse(c.Password != "" && c.PasswordFile != "", at+".passwordFile", "there is a password already")
	k.refuse(c.User == "" && c.Password+c.PasswordFile != "", at+".user", "there is a password, but no user")
	k.refuse(c.MaxFrameSize != 0 && (c.MaxFrameSize < 512 || c.MaxFrameSize > 16<<20), at+".maxFrameSize",
		"%v is neither 0 nor from %v to %v", c.MaxFrameSize, Size(512), Size(16<<20))
	k.within(at+".maxSessions", c.MaxSessions, 0, maxPort+1)
	k.refuse(c.IdleTimeout < 0 || c.IdleTimeout > 24*time.Hour, at+".idleTimeout", "%v is not from 0s to a day", c.IdleTimeout)
	for i, m := range c.Mechanisms {
		k.oneOf(fmt.Sprintf("%s.mechanisms[%d]", at, i), m, network.Mechanisms()...)
	}
	k.within(at+".cost", c.Cost, 0, many)
	c.OpenProperties.validate(k, at+".openProperties", c.Role == network.InterRouter || c.Role == network.Edge)
	c.TLS.validate(k, at+".tls")
}

// isDispatchName tells whether a text can be the name of a connector as Dispatch has them, such as connector/broker.example:5672.
func isDispatchName(text string) bool {
	odd := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	return text != "" && len(text) <= 255 && !strings.ContainsFunc(text, odd)
}

// Check tells what is wrong with settings of TLS: its error is Problems.
func (t *ConnectorTLS) Check() error {
	var k check
	t.validate(&k, "tls")
	return k.err()
}

func (t *ConnectorTLS) validate(k *check, at string) {
	k.refuse(!t.Enabled && *t != ConnectorTLS{}, at+".enabled", "is false, but there are other settings of tls")
	t.KeyPair.validate(k, at)
}

func (c *Config) validateAutoLink(k *check, at string, l *AutoLink) {
	address, subscription, named := strings.Cut(l.Address, "::")
	_, err := addressing.ParseAddress(address)
	k.refuse(err != nil, at+".address", "%.80q is not an address", l.Address)
	k.refuse(named && (subscription == "" || l.Direction == network.In), at+".address",
		"%.80q: only direction out takes from topic::subscription", l.Address)
	nowhere := l.Connector+l.ContainerID == "" && c.AMQP.Manner != DispatchManner // whose tools list what waits for nothing
	k.refuse(nowhere, at+".connector", "there is none, and no containerID")
	c.validateContainer(k, at, l.Connector, l.ContainerID)
	k.refuse(l.ExternalKind != addressing.AnyKind && l.ExternalKind != addressing.Queue && l.ExternalKind != addressing.Topic,
		at+".externalKind", "%v is not one of queue, topic", l.ExternalKind)
	k.refuse(l.Durable && l.Direction == network.In, at+".durable", "fits direction out only")
	k.within(at+".phase", l.Phase, 0, int(addressing.LastPhase))
	k.refuse(l.Fallback && named, at+".fallback", "does not fit a subscription of a topic, only an anycast address")
}

// has tells whether a connector is declared.
func (n *Network) has(connector string) bool {
	return slices.ContainsFunc(n.Connectors, func(c Connector) bool { return c.Name == connector })
}

// validateWaypoints looks at those among the addresses of a tenant.
func (c *Config) validateWaypoints(k *check, path string, addresses []Address) {
	for i := range addresses {
		a := &addresses[i]
		at := fmt.Sprintf("%s[%d].waypoint", path, i)
		if len(a.Waypoint.Connectors) == 0 {
			k.refuse(a.Waypoint.External != "", at+".connectors", "there is none, such as the name of one of network.connectors")
			continue
		}
		_, literal := a.Name.Literal()
		k.refuse(!literal, at, "%q is a pattern: a waypoint is one address", a.Name)
		k.refuse(a.Kind != addressing.Anycast, at, "does not fit kind %v, only anycast", a.Kind)
		for j, name := range a.Waypoint.Connectors {
			path := fmt.Sprintf("%s.connectors[%d]", at, j)
			k.refuse(!c.Network.has(name), path, "no connector %.80q is declared", name)
			k.refuse(slices.Contains(a.Waypoint.Connectors[:j], name), path, "%q is there already", name)
		}
	}
}

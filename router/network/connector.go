package network

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/wire"
)

// connector keeps the connection to one broker or router, and the links that are to be there.
type connector struct {
	Connector
	network *Network
	tenant  string // whose links may be there; empty for all, as where we have connected
	log     *slog.Logger
	cancel  context.CancelFunc // ends it; the network's lock guards it

	container string // what the other side calls itself, while there is a connection; the network's lock guards it

	mu     sync.Mutex // guards everything below; a leaf
	links  map[AutoLink]*autoLink
	conn   *conn // that is open; nil in between
	status ConnectorStatus
}

func newConnector(n *Network, c Connector) *connector {
	return &connector{
		Connector: c, network: n, log: n.config.Log.With("connector", c.Name),
		cancel: func() {},
		links:  make(map[AutoLink]*autoLink),
		status: newConnectorStatus(c),
	}
}

// define has these links be there in the place of those before.
func (c *connector) define(links map[AutoLink]*autoLink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var late []change
	for declared, l := range c.links {
		switch {
		case links[declared] == l:
			continue
		case l.federated != nil: // what takes its place is there before it goes
			late = append(late, change{link: l})
		default:
			c.tell(change{link: l})
		}
		delete(c.links, declared)
	}
	for _, l := range inOrder(links) {
		if c.links[l.AutoLink] == nil {
			c.links[l.AutoLink] = l
			c.tell(change{link: l, added: true})
		}
	}
	for _, x := range late {
		c.tell(x)
	}
}

// tell tells the connection, if there is one, that a link is declared, or not any more.
func (c *connector) tell(x change) {
	if c.conn != nil {
		c.conn.mail.changes.Put(x)
	}
}

// run keeps the connection until ctx ends.
func (c *connector) run(ctx context.Context) {
	plan := schedule{hosts: len(c.Hosts), initial: c.Limits.ReconnectInitial, max: c.Limits.ReconnectMax}
	for at := c.Hosts[0]; ctx.Err() == nil; {
		open, err := c.connect(ctx, at)
		if ctx.Err() != nil {
			break
		}
		hosts := c.candidates()
		plan.hosts = len(hosts)
		host, wait := plan.next(open, rand.Float64())
		c.failed(at, err, open > 0, wait)
		at = hosts[host]
		pause(ctx, wait)
	}
	c.stopped()
}

// candidates gives the hosts to try: those that are declared, and then those that the other side has told.
func (c *connector) candidates() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.Hosts, c.status.Told)
}

// heed takes over from the open of the other side, which is at a host, where else it may be found, if it is to be followed: in place
// of what was told before. The host itself stays, also where it is not declared.
func (c *connector) heed(host string, properties amqp.RawValue) {
	others, told := wire.FailoverIn(properties)
	if !c.Follow || !told {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Told = nil
	for _, other := range append([]string{host}, others...) {
		if !slices.Contains(c.Hosts, other) && !slices.Contains(c.status.Told, other) {
			c.status.Told = append(c.status.Told, other)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// connect makes a connection and serves it until it ends. It tells how long that was open, and why it is not.
func (c *connector) connect(ctx context.Context, hostPort string) (open time.Duration, err error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return 0, err
	}
	if (c.Role == InterRouter || c.Role == Edge) && c.network.config.Mesh == nil {
		return 0, errNoRouter
	}
	login, err := c.mechanisms(host)
	if err != nil {
		return 0, err
	}
	nc, err := c.dial(ctx, host, hostPort)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	var k dialled
	err = c.network.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		if c.Role == InterRouter || c.Role == Edge {
			k = dialNeighbor(c, time.Now(), wake, hostPort, cmp.Or(c.Hostname, host), login)
		} else {
			k = newConn(c, time.Now(), wake, hostPort, login)
		}
		return k
	})
	k.end()
	return k.lasted(), k.why(err)
}

// dialled is a connection of a connector, whatever its role.
type dialled interface {
	transport.Engine
	end()                  // gives back everything when it is over
	lasted() time.Duration // how long it was open
	why(error) error       // it ended, if the transport says this
}

// dial makes the connection below AMQP.
func (c *connector) dial(ctx context.Context, host, hostPort string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limits.ConnectTimeout)
	defer cancel()
	nc, err := c.network.config.Dial(ctx, hostPort)
	if err != nil || c.TLS == nil {
		return nc, err
	}
	settings := c.TLS.Clone()
	if settings.ServerName == "" {
		settings.ServerName = host
	}
	secured := tls.Client(nc, settings)
	if err := secured.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS with %s: %w", hostPort, err)
	}
	return secured, nil
}

func dialTCP(ctx context.Context, hostPort string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", hostPort)
}

package network

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router/transport"
)

// connector keeps the connection to one broker, and the links that are to be there.
type connector struct {
	Connector
	network *Network
	log     *slog.Logger

	mu     sync.Mutex // guards everything below; a leaf
	links  map[AutoLink]*autoLink
	conn   *conn // that is open; nil in between
	status ConnectorStatus
}

func newConnector(n *Network, c Connector) *connector {
	return &connector{
		Connector: c, network: n, log: n.config.Log.With("connector", c.Name),
		links:  make(map[AutoLink]*autoLink),
		status: ConnectorStatus{Name: c.Name, Since: time.Now()},
	}
}

// define has these links be there in the place of those before.
func (c *connector) define(links map[AutoLink]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for declared, l := range c.links {
		if !links[declared] {
			delete(c.links, declared)
			c.tell(change{link: l})
		}
	}
	for declared := range links {
		if c.links[declared] == nil {
			l := newAutoLink(declared)
			c.links[declared] = l
			c.tell(change{link: l, added: true})
		}
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
	for host := 0; ctx.Err() == nil; {
		open, err := c.connect(ctx, c.Hosts[host])
		if ctx.Err() != nil {
			break
		}
		at := c.Hosts[host]
		var wait time.Duration
		host, wait = plan.next(open, rand.Float64())
		c.failed(at, err, open > 0, wait)
		pause(ctx, wait)
	}
	c.stopped()
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
	login, err := c.mechanisms(host)
	if err != nil {
		return 0, err
	}
	nc, err := c.dial(ctx, host, hostPort)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	var k *conn
	err = c.network.config.Driver.Serve(ctx, nc, func(wake func()) transport.Engine {
		k = newConn(c, time.Now(), wake, hostPort, login)
		return k
	})
	k.end()
	return k.lasted(), k.why(err)
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

// errClosed is for a broker that hangs up without a word.
var errClosed = errors.New("the broker closed the connection")

// why gives the reason why the connection ended: what was said in AMQP, or what the transport says.
func (k *conn) why(err error) error {
	switch {
	case k.ending.Error != nil:
		return k.ending.Error
	case err == nil, errors.Is(err, io.EOF):
		return errClosed
	default:
		return err
	}
}

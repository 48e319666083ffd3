package gateway

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

func (a *assembly) amqpDoors() ([]door, error) {
	if a.config.AMQP.Policy.Enabled {
		var err error
		if a.policy, err = vhost.NewRegister(a.config.AMQP.Policy.Declared()); err != nil {
			return nil, err
		}
	}
	server := amqp.New(amqp.Config{
		Router:    a.router.Through("amqp"),
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			Errands:      &a.errands,
			WriteTimeout: a.config.AMQP.WriteTimeout,
		}),
		Limits:      amqpLimits(&a.config.AMQP),
		ContainerID: a.containerID(),
		Version:     version(),
		Log:         a.log.With("door", "amqp"),
		Frames:      a.frames,

		Network:         beyond{a},
		Policy:          a.policy,
		Manner:          mannerOf(a.config.AMQP.Manner),
		PlainWithoutTLS: a.config.AMQP.PlainWithoutTLS,
	})
	a.opening = server
	a.upgrades["amqp"] = http.Upgrade{Serve: server.ServeConn, Paths: []string{"/amqp"}}
	if len(a.config.AMQP.Listeners) == 0 {
		return a.doorsOf("amqp", server, a.config.AMQP.HandshakeTimeout), nil
	}
	var doors []door
	for i := range a.config.AMQP.Listeners {
		l := &a.config.AMQP.Listeners[i]
		s, err := a.securityOf(l, fmt.Sprintf("amqp.listeners[%d].secure", i))
		if err != nil {
			return nil, err
		}
		opened, err := a.amqpDoor(server, l, s, a.settingsOf(l.DoorName()))
		if err != nil {
			return nil, err
		}
		opened.listener = a.listeners[l.DoorName()]
		doors = append(doors, opened)
	}
	return doors, nil
}

// securityOf gives that of one of several listeners.
func (a *assembly) securityOf(l *config.AMQPListener, setting string) (*security, error) {
	if l.Secure.IsZero() {
		return a.security, nil
	}
	s, err := a.security.at(&l.Secure, setting, a.config.TLS.OCSPStapling)
	if err == nil {
		a.chores = append(a.chores, s.chosen(a.security)...)
	}
	return s, err
}

// amqpDoor gives the door of one of several listeners, whose settings as any listener are at. It is not open yet.
func (a *assembly) amqpDoor(server *amqp.Server, l *config.AMQPListener, s *security, at config.Listener) (door, error) {
	if l.Role == config.InterRouterRole || l.Role == config.EdgeRole {
		return a.routerDoor(l, s, at), nil
	}
	settings, containers := l.Limits(a.config.AMQP), ""
	if l.Role == config.RouteContainerRole {
		containers = l.Name
	}
	entrance := server.At(amqp.Entrance{
		Containers: containers,
		Limits:     amqpLimits(&settings), LinkCredit: l.LinkCredit, Mechanisms: l.Mechanisms, Tenant: l.Tenant,
		VirtualHost: l.VirtualHost, MultiTenant: l.MultiTenant,
		Greeting: l.Greeting(), UserOf: s.userOf(),
		Annotations: &network.Annotations{Router: a.containerID(), StripIn: l.StripsIn(), StripOut: l.StripsOut()},
	})
	if l.Web.Enabled {
		return a.webDoor(entrance, l, s, at)
	}
	return door{
		name: at.Name, connections: entrance.Connections,
		serve: a.behind(s, at, settings.HandshakeTimeout, entrance.Serve, "amqp"),
	}, nil
}

// mannerOf gives how the door behaves, in its own words.
func mannerOf(name string) amqp.Manner {
	if name == config.DispatchManner {
		return amqp.DispatchManner
	}
	return amqp.OwnManner
}

// amqpLimits gives the settings in the door's own words.
func amqpLimits(c *config.AMQP) amqp.Limits {
	return amqp.Limits{
		ConnectionLimits: amqp.ConnectionLimits{
			MaxFrameSize:      uint32(c.MaxFrameSize),
			MaxHandshakeFrame: uint32(c.MaxHandshakeFrame),
			ChannelMax:        uint16(c.ChannelMax),
			HandleMax:         uint32(c.HandleMax),
			MaxLinks:          c.MaxLinks,
			MaxKept:           int(c.MaxKept),
			MaxMessageSize:    uint64(c.MaxMessageSize),
			MaxPartial:        int(c.MaxPartial),
			MaxUnsettled:      c.MaxUnsettled,
			IncomingWindow:    uint32(c.IncomingWindow),
			IncomingBytes:     int(c.IncomingBytes),
			IdleTimeout:       c.IdleTimeout,
			MinIdleTimeout:    c.MinIdleTimeout,
			HandshakeTimeout:  c.HandshakeTimeout,
			CloseTimeout:      c.CloseTimeout,
		},
		RelayCredit:        c.RelayCredit,
		MaxSenders:         c.MaxSenders,
		SubscriptionCredit: c.SubscriptionCredit,
		MaxQueuedBytes:     int(c.MaxQueuedBytes),
		MaxTransactions:    c.MaxTransactions,
		TransactionTimeout: c.TransactionTimeout,
		StreamTimeout:      c.StreamTimeout,
	}
}

// containerID is what the gateway calls itself to its peers.
func (a *assembly) containerID() string { return cmp.Or(a.config.Network.ContainerID, containerID()) }

// containerID is what a gateway is called that was given no name: as the machine, if that has one.
func containerID() string {
	if name, err := os.Hostname(); err == nil {
		return "manifold-" + name
	}
	return "manifold"
}

// version is what the Go tool wrote into the binary.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

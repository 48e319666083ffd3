package config

import (
	"net"
	"net/netip"
)

// Listener is one port that the gateway listens at.
type Listener struct {
	Name    string // of the door, with an s behind it for TLS
	Network string // tcp or udp
	Setting string // that decides the port
	Enabled bool
	Host    string         // name or IP address
	Port    int            // shifted; 0 takes any free one
	Proxies []netip.Prefix // whose connections begin with a header; none of datagrams
	Secured bool           // by TLS, or DTLS
	Either  bool           // clients that do not speak TLS come in as well

	unshifted  int
	clientAuth string
}

// secureDoor is a door that may be open for TLS, with the name of its settings.
type secureDoor struct {
	name    string
	setting string
	SecureDoor
}

// secureDoors gives all of them but for those of datagrams.
func (c *Config) secureDoors() []secureDoor {
	ws := c.MQTT.WebSocket
	ws.Enabled = ws.Enabled && c.MQTT.Enabled
	return []secureDoor{
		{"mqtt", "mqtt", c.MQTT.SecureDoor}, {"amqp", "amqp", c.AMQP.SecureDoor}, {"stomp", "stomp", c.STOMP.SecureDoor},
		{"http", "http", c.HTTP.SecureDoor}, {"ws", "mqtt.webSocket", ws}, {"coap", "coap", c.CoAP.SecureDoor},
		c.routerDoor(),
	}
}

// Listeners gives all of them, those that are not enabled too.
func (c *Config) Listeners() []Listener {
	var all []Listener
	add := func(l Listener, d SecureDoor) {
		l.unshifted, l.Port = l.Port, shifted(l.Port, c.PortOffset)
		l.Proxies, l.clientAuth = d.Proxy.From, d.ClientAuth
		l.Host = orElse(l.Host, c.Listen)
		all = append(all, l)
	}
	for i, l := range c.amqpListeners() {
		d := c.AMQP.SecureDoor
		d.ClientAuth = orElse(c.AMQP.Listeners[i].ClientAuth, d.ClientAuth)
		add(l, d)
	}
	for _, d := range c.secureDoors() {
		if d.name == "amqp" && len(c.AMQP.Listeners) > 0 {
			continue
		}
		plain := Listener{Name: d.name, Network: "tcp", Setting: d.setting + ".port", Enabled: d.Enabled, Port: d.Port}
		secured := Listener{
			Name: d.name + "s", Network: "tcp", Setting: d.setting + ".tlsPort", Enabled: d.Enabled && c.TLS.Enabled(),
			Port: d.TLSPort, Secured: true,
		}
		if d.name == "coap" { // over datagrams as well
			datagrams, sealed := plain, secured
			datagrams.Network, sealed.Network = "udp", "udp"
			sealed.Enabled = d.Enabled && (c.TLS.Enabled() || c.HasKeys())
			add(datagrams, SecureDoor{})
			add(sealed, SecureDoor{ClientAuth: d.ClientAuth})
			plain.Name, secured.Name = "coap+tcp", "coaps+tcp"
			plain.Enabled, secured.Enabled = plain.Enabled && c.CoAP.TCP, secured.Enabled && c.CoAP.TCP
		}
		add(plain, d.SecureDoor)
		add(secured, d.SecureDoor)
	}
	add(Listener{
		Name: "admin", Network: "tcp", Setting: "admin.port", Enabled: c.Admin.Enabled, Host: c.Admin.Listen, Port: c.Admin.Port,
	}, SecureDoor{})
	return all
}

// IsLoopback tells whether nobody but this machine reaches a host. It knows one name, and otherwise addresses only.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// shifted gives the port that is offset above another. What would be beyond the highest goes on above the privileged
// ones: STOMP's 61613 leaves no room for an offset of 10,000.
func shifted(port, offset int) int {
	const lowest = 1024
	switch sum := port + offset; {
	case port == 0:
		return 0
	case sum > maxPort:
		return lowest + (sum-maxPort-1)%(maxPort+1-lowest)
	default:
		return sum
	}
}

func (c *Config) validateListeners(k *check) {
	type socket struct {
		network, host string
		port          int
	}
	taken := make(map[socket]string)
	for _, l := range c.Listeners() {
		k.within(l.Setting, l.unshifted, 0, maxPort)
		if !l.Enabled || l.Port == 0 {
			continue
		}
		at := socket{l.Network, l.Host, l.Port}
		k.refuse(taken[at] != "", l.Setting, "%d is the port of %s already", l.Port, taken[at])
		taken[at] = l.Name
	}
}

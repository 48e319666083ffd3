package config

// Listener is one port that the gateway listens at.
type Listener struct {
	Name    string // of the door, with an s behind it for TLS
	Network string // tcp or udp
	Setting string // that decides the port
	Enabled bool
	Port    int // shifted; 0 takes any free one

	unshifted int
}

// Listeners gives all of them, those that are not enabled too.
func (c *Config) Listeners() []Listener {
	var all []Listener
	open := func(network, name, setting string, enabled bool, port int) {
		all = append(all, Listener{
			Name: name, Network: network, Setting: setting, Enabled: enabled, Port: shifted(port, c.PortOffset), unshifted: port,
		})
	}
	add := func(name, setting string, enabled bool, port int) { open("tcp", name, setting, enabled, port) }
	for _, door := range []struct {
		name string
		SecureDoor
	}{{"mqtt", c.MQTT.SecureDoor}, {"amqp", c.AMQP.SecureDoor}, {"stomp", c.STOMP.SecureDoor}, {"http", c.HTTP.SecureDoor}} {
		add(door.name, door.name+".port", door.Enabled, door.Port)
		add(door.name+"s", door.name+".tlsPort", door.Enabled && c.TLS.Enabled(), door.TLSPort)
	}
	ws := c.MQTT.WebSocket
	ws.Enabled = ws.Enabled && c.MQTT.Enabled
	add("ws", "mqtt.webSocket.port", ws.Enabled, ws.Port)
	add("wss", "mqtt.webSocket.tlsPort", ws.Enabled && c.TLS.Enabled(), ws.TLSPort)
	coap := c.CoAP
	open("udp", "coap", "coap.port", coap.Enabled, coap.Port)
	open("udp", "coaps", "coap.tlsPort", coap.Enabled && (c.TLS.Enabled() || c.HasKeys()), coap.TLSPort)
	add("coap+tcp", "coap.port", coap.Enabled && coap.TCP, coap.Port)
	add("coaps+tcp", "coap.tlsPort", coap.Enabled && coap.TCP && c.TLS.Enabled(), coap.TLSPort)
	add("admin", "admin.port", c.Admin.Enabled, c.Admin.Port)
	return all
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
		network string
		port    int
	}
	taken := make(map[socket]string)
	for _, l := range c.Listeners() {
		k.within(l.Setting, l.unshifted, 0, maxPort)
		if !l.Enabled || l.Port == 0 {
			continue
		}
		at := socket{l.Network, l.Port}
		k.refuse(taken[at] != "", l.Setting, "%d is the port of %s already", l.Port, taken[at])
		taken[at] = l.Name
	}
}

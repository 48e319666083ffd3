package config

// Listener is one port that the gateway listens at.
type Listener struct {
	Name    string // of the door, with an s behind it for TLS
	Setting string // that decides the port
	Enabled bool
	Port    int // shifted; 0 takes any free one

	unshifted int
}

// Listeners gives all of them, those that are not enabled too.
func (c *Config) Listeners() []Listener {
	var all []Listener
	add := func(name, setting string, enabled bool, port int) {
		all = append(all, Listener{
			Name: name, Setting: setting, Enabled: enabled, Port: shifted(port, c.PortOffset), unshifted: port,
		})
	}
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
	taken := make(map[int]string)
	for _, l := range c.Listeners() {
		k.within(l.Setting, l.unshifted, 0, maxPort)
		if !l.Enabled || l.Port == 0 {
			continue
		}
		k.refuse(taken[l.Port] != "", l.Setting, "%d is the port of %s already", l.Port, taken[l.Port])
		taken[l.Port] = l.Name
	}
}

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
		l := Listener{Name: name, Setting: setting, Enabled: enabled, Port: port, unshifted: port}
		if port != 0 {
			l.Port += c.PortOffset
		}
		all = append(all, l)
	}
	for _, door := range []struct {
		name string
		SecureDoor
	}{{"mqtt", c.MQTT.SecureDoor}, {"amqp", c.AMQP.SecureDoor}, {"stomp", c.STOMP.SecureDoor}, {"http", c.HTTP.SecureDoor}} {
		add(door.name, door.name+".port", door.Enabled, door.Port)
		add(door.name+"s", door.name+".tlsPort", door.Enabled && c.TLS.Enabled(), door.TLSPort)
	}
	add("admin", "admin.port", c.Admin.Enabled, c.Admin.Port)
	return all
}

func (c *Config) validateListeners(k *check) {
	taken := make(map[int]string)
	for _, l := range c.Listeners() {
		k.within(l.Setting, l.unshifted, 0, maxPort)
		k.refuse(l.unshifted <= maxPort && l.Port > maxPort, l.Setting,
			"%d and portOffset %d are more than %d", l.unshifted, c.PortOffset, maxPort)
		if !l.Enabled || l.Port == 0 {
			continue
		}
		k.refuse(taken[l.Port] != "", l.Setting, "%d is the port of %s already", l.Port, taken[l.Port])
		taken[l.Port] = l.Name
	}
}

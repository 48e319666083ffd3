package gateway

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/manifoldmq/manifold/gateway/config"
)

// listeners are the open ones of the doors; nil for a door that is not enabled.
type listeners struct {
	mqtt, amqp, http, admin net.Listener
}

// openListeners opens all listeners or none.
func openListeners(c *config.Config) (*listeners, error) {
	l := new(listeners)
	for _, door := range []struct {
		name     string
		settings config.Door
		listener *net.Listener
	}{
		{"mqtt", c.MQTT.Door, &l.mqtt},
		{"amqp", c.AMQP.Door, &l.amqp},
		{"http", c.HTTP.Door, &l.http},
		{"admin", c.Admin.Door, &l.admin},
	} {
		if !door.settings.Enabled {
			continue
		}
		opened, err := listen(c, door.name, door.settings)
		if err != nil {
			l.close()
			return nil, err
		}
		*door.listener = opened
	}
	return l, nil
}

// close closes the listeners; those that a door has closed already are not harmed.
func (l *listeners) close() {
	for _, open := range []net.Listener{l.mqtt, l.amqp, l.http, l.admin} {
		if open != nil {
			open.Close()
		}
	}
}

// listen opens one listener. An error names the address and the settings that decide it.
func listen(c *config.Config, name string, d config.Door) (net.Listener, error) {
	address := net.JoinHostPort(c.Listen, strconv.Itoa(c.ShiftedPort(d)))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s door: cannot listen at %s: %w; see the settings listen, %s.port and portOffset",
			name, address, cause(err), name)
	}
	return listener, nil
}

// cause leaves out of a network error the operation and address, which its reader knows.
func cause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}

package gateway

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/manifoldmq/manifold/gateway/config"
)

// listeners are the open ones by name, such as amqp and, for TLS, amqps.
type listeners map[string]net.Listener

// openListeners opens all listeners or none, but for sockets of datagrams, which their door opens.
func openListeners(c *config.Config) (listeners, error) {
	all := make(listeners)
	for _, l := range c.Listeners() {
		if !l.Enabled || l.Network != "tcp" {
			continue
		}
		opened, err := listen(l)
		if err != nil {
			all.close()
			return nil, err
		}
		all[l.Name] = opened
	}
	return all, nil
}

// close closes the listeners; those that a door has closed already are not harmed.
func (all listeners) close() {
	for _, open := range all {
		open.Close()
	}
}

// listen opens one listener. An error names the address and the settings that decide it.
func listen(l config.Listener) (net.Listener, error) {
	address := net.JoinHostPort(l.Host, strconv.Itoa(l.Port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, cannotListen(l, address, err)
	}
	return listener, nil
}

func cannotListen(l config.Listener, address string, err error) error {
	return fmt.Errorf("%s door: cannot listen at %s: %w; see the settings listen, %s and portOffset",
		l.Name, address, cause(err), l.Setting)
}

// cause leaves out of a network error the operation and address, which its reader knows.
func cause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}

package udp

import (
	"context"
	"net"
	"syscall"
)

// listen opens a socket; shared says that others will listen on the same port.
func listen(address string, shared bool) (*net.UDPConn, error) {
	var config net.ListenConfig
	if shared {
		config.Control = func(_, _ string, c syscall.RawConn) error { return sharePort(c) }
	}
	conn, err := config.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

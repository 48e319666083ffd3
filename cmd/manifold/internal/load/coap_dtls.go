package load

import (
	"context"
	"net"
	"sync"

	"github.com/pion/dtls/v3"
)

// dialDTLS makes a DTLS session with a pre-shared key and a connection id (RFC 9146). Its client is a library: what that
// takes is the driver's.
func dialDTLS(ctx context.Context, c IdleConfig, source net.Addr) (net.Conn, *nomad, error) {
	to, err := net.ResolveUDPAddr("udp", c.Address)
	if err != nil {
		return nil, nil, err
	}
	n := new(nomad)
	if n.PacketConn, err = listenUDP(ctx, source); err != nil {
		return nil, nil, err
	}
	conn, err := dtls.ClientWithOptions(n, to,
		dtls.WithPSK(func([]byte) ([]byte, error) { return []byte(c.Password), nil }),
		dtls.WithPSKIdentityHint([]byte(c.Username)),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8),
		dtls.WithConnectionIDGenerator(dtls.OnlySendCIDGenerator()))
	if err != nil {
		n.Close()
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, n, nil
}

// listenUDP opens a socket on a port that the system chooses.
func listenUDP(ctx context.Context, source net.Addr) (net.PacketConn, error) {
	address := "127.0.0.1:0"
	if from, ok := source.(*net.TCPAddr); ok {
		address = net.JoinHostPort(from.IP.String(), "0")
	}
	return new(net.ListenConfig).ListenPacket(ctx, "udp", address)
}

// nomad is a socket that can be exchanged for another one, as a device behind a NAT comes back from another port.
type nomad struct {
	mu sync.Mutex // guards what is below
	net.PacketConn
}

func (n *nomad) current() net.PacketConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.PacketConn
}

// WriteTo implements net.PacketConn.
func (n *nomad) WriteTo(p []byte, to net.Addr) (int, error) { return n.current().WriteTo(p, to) }

// ReadFrom implements net.PacketConn. It goes on with the next socket when one is closed.
func (n *nomad) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		conn := n.current()
		size, from, err := conn.ReadFrom(p)
		if err == nil || conn == n.current() {
			return size, from, err
		}
	}
}

// Close implements net.PacketConn.
func (n *nomad) Close() error { return n.current().Close() }

// move goes to another port.
func (n *nomad) move(ctx context.Context, source net.Addr) error {
	next, err := listenUDP(ctx, source)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.PacketConn.Close()
	n.PacketConn = next
	return nil
}

package load

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// coapPort is a socket that several endpoints have in common, each of them with a loopback address of its own. So there can
// be more of them than a process may have open files.
type coapPort struct {
	opening sync.Once
	fault   error // of opening
	conn    net.PacketConn
	socket  *ipv4.PacketConn
	to      *net.UDPAddr
	sorting sync.WaitGroup // who reads; the last endpoint that leaves waits for it

	mu        sync.Mutex // guards everything below
	endpoints map[netip.Addr]*coapEndpoint
}

// open opens the socket, the first time, and gives the endpoint with an address.
func (s *coapPort) open(ctx context.Context, address string, source net.Addr) (net.Conn, error) {
	s.opening.Do(func() { s.fault = s.listen(ctx, address) })
	if s.fault != nil {
		return nil, s.fault
	}
	ip := source.(*net.TCPAddr).IP
	e := &coapEndpoint{port: s, ip: ip, in: make(chan []byte, coapQueue), closed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[addressOf(ip)] = e
	return e, nil
}

// coapQueue is how many datagrams may wait at an endpoint; others are lost.
const coapQueue = 256

func addressOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	return a
}

func (s *coapPort) listen(ctx context.Context, address string) (err error) {
	if s.to, err = net.ResolveUDPAddr("udp4", address); err != nil {
		return err
	}
	if s.conn, err = new(net.ListenConfig).ListenPacket(ctx, "udp4", "0.0.0.0:0"); err != nil {
		return err
	}
	// The system grants what it can; what it cannot is made up for by sending again.
	_ = s.conn.(*net.UDPConn).SetReadBuffer(coapBuffer)
	s.socket = ipv4.NewPacketConn(s.conn)
	s.endpoints = make(map[netip.Addr]*coapEndpoint)
	if err := s.socket.SetControlMessage(ipv4.FlagDst, true); err != nil {
		s.conn.Close()
		return err
	}
	s.sorting.Go(s.sort)
	return nil
}

// sort gives each datagram to the endpoint that it was sent to, until the socket is closed.
func (s *coapPort) sort() {
	buffer := make([]byte, coapTooLong)
	for {
		n, about, _, err := s.socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		if about == nil {
			continue
		}
		s.mu.Lock()
		e := s.endpoints[addressOf(about.Dst)]
		s.mu.Unlock()
		if e != nil {
			e.arrive(append([]byte(nil), buffer[:n]...))
		}
	}
}

// leave forgets an endpoint; the last one closes the socket.
func (s *coapPort) leave(e *coapEndpoint) {
	s.mu.Lock()
	delete(s.endpoints, addressOf(e.ip))
	last := len(s.endpoints) == 0
	s.mu.Unlock()
	if last {
		s.conn.Close()
		s.sorting.Wait()
	}
}

// coapEndpoint is one of those with a port in common.
type coapEndpoint struct {
	port    *coapPort
	ip      net.IP
	in      chan []byte
	until   time.Time // the deadline of reads; zero for none
	closing sync.Once
	closed  chan struct{}
}

var _ net.Conn = (*coapEndpoint)(nil)

func (e *coapEndpoint) arrive(p []byte) {
	select {
	case e.in <- p:
	default:
	}
}

// Read implements net.Conn; it gives one datagram.
func (e *coapEndpoint) Read(p []byte) (int, error) {
	var expired <-chan time.Time
	if !e.until.IsZero() {
		timer := time.NewTimer(time.Until(e.until))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case got := <-e.in:
		return copy(p, got), nil
	case <-expired:
		return 0, os.ErrDeadlineExceeded
	case <-e.closed:
		return 0, net.ErrClosed
	}
}

// Write implements net.Conn.
func (e *coapEndpoint) Write(p []byte) (int, error) {
	return e.port.socket.WriteTo(p, &ipv4.ControlMessage{Src: e.ip}, e.port.to)
}

// Close implements net.Conn.
func (e *coapEndpoint) Close() error {
	e.closing.Do(func() {
		close(e.closed)
		e.port.leave(e)
	})
	return nil
}

// LocalAddr, RemoteAddr and the deadlines implement net.Conn. Who reads sets the deadline; writing takes no time.
func (e *coapEndpoint) LocalAddr() net.Addr                { return &net.UDPAddr{IP: e.ip} }
func (e *coapEndpoint) RemoteAddr() net.Addr               { return e.port.to }
func (e *coapEndpoint) SetDeadline(t time.Time) error      { return e.SetReadDeadline(t) }
func (e *coapEndpoint) SetReadDeadline(t time.Time) error  { e.until = t; return nil }
func (e *coapEndpoint) SetWriteDeadline(_ time.Time) error { return nil }

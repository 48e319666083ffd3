// Package udp drives CoAP sessions over UDP sockets: it owns the sockets, the peers, the timers and the buffers, so that
// packages datagram and dtls have none of them.
//
// A server has lanes. A lane is one socket with one goroutine, which owns all peers that it hears: the kernel gives each peer
// to one lane for good (SO_REUSEPORT). So no session has a lock, and no two lanes wait for each other.
//
// Promises:
//   - Datagrams are read and written in batches; what is answered at once leaves in one batch with the other answers.
//   - A session, its client and everything they call run on their lane's goroutine. Only wake comes from elsewhere.
//   - A request that awaits its answer holds nobody up: the lane goes on.
//   - A silent peer without observations is forgotten once its session remembers nothing, and costs nothing then, or no more
//     than its keys. The number of peers is bounded; when there are too many, one that is only remembered for its duplicates
//     makes room.
//   - A server stops in two steps: peers are told, and have until DrainTimeout; then they are disconnected.
package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/datagram"
	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Options are a server's settings.
type Options struct {
	Open   session.Open    // makes the door's side of a new peer's session
	Shared datagram.Shared // limits and secrets; each lane has its copy

	// Security makes a server for coaps: all datagrams are those of DTLS, and there is one lane, since a client with a connection
	// id may come back from another address. Nil is for plain CoAP.
	Security *dtls.Server
	// SessionTimeout is how long a DTLS session is kept whose client is silent; 24 hours by default.
	SessionTimeout time.Duration

	// Lanes is how many sockets there are; 1 by default, and where the system does not share a port among sockets.
	Lanes int
	// MaxPeers is how many peers there may be; 100,000 by default. The datagrams of one more are dropped, and counted. With
	// Security it should be less than that has sessions at most, so that those can go that sleep.
	MaxPeers int
	// MaxDatagram is the largest datagram that is read, in bytes; 4,096 by default. A larger request gets 4.13.
	MaxDatagram int
	// SocketBuffer is how many bytes of datagrams the system is asked to hold while a lane is busy; 4 MiB by default.
	SocketBuffer int
	// DrainTimeout is how long peers get when the process stops; 5 s by default.
	DrainTimeout time.Duration
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.SessionTimeout == 0 {
		o.SessionTimeout = 24 * time.Hour
	}
	if o.Lanes == 0 || !sharesPorts || o.Security != nil {
		o.Lanes = 1
	}
	if o.MaxPeers == 0 {
		o.MaxPeers = 100_000
	}
	if o.MaxDatagram == 0 {
		o.MaxDatagram = 4096
	}
	if o.SocketBuffer == 0 {
		o.SocketBuffer = 4 << 20
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 5 * time.Second
	}
	return o
}

// Server serves CoAP on one UDP port.
type Server struct {
	lanes []*lane
}

// Listen opens the sockets of a server. The address is host:port, as of package net; with port 0 the system chooses one.
func Listen(address string, o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{}
	for range o.Lanes {
		conn, err := listen(address, o.Lanes > 1)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listening on %s: %w", address, err), s.close())
		}
		s.lanes = append(s.lanes, newLane(conn, o))
		address = conn.LocalAddr().String() // the port that the system chose, if so
	}
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() netip.AddrPort {
	return s.lanes[0].conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Serve runs the server until ctx ends and its peers are drained, and closes it.
func (s *Server) Serve(ctx context.Context) error {
	var running sync.WaitGroup
	failures := make([]error, len(s.lanes))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, l := range s.lanes {
		running.Go(func() {
			stop := context.AfterFunc(ctx, l.drain)
			defer stop()
			failures[i] = l.run()
			cancel() // a lane that fails takes the others with it
		})
	}
	running.Wait()
	return errors.Join(append(failures, s.close())...)
}

// Figures are what a server counts.
type Figures struct {
	Peers     int    // that there are
	Refused   uint64 // datagrams of peers for whom there was no room
	Received  uint64 // datagrams
	Sent      uint64 // datagrams
	Unsent    uint64 // datagrams that the system refused
	Truncated uint64 // datagrams that were larger than MaxDatagram
}

// Figures gives the counts so far. It may be called from any goroutine.
func (s *Server) Figures() (f Figures) {
	for _, l := range s.lanes {
		f.Peers += int(l.counts.peers.Load())
		f.Refused += l.counts.refused.Load()
		f.Received += l.counts.received.Load()
		f.Sent += l.counts.sent.Load()
		f.Unsent += l.counts.unsent.Load()
		f.Truncated += l.counts.truncated.Load()
	}
	return f
}

func (s *Server) close() (err error) {
	for _, l := range s.lanes {
		err = errors.Join(err, l.conn.Close())
	}
	return err
}

package gateway

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/transport"
)

// coapDoors gives the doors of CoAP: over UDP and DTLS, and over TCP and TLS. The first counts the peers of all.
func (a *assembly) coapDoors() ([]door, error) {
	settings := &a.config.CoAP
	server := coap.New(coap.Config{
		Router:    a.router.Through("coap"),
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			Errands:      &a.errands,
			WriteTimeout: settings.WriteTimeout,
		}),
		Limits:           coapLimits(settings, a.config.DrainTimeout),
		QueryCredentials: settings.QueryCredentials,
		Log:              a.log.With("door", "coap"),
	})
	a.coap = server
	a.upgrades[coap.Subprotocol] = http.Upgrade{Messages: server.ServeWebSocket, Paths: []string{"/.well-known/coap"}}
	var doors []door
	for _, l := range a.config.Listeners() {
		if l.Network != "udp" || !l.Enabled {
			continue
		}
		opened, err := a.datagramDoor(server, l)
		if err != nil {
			return nil, err
		}
		doors = append(doors, opened)
	}
	doors[0].connections = server.Connections
	if listener := a.listeners["coap+tcp"]; listener != nil {
		doors = append(doors, door{
			name: "coap+tcp", listener: listener, serve: a.after("coap+tcp", settings.GreetingTimeout, server.Serve),
		})
	}
	if listener := a.listeners["coaps+tcp"]; listener != nil {
		doors = append(doors, door{
			name: "coaps+tcp", listener: listener,
			serve: a.after("coaps+tcp", settings.GreetingTimeout, server.Serve, coap.Subprotocol),
		})
	}
	return doors, nil
}

// datagramDoor opens a socket for UDP, or for DTLS.
func (a *assembly) datagramDoor(server *coap.Server, l config.Listener) (door, error) {
	address := net.JoinHostPort(a.config.Listen, strconv.Itoa(l.Port))
	open := server.Listen
	if l.Name == "coaps" {
		open = func(address string) (*coap.Socket, error) {
			return server.ListenDTLS(address, a.security.datagrams(a.config.ClientAuthOf(l)))
		}
	}
	socket, err := open(address)
	if err != nil {
		return door{}, cannotListen(l, address, err)
	}
	a.sockets = append(a.sockets, socket)
	return door{
		name: l.Name, address: socket.Addr(),
		serve: func(ctx context.Context, _ net.Listener) error { return socket.Serve(ctx) },
	}, nil
}

// closeSockets closes the sockets of a gateway that did not start.
func (a *assembly) closeSockets() {
	for _, s := range a.sockets {
		if err := s.Close(); err != nil {
			a.log.Warn("closing a socket", "err", err)
		}
	}
}

// coapLimits gives the settings in the door's own words.
func coapLimits(c *config.CoAP, drain time.Duration) coap.Limits {
	blocks := coap.BlockLimits{
		MaxBody:        int(c.MaxBody),
		MaxUploads:     c.MaxUploads,
		MaxUploadBytes: int(c.MaxUploadBytes),
		UploadTimeout:  c.UploadTimeout,
		MaxKept:        c.MaxKept,
		MaxKeptBytes:   int(c.MaxKeptBytes),
		KeepTimeout:    c.KeepTimeout,
		BlockSize:      int(c.BlockSize),
	}
	return coap.Limits{
		Blocks: blocks,
		Datagram: coap.DatagramLimits{
			AckTimeout:       c.AckTimeout,
			AckRandomFactor:  c.AckRandomFactor,
			MaxRetransmit:    c.MaxRetransmit,
			NStart:           c.NStart,
			SeparateAfter:    c.SeparateAfter,
			ExchangeLifetime: c.ExchangeLifetime,
			NonLifetime:      c.NonLifetime,
			MaxRemembered:    c.MaxRemembered,
			MaxAnswerBytes:   int(c.MaxAnswerBytes),
			MaxExchanges:     c.MaxExchanges,
			MaxObservations:  c.MaxObservations,
			ConfirmEvery:     c.ConfirmEvery,
			PingAfter:        c.PingAfter,
			Amplification:    c.Amplification,
			EchoLifetime:     c.EchoLifetime,
			Block:            blocks,
		},
		Stream: coap.StreamLimits{
			MaxMessage:      int(c.MaxMessage),
			MaxOptions:      c.MaxOptions,
			MaxExchanges:    c.MaxExchanges,
			MaxObservations: c.MaxObservations,
			MaxOwed:         int(c.MaxOwed),
			GreetingTimeout: c.GreetingTimeout,
			CloseTimeout:    c.CloseTimeout,
		},
		DTLS: coap.DTLSLimits{
			MaxSessions:         c.MaxPeers + c.MaxHandshakes,
			MaxHandshakes:       c.MaxHandshakes,
			HandshakesPerSecond: c.HandshakesPerSecond,
			MaxHandshakeMessage: int(c.MaxHandshakeMessage),
			HandshakeTimeout:    c.HandshakeTimeout,
			RetransmitTimeout:   c.RetransmitTimeout,
			MaxDatagram:         dtlsDatagram,
		},
		MaxBlockBytes:      int(c.MaxBlockBytes),
		MaxPeers:           c.MaxPeers,
		MaxDatagram:        int(c.MaxDatagram),
		SessionTimeout:     c.SessionTimeout,
		MaxSenders:         c.MaxSenders,
		MaxUsers:           c.MaxUsers,
		MaxObservations:    c.MaxObservations,
		SubscriptionCredit: c.SubscriptionCredit,
		QueueCredit:        c.QueueCredit,
		MaxQueuedBytes:     int(c.MaxQueuedBytes),
		OutcomeTimeout:     c.OutcomeTimeout,
		RetryAfter:         c.RetryAfter,
		MaxPoll:            c.MaxPoll,
		LockTime:           c.LockTime,
		MaxLockTime:        c.MaxLockTime,
		MaxLocks:           c.MaxLocks,
		MaxTopics:          c.MaxTopics,
		DrainTimeout:       drain,
	}
}

// dtlsDatagram is how long a datagram of a handshake may be: it fits into every network.
const dtlsDatagram = 1200

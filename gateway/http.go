package gateway

import (
	"context"
	"fmt"
	"net"

	"github.com/manifoldmq/manifold/adapters/http"
)

func (a *assembly) httpDoors() ([]door, error) {
	h := &a.config.HTTP
	server, err := http.New(http.Config{
		Router:    a.router,
		Directory: a.directory,
		Origins:   h.Origins,
		Upgrades:  a.upgrades,
		Log:       a.log.With("door", "http"),
		Limits: http.Limits{
			MaxHeaderBytes: int(h.MaxHeaderBytes),
			HeaderTimeout:  h.HeaderTimeout,
			MaxBody:        int64(h.MaxBody),
			BodyTimeout:    h.BodyTimeout,
			WriteTimeout:   h.WriteTimeout,
			IdleTimeout:    h.IdleTimeout,
			MaxStreams:     h.MaxStreams,
			PingAfter:      h.PingAfter,
			PingTimeout:    h.PingTimeout,
			OutcomeTimeout: h.OutcomeTimeout,
			RetryAfter:     h.RetryAfter,
			MaxPoll:        h.MaxPoll,
			MaxBatch:       h.MaxBatch,
			LockTime:       h.LockTime,
			MaxLockTime:    h.MaxLockTime,
			MaxLocks:       h.MaxLocks,
			Heartbeat:      h.Heartbeat,
			StreamWindow:   h.StreamWindow,
			DrainTimeout:   a.config.DrainTimeout,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("http door: %w", err)
	}
	doors := []door{{name: "http", listener: a.listeners["http"], serve: server.Serve, connections: server.Connections}}
	if listener := a.listeners["https"]; listener != nil {
		settings := a.keyring.config(http.NextProtos()...)
		doors = append(doors, door{name: "https", listener: listener, serve: func(ctx context.Context, ln net.Listener) error {
			return server.ServeTLS(ctx, ln, settings)
		}})
	}
	return doors, nil
}

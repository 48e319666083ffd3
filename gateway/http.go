package gateway

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/gateway/config"
)

func (a *assembly) httpDoors() ([]door, error) {
	return a.webDoors("http", a.upgrades, false)
}

// webDoors gives the doors of one HTTP server: for its listener and, if it is open, for that of TLS. It offers protocols over
// WebSocket, perhaps nothing else.
func (a *assembly) webDoors(name string, upgrades map[string]http.Upgrade, upgradesOnly bool) ([]door, error) {
	h := &a.config.HTTP
	server, err := http.New(http.Config{
		Router:        a.router.Through("http"),
		Directory:     a.directory,
		Origins:       h.Origins,
		TenantOrigins: a.tenantOrigins(),
		Upgrades:      upgrades,
		UpgradesOnly:  upgradesOnly,
		Log:           a.log.With("door", name),
		Limits:        httpLimits(h, a.config.DrainTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("%s door: %w", name, err)
	}
	doors := []door{{name: name, listener: a.listeners[name], serve: a.after(name, h.HeaderTimeout, server.Serve)}}
	if !upgradesOnly { // else they are those of other protocols, which count them
		doors[0].connections = server.Connections
	}
	if listener := a.listeners[name+"s"]; listener != nil {
		doors = append(doors, door{
			name: name + "s", listener: listener, serve: a.after(name+"s", h.HeaderTimeout, server.Serve, http.NextProtos()...),
		})
	}
	return doors, nil
}

// tenantOrigins gives the origins of the tenants that have their own.
func (a *assembly) tenantOrigins() map[string][]string {
	all := make(map[string][]string)
	for _, t := range a.config.AllTenants() {
		if len(t.Origins) > 0 {
			all[t.Name] = t.Origins
		}
	}
	return all
}

// httpLimits gives the settings of the door in its own words.
func httpLimits(h *config.HTTP, drain time.Duration) http.Limits {
	return http.Limits{
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
		Gather:         h.Gather,
		MaxBatch:       h.MaxBatch,
		LockTime:       h.LockTime,
		MaxLockTime:    h.MaxLockTime,
		MaxLocks:       h.MaxLocks,
		Heartbeat:      h.Heartbeat,
		StreamWindow:   h.StreamWindow,
		StreamCredit:   h.StreamCredit,
		MaxQueuedBytes: int(h.MaxQueuedBytes),
		ResumeTime:     h.ResumeTime,
		DrainTimeout:   drain,
	}
}

package gateway

import (
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/stomp"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/transport"
)

func (a *assembly) stompDoors() ([]door, error) {
	server := stomp.New(stomp.Config{
		Router:    a.router.Through("stomp"),
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			Errands:      &a.errands,
			WriteTimeout: a.config.STOMP.WriteTimeout,
		}),
		Limits:  stompLimits(&a.config.STOMP),
		Version: version(),
		Log:     a.log.With("door", "stomp"),
	})
	for _, name := range stomp.Subprotocols {
		a.upgrades[name] = http.Upgrade{Serve: server.ServeConn, Text: true, Paths: []string{"/stomp", "/ws"}}
	}
	return a.doorsOf("stomp", server, a.config.STOMP.ConnectTimeout), nil
}

// stompLimits gives the settings in the door's own words.
func stompLimits(s *config.STOMP) stomp.Limits {
	return stomp.Limits{
		SessionLimits: stomp.SessionLimits{
			MaxHeaders:                  s.MaxHeaders,
			MaxHeaderLine:               int(s.MaxHeaderLine),
			MaxHeaderBytes:              int(s.MaxHeaderBytes),
			MaxHeaderBytesBeforeConnect: int(s.MaxHeaderBytesBeforeConnect),
			MaxBody:                     int(s.MaxBody),
			ConnectTimeout:              s.ConnectTimeout,
			CloseTimeout:                s.CloseTimeout,
			MinHeartBeat:                s.MinHeartBeat,
			MaxInflight:                 s.MaxInflight,
			MaxInflightBytes:            int(s.MaxInflightBytes),
			MaxSubscriptions:            s.MaxSubscriptions,
			MaxTransactions:             s.MaxTransactions,
		},
		SubscriptionCredit: s.SubscriptionCredit,
		QueueCredit:        s.QueueCredit,
		MaxPrefetch:        s.MaxPrefetch,
		MaxQueuedBytes:     int(s.MaxQueuedBytes),
		MaxSenders:         s.MaxSenders,
		MaxTemporaries:     s.MaxTemporaries,
	}
}

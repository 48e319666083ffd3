package gateway

import (
	"fmt"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/mqtt"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/transport"
)

func (a *assembly) mqttDoors() ([]door, error) {
	server, err := mqtt.New(mqtt.Config{
		Router:    a.router,
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			WriteTimeout: a.config.MQTT.WriteTimeout,
		}),
		Sessions: a.sessions,
		Limits:   mqttLimits(&a.config.MQTT),
		Log:      a.log.With("door", "mqtt"),
	})
	if err != nil {
		return nil, fmt.Errorf("mqtt door: %w", err)
	}
	a.chores = append(a.chores, server.Run)
	for _, name := range []string{"mqtt", "mqttv3.1"} {
		a.upgrades[name] = http.Upgrade{Serve: server.ServeConn, Paths: []string{"/mqtt"}}
	}
	return a.doorsOf("mqtt", server, a.config.MQTT.ConnectTimeout), nil
}

// mqttLimits gives the settings in the door's own words.
func mqttLimits(m *config.MQTT) mqtt.Limits {
	return mqtt.Limits{
		SessionLimits: mqtt.SessionLimits{
			MaxPacketSize:              int(m.MaxPacketSize),
			MaxPacketSizeBeforeConnect: int(m.MaxPacketSizeBeforeConnect),
			ConnectTimeout:             m.ConnectTimeout,
			MaxQoS:                     byte(m.MaxQoS),
			MaxInflight:                m.MaxInflight,
			MaxInflightBytes:           int(m.MaxInflightBytes),
			MaxUnacknowledged:          m.MaxUnacknowledged,
			MaxPending:                 m.MaxPending,
			MaxPendingBytes:            int(m.MaxPendingBytes),
			MaxRequests:                m.MaxRequests,
			MaxSubscriptionsPerPacket:  m.MaxSubscriptionsPerPacket,
			MaxTopicLength:             int(m.MaxTopicLength),
			TopicAliasMaximum:          m.TopicAliasMaximum,
			MaxKeepAlive:               m.MaxKeepAlive,
		},
		MaxSessionExpiry:   m.MaxSessionExpiry,
		MaxSubscriptions:   m.MaxSubscriptions,
		SubscriptionCredit: m.SubscriptionCredit,
		QueueCredit:        m.QueueCredit,
		MaxQueuedBytes:     int(m.MaxQueuedBytes),
		MaxSenders:         m.MaxSenders,
		DeliveryTimeout:    m.DeliveryTimeout,
	}
}

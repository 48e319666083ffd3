package gateway

import (
	"fmt"
	"maps"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/mqtt"
	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/transport"
)

func (a *assembly) mqttDoors() ([]door, error) {
	rules, err := rewriteRules(a.config.MQTT.Rewrite)
	if err != nil {
		return nil, fmt.Errorf("mqtt door: %w", err)
	}
	server, err := mqtt.New(mqtt.Config{
		Router:    a.router.Through("mqtt"),
		Directory: a.directory,
		Driver: transport.NewDriver(transport.Options{
			DrainTimeout: a.config.DrainTimeout,
			Errands:      &a.errands,
			WriteTimeout: a.config.MQTT.WriteTimeout,
		}),
		Sessions: a.sessions,
		Limits:   mqttLimits(&a.config.MQTT),
		Rewrite:  rules,
		Log:      a.log.With("door", "mqtt"),
		Version:  "manifold " + version(),
		Retained: a.store.Retained,
	})
	if err != nil {
		return nil, fmt.Errorf("mqtt door: %w", err)
	}
	a.mqtt = server
	a.chores = append(a.chores, server.Run)
	upgrades := make(map[string]http.Upgrade)
	for _, name := range []string{"mqtt", "mqttv3.1"} {
		upgrades[name] = http.Upgrade{Serve: server.ServeConn, Paths: []string{"/mqtt"}}
	}
	maps.Copy(a.upgrades, upgrades)
	doors := a.doorsOf("mqtt", server, a.config.MQTT.ConnectTimeout)
	if a.listeners["ws"] == nil {
		return doors, nil
	}
	web, err := a.webDoors("ws", upgrades, true)
	return append(doors, web...), err
}

func rewriteRules(settings []config.Rewrite) (rules rewrite.Rules, err error) {
	for _, r := range settings {
		rule, err := rewrite.Parse(r.Match, r.To)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
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
		MaxTopicLevels:     m.MaxTopicLevels,
		ConnectRate:        m.ConnectRate,
		PublishRate:        m.PublishRate,
		PublishBytes:       int(m.PublishBytes),
		SubscriptionCredit: m.SubscriptionCredit,
		QueueCredit:        m.QueueCredit,
		MaxQueuedBytes:     int(m.MaxQueuedBytes),
		MaxSenders:         m.MaxSenders,
		DeliveryTimeout:    m.DeliveryTimeout,
		SystemInterval:     m.SystemInterval,
		ResponseTopics:     m.ResponseTopics,
		ServerReference:    m.ServerReference,
		ServerMoved:        m.ServerMoved,
		HideReasons:        m.HideReasons,
	}
}

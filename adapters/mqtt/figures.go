package mqtt

import (
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// figures are what $SYS topics tell of one tenant, at one moment.
type figures struct {
	at            time.Time
	version       string
	uptime        time.Duration
	connected     int
	sessions      int
	subscriptions int
	retained      int
	received      uint64
	sent          uint64
}

// figure is one topic with what it says.
type figure struct {
	topic   addressing.Address
	payload string
}

// all gives the topics, named as other brokers do.
func (f *figures) all() []figure {
	return []figure{
		{"$SYS/broker/version", f.version},
		{"$SYS/broker/uptime", strconv.Itoa(int(f.uptime/time.Second)) + " seconds"},
		{"$SYS/broker/clients/connected", strconv.Itoa(f.connected)},
		{"$SYS/broker/clients/disconnected", strconv.Itoa(f.sessions - f.connected)},
		{"$SYS/broker/clients/total", strconv.Itoa(f.sessions)},
		{"$SYS/broker/subscriptions/count", strconv.Itoa(f.subscriptions)},
		{"$SYS/broker/retained messages/count", strconv.Itoa(f.retained)},
		{"$SYS/broker/messages/received", strconv.FormatUint(f.received, 10)},
		{"$SYS/broker/messages/sent", strconv.FormatUint(f.sent, 10)},
	}
}

// figuresOf gives the figures of a tenant, not older than a second: to count them is to look at every session.
func (s *Server) figuresOf(tenant string, now time.Time) *figures {
	s.mu.Lock()
	f := s.figures[tenant]
	s.mu.Unlock()
	if f != nil && now.Sub(f.at) < time.Second {
		return f
	}
	f = &figures{at: now, version: s.config.Version, uptime: now.Sub(s.started), retained: s.config.Retained(tenant)}
	f.received, f.sent = traffic(s.config.Router.Counters(tenant))
	s.census(tenant, f)
	return f
}

// census counts the clients of a tenant, and keeps the figures for others who ask.
func (s *Server) census(tenant string, f *figures) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, place := range s.seats {
		if key.tenant != tenant || place.client == nil {
			continue
		}
		f.sessions++
		if place.holder != nil {
			f.connected++
		}
		f.subscriptions += int(place.client.subscribed.Load())
	}
	s.figures[tenant] = f
}

// traffic counts the messages of a tenant, whatever their protocol.
func traffic(c *router.Counters) (received, sent uint64) {
	for kind := range addressing.Topic + 1 {
		k := c.Kind(kind)
		for _, state := range []router.State{router.Accepted, router.Released, router.Rejected, router.Modified} {
			received += k.Ended(state)
		}
		sent += k.Delivered()
	}
	return received, sent
}

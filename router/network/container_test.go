package network

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// hall is the door's end of a connection of a container: what it hears is the network's.
type hall struct {
	*engine.Conn
	*Guest
	network *Network
	tenant  string
	wake    func()
	desk    *passage.Desk
}

// doorman is a hall as the engine's events find it.
type doorman struct {
	engine.Handler // the guest, from Opened on
	hall           *hall
}

func (d *doorman) Opened(*frame.Open) {
	d.hall.Open(frame.Open{})
	d.hall.Guest = d.hall.network.Host("brokers", d.hall.tenant, d.hall.Conn, d.hall.desk, d.hall.wake)
	d.Handler = d.hall.Guest
}

func (d *doorman) Closed(engine.Ending) {}

func (h *hall) Advance(now time.Time) error {
	if h.Guest != nil {
		h.Guest.Advance(now)
	}
	return h.Conn.Advance(now)
}

func (h *hall) Deadline() time.Time {
	next := h.Conn.Deadline()
	if h.Guest != nil {
		next = earlier(next, h.Guest.Deadline())
	}
	return next
}

func (h *hall) Flush(dst []byte) []byte {
	h.desk.Work()
	if h.Guest != nil {
		h.Work()
	}
	dst = h.Conn.Flush(dst)
	h.desk.Written()
	return dst
}

func (h *hall) Closed() bool        { return h.Conn.Closed() }
func (h *hall) Drain(now time.Time) { h.Conn.Drain(now) }

// comes has a broker connect to us, as a user of a tenant. It gives what ends that.
func (s *site) comes(b *broker, tenant, container string) (leave func()) {
	near, far := net.Pipe()
	limits, ended := engine.DefaultLimits(), make(chan struct{}, 2)
	go func() {
		var h *hall
		b.driver.Serve(s.t.Context(), near, func(wake func()) transport.Engine {
			h = &hall{network: s.network, tenant: tenant, wake: wake}
			h.Conn = engine.NewServer(time.Now(), &limits, engine.Server{ContainerID: "here"}, passage.Handler(&doorman{hall: h}))
			h.desk = passage.NewDesk(h.Conn, wake)
			return h
		})
		h.Lost()
		h.desk.Close()
		h.Leave()
		ended <- struct{}{}
	}()
	go func() {
		var c *client
		b.driver.Serve(s.t.Context(), far, func(wake func()) transport.Engine {
			c = &client{broker: b}
			c.commands.Init(wake)
			c.Conn = engine.NewClient(time.Now(), &b.limits, engine.Client{}, events{c})
			c.Open(frame.Open{ContainerID: container})
			return c
		})
		c.Lost()
		ended <- struct{}{}
	}()
	synctest.Wait()
	return func() {
		far.Close()
		near.Close()
		<-ended
		<-ended
	}
}

// TestBrokerThatConnectsToUsIsAContainer: links are there by what it calls itself, and by the listener, while it is there.
func TestBrokerThatConnectsToUsIsAContainer(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		byID, byListener := out("orders", "q"), in("orders", "p")
		byID.Connector, byID.Container = "", "shard"
		byListener.Connector = "brokers"
		s.define(byID, byListener)
		s.network.DefineRoutes([]LinkRoute{{Tenant: "default", Pattern: "a/#", Container: "shard"}})
		b := newBroker()
		leave := s.comes(b, "default", "shard")
		s.attached(2)
		if r := s.network.LinkRoutes()[0]; !r.Active {
			t.Errorf("the link route is %+v", r)
		}
		p := s.links.Sender("orders")
		p.Send("one")
		p.Accepted(1)
		s.has(b, "q", "one")
		leave()
		if r := s.network.LinkRoutes()[0]; r.Active {
			t.Errorf("the link route is %+v when the broker has gone", r)
		}
		for _, l := range s.network.AutoLinks() {
			if l.Attached {
				t.Errorf("%+v is attached when the broker has gone", l)
			}
		}
		if len(s.network.guests) > 0 {
			t.Error("it is not forgotten")
		}
	})
}

// TestContainerIsOfItsTenant: nothing of another one's leads to it, whatever it calls itself.
func TestContainerIsOfItsTenant(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		byID, byListener := out("orders", "q"), out("orders", "p")
		byID.Connector, byID.Container = "", "shard"
		byListener.Connector = "brokers"
		s.define(byID, byListener)
		s.network.DefineRoutes([]LinkRoute{
			{Tenant: "default", Pattern: "a/#", Container: "shard"}, {Tenant: "default", Pattern: "b/#", Connector: "brokers"},
			{Tenant: "blue", Pattern: "a/#", Container: "shard"},
		})
		defer s.comes(newBroker(), "blue", "shard")()
		s.define(byID, byListener, out("orders", "other")) // the last is there: whatever was to be would be
		synctest.Wait()
		for _, l := range s.network.AutoLinks() {
			if l.Attached != (l.External == "other") {
				t.Errorf("%+v", l)
			}
		}
		for _, r := range s.network.LinkRoutes() {
			if r.Active != (r.Tenant == "blue") {
				t.Errorf("the link route is %+v", r)
			}
		}
	})
}

// TestConnectorIsKnownByItsContainer: the broker behind a connector is a container as well.
func TestConnectorIsKnownByItsContainer(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		l := out("orders", "q")
		l.Connector, l.Container = "", "broker"
		s.define(l)
		s.attached(1)
		p := s.links.Sender("orders")
		p.Send("one")
		p.Accepted(1)
		s.has(s.brokers["a:5672"], "q", "one")
		s.define()
		if len(s.network.AutoLinks()) > 0 {
			t.Error("a link that is not declared any more is there")
		}
	})
}

// TestAutomaticLinksThatAreAlikeHaveNamesOfTheirOwn: with one name they would be one link to the broker.
func TestAutomaticLinksThatAreAlikeHaveNamesOfTheirOwn(t *testing.T) {
	one := AutoLink{Tenant: "default", Address: "jobs", External: "jobs"}
	other := one
	other.Name = "other"
	if one.name() == other.name() {
		t.Errorf("both are %q", one.name())
	}
}

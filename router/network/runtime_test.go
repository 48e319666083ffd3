package network

import (
	"testing"
	"testing/synctest"
)

func TestConnectorComesAndGoes(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["b:5672"]
		l := out("orders", "q")
		l.Connector = "late"
		s.network.Define([]AutoLink{l})
		late := Connector{Name: "late", Hosts: []string{"b:5672"}, Login: Login{Password: "secret"}, Limits: DefaultLimits()}
		if err := s.network.Connect(late); err != nil {
			t.Fatal(err)
		}
		if s.network.Connect(late) == nil {
			t.Error("two connectors have the same name")
		}
		s.attached(1)
		p := s.links.Sender("orders")
		p.Send("one")
		p.Accepted(1)
		s.has(b, "q", "one")
		status := s.network.Connectors()
		if len(status) != 3 || !status[2].Open || status[2].ID == 0 || status[2].Login.Password != "" {
			t.Errorf("the connectors are %+v", status)
		}
		number := s.network.AutoLinks()[0].ID

		if !s.network.Disconnect("late") || s.network.Disconnect("late") {
			t.Error("a connector is taken away twice, or never")
		}
		synctest.Wait()
		if links := s.network.AutoLinks(); len(links) != 1 || links[0].Attached || links[0].ID != number {
			t.Errorf("without their connector the links are %+v", links)
		}
		if err := s.network.Connect(late); err != nil {
			t.Fatal(err)
		}
		s.attached(1)
		p.Send("two")
		p.Accepted(1)
		s.has(b, "q", "one", "two")
		if dials := b.dials; dials != 3 { // one is that of the connector b
			t.Errorf("%d connections were made, want 3", dials)
		}
	}, []string{"a:5672"}, []string{"b:5672"})
}

func TestConnectorThatComesTooLateIsNotKept(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		synctest.Wait()
		s.stop()
		if err := s.network.Connect(Connector{Name: "late", Hosts: []string{"a:5672"}, Limits: DefaultLimits()}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if dials := s.brokers["a:5672"].dials; dials != 1 {
			t.Errorf("%d connections were made, want 1", dials)
		}
	})
}

package gateway

import (
	"context"
	"crypto/tls"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/tenancy"
)

// registerPage is how many connections or links are asked for at a time.
const registerPage = 500

// Connections implements management.Model.
func (m *managedTenant) Connections(offset int) iter.Seq[management.Connection] {
	return func(yield func(management.Connection) bool) {
		for _, c := range m.connectionsMade() { // which seldom change, so that pages fit together
			if offset--; offset < 0 && !yield(m.traced(c)) {
				return
			}
		}
		after, containers := uint64(0), m.network.Containers()
		for {
			page := m.directory.Visits(m.name, after, registerPage)
			for _, v := range page {
				if v.Dismissed() { // it goes as soon as its client does
					continue
				}
				if offset--; offset < 0 && !yield(m.traced(connectionOf(v, containers))) {
					return
				}
			}
			if len(page) < registerPage {
				return
			}
			after = page[len(page)-1].ID()
		}
	}
}

// Connection implements management.Model.
func (m *managedTenant) Connection(identity string) (c management.Connection, ok bool) {
	id, err := strconv.ParseUint(identity, 10, 64)
	if err != nil {
		return c, false
	}
	if v, ok := m.directory.Visit(m.name, id); ok && !v.Dismissed() {
		return m.traced(connectionOf(v, m.network.Containers())), true
	}
	for _, c := range m.connectionsMade() {
		if c.Identity == identity {
			return m.traced(c), true
		}
	}
	return c, false
}

// connectionOf describes a connection, which may be among those of containers.
func connectionOf(v *tenancy.Visit, containers map[uint64]bool) management.Connection {
	traffic := v.Traffic()
	c := management.Connection{
		Names: management.Names{Name: "connection/" + v.Address().String(), Identity: strconv.FormatUint(v.ID(), 10)},
		Host:  v.Address().String(), Container: v.Client(), Protocol: strings.ToLower(v.Protocol()),
		Role: "normal", Dir: "in", Opened: true, Active: true, AdminStatus: "enabled", OperStatus: "up",
		IsAuthenticated: v.User() != "", User: v.User(), SASL: "PLAIN", Tenant: v.Tenant(),
		Properties:    v.About(),
		UptimeSeconds: int(time.Since(v.Since()).Seconds()),
		MessagesIn:    traffic.MessagesIn, MessagesOut: traffic.MessagesOut, BytesIn: traffic.BytesIn, BytesOut: traffic.BytesOut,
	}
	if containers[v.ID()] {
		c.Role = network.RouteContainer.String()
	}
	if at, ok := v.LastDelivery(); ok {
		c.LastDlvSeconds = new(int(time.Since(at).Seconds()))
	}
	if c.User == "" {
		c.User, c.SASL = "anonymous", tenancy.MechanismAnonymous
	}
	if version := v.TLS(); version != 0 {
		c.IsEncrypted, c.SSL, c.SSLProto = true, true, new(tls.VersionName(version))
	}
	return c
}

// Dismiss implements management.Model.
func (m *managedTenant) Dismiss(_ context.Context, identity string) error {
	id, _ := strconv.ParseUint(identity, 10, 64)
	v, ok := m.directory.Visit(m.name, id)
	if !ok {
		return router.Errorf(router.Denied, "connections with routers and brokers are not ended: delete the connector")
	}
	v.Dismiss(tenancy.ByAdministrator)
	e := m.who()
	e.Event, e.Tenant, e.What, e.Name, e.Change = "changed", m.name, "connection", identity, "closed"
	m.record(e)
	return nil
}

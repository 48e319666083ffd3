package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
)

// Connectors implements management.Model: they are of those who run the gateway.
func (m *managedTenant) Connectors() (all []management.Connector) {
	if !m.isOperators() {
		return nil
	}
	for _, s := range m.network.Connectors() {
		c := connectorOf(&s)
		if s.TLS != nil {
			c.SSLProfile = new(m.profiles.of(s.Name))
		}
		all = append(all, c)
	}
	return all
}

// connectorOf describes a connector.
func connectorOf(s *network.ConnectorStatus) management.Connector {
	host, port, _ := net.SplitHostPort(s.Hosts[0])
	identity := connectorName(s.Hosts[0])
	if s.Name != identity {
		identity += ":" + s.Name
	}
	c := management.Connector{
		Names: management.Names{Name: s.Name, Identity: identity},
		Host:  host, Port: port, Role: s.Role.String(), Cost: max(s.Cost, 1), VerifyHostname: true, StripAnnotations: "no",
		SASLMechanisms: strings.Join(s.Login.Mechanisms, " "), SASLUsername: s.Login.User,
		MaxFrameSize: int(s.Limits.MaxFrameSize), MaxSessions: int(s.Limits.ChannelMax) + 1,
		LinkCapacity: new(s.Limits.MaxUnsettled), IdleTimeoutSeconds: int(s.Limits.IdleTimeout.Seconds()),
		ConnectionStatus: "CONNECTING", MessageLoggingComponents: "none",
	}
	c.FailoverURLs, c.OpenProperties = failoverOf(s), s.Greeting
	switch {
	case s.Open:
		c.ConnectionStatus = "SUCCESS"
		c.ConnectionMsg = fmt.Sprintf("Connection Opened: dir=out host=%s container_id=%s", s.Host, s.Container)
	case s.Error != "":
		c.ConnectionMsg = fmt.Sprintf("Connection to %s failed: %s", s.Host, s.Error)
	}
	return c
}

// connectorName is that of a connector that nobody has named, by its first host.
func connectorName(host string) string { return "connector/" + host }

// failoverOf gives all places where a connector tries, in their order, from the one on where it is.
func failoverOf(s *network.ConnectorStatus) string {
	scheme := "amqp://"
	if s.TLS != nil {
		scheme = "amqps://"
	}
	var urls []string
	all := slices.Concat(s.Hosts, s.Told)
	from := max(slices.Index(all, s.Host), 0)
	for i := range all {
		urls = append(urls, scheme+all[(from+i)%len(all)])
	}
	return strings.Join(urls, ", ")
}

// connectionsMade are the connections of now that are no clients': those that connectors have made, and those of routers.
func (m *managedTenant) connectionsMade() (all []management.Connection) {
	if !m.isOperators() {
		return nil
	}
	neighbors, standby := m.network.Neighbors(), make(map[string]bool)
	for _, n := range neighbors {
		if n.Connector == "" {
			all = append(all, connectionTaken(&n))
		} else {
			standby[n.Connector] = n.Role == network.Edge && !n.Used
		}
	}
	for _, s := range m.network.Connectors() {
		if s.Open {
			made := connectionMade(&s)
			if host, port, err := net.SplitHostPort(s.Host); m.isDispatch() && err == nil {
				made.Host = host + ":" + port // without brackets, also of an IPv6 address
			}
			made.Active = !standby[s.Name]
			all = append(all, made)
		}
	}
	return all
}

// connectionTaken describes the connection of a router that has connected to this one.
func connectionTaken(n *network.NeighborStatus) management.Connection {
	return management.Connection{
		Names: management.Names{Name: "connection/" + n.Host, Identity: strconv.FormatUint(n.ID, 10)},
		Host:  n.Host, Container: n.Container, Protocol: "amqp", Role: n.Role.String(), Dir: "in",
		Opened: true, Active: true, AdminStatus: "enabled", OperStatus: "up", User: "anonymous", SASL: "ANONYMOUS",
		UptimeSeconds: int(time.Since(n.Since).Seconds()),
	}
}

// connectionMade describes the connection of a connector.
func connectionMade(s *network.ConnectorStatus) management.Connection {
	secured := s.TLS != nil
	c := management.Connection{
		Names: management.Names{Name: "connection/" + s.Host, Identity: strconv.FormatUint(s.ID, 10)},
		Host:  s.Host, Container: s.Container, Protocol: "amqp", Role: s.Role.String(), Dir: "out",
		Opened: true, Active: true, AdminStatus: "enabled", OperStatus: "up",
		IsAuthenticated: s.Login.User != "", User: cmp.Or(s.Login.User, "anonymous"), SASL: "ANONYMOUS",
		IsEncrypted: secured, SSL: secured, UptimeSeconds: int(time.Since(s.Since).Seconds()),
	}
	if c.IsAuthenticated {
		c.SASL = "PLAIN"
	}
	return c
}

// Connect implements management.Model.
func (m *managedTenant) Connect(_ context.Context, c management.Connector) (management.Connector, error) {
	if err := m.reachesOut("connectors"); err != nil {
		return c, err
	}
	declared := config.Connector{
		User: c.SASLUsername, Mechanisms: strings.FieldsFunc(c.SASLMechanisms, isSeparator), Cost: c.Cost,
		MaxFrameSize: config.Size(c.MaxFrameSize), MaxSessions: c.MaxSessions,
		IdleTimeout: time.Duration(c.IdleTimeoutSeconds) * time.Second,
	}
	if err := m.secure(&declared, &c); err != nil {
		return c, err
	}
	var err error
	if declared.OpenProperties, err = propertiesOf(c.OpenProperties); err != nil {
		return c, err
	}
	declared.FollowFailover = m.isDispatch()
	port, err := net.LookupPort("tcp", c.Port)
	if err != nil {
		return c, router.Errorf(router.Malformed, "port %.40q is neither a number nor a service", c.Port)
	}
	at := net.JoinHostPort(c.Host, strconv.Itoa(port))
	declared.Hosts = []string{at}
	if m.isDispatch() {
		declared.Name = cmp.Or(c.Name, connectorName(at))
	} else {
		declared.Name = labelOf(cmp.Or(c.Name, at))
	}
	if err := m.connect(&c, declared); err != nil {
		return c, err
	}
	m.profiles.use(declared.Name, c.SSLProfile)
	m.note("connector", declared.Name, "made")
	for _, made := range m.Connectors() {
		if made.Name == declared.Name {
			return made, nil
		}
	}
	return c, router.Errorf(router.NotFound, "it has just been taken away")
}

// secure adds what a connector shows, and whom it trusts.
func (m *managedTenant) secure(declared *config.Connector, c *management.Connector) (err error) {
	if c.SASLPassword != nil {
		if declared.Password, declared.PasswordFile, err = m.passwordOf(*c.SASLPassword); err != nil {
			return err
		}
	}
	if c.SSLProfile != nil {
		declared.TLS, err = m.sslProfile(*c.SSLProfile)
	}
	return err
}

// connect begins to keep a connection.
func (m *managedTenant) connect(asked *management.Connector, declared config.Connector) error {
	if err := declared.Role.UnmarshalText([]byte(asked.Role)); err != nil {
		return router.Errorf(router.Malformed, "role: %v", err)
	}
	if between := declared.Role == network.InterRouter || declared.Role == network.Edge; between && m.network.RouterID() == "" {
		return router.Errorf(router.Malformed, "role=%s is not allowed: the gateway is not in a network of routers", asked.Role)
	}
	if declared.Cost < 1 {
		return router.Errorf(router.Malformed, "cost %d is below 1", declared.Cost)
	}
	limits := m.config.Network.Limits()
	if most := asked.LinkCapacity; most != nil {
		if *most < 1 || *most > config.MaxUnsettled {
			return router.Errorf(router.Malformed, "linkCapacity %d is not one of 1 to %d", *most, config.MaxUnsettled)
		}
		limits.MaxUnsettled = *most
	}
	if err := declared.Check(m.config.AMQP.Manner); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	c, err := declared.Connector(limits)
	if err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	if err := m.network.Connect(c); err != nil {
		return router.Errorf(router.Conflict, "%v", err)
	}
	return nil
}

// labelOf makes a name of a text that has something else than names have.
func labelOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (r == '-' || r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, text)
}

// isSeparator tells what is between the items of a list, as Dispatch writes it.
func isSeparator(r rune) bool { return r == ' ' || r == ',' }

// Disconnect implements management.Model.
func (m *managedTenant) Disconnect(_ context.Context, identity string) error {
	for _, c := range m.Connectors() {
		if c.Identity == identity && m.network.Disconnect(c.Name) {
			m.profiles.use(c.Name, nil)
			m.note("connector", c.Name, "deleted")
			return nil
		}
	}
	return router.Errorf(router.NotFound, "there is no connector %q", identity)
}

// AutoLinks implements management.Model.
func (m *managedTenant) AutoLinks() (all []management.AutoLink) {
	for _, s := range m.network.AutoLinks() {
		if s.Tenant == m.name {
			all = append(all, autoLinkOf(&s))
		}
	}
	return all
}

// autoLinkOf describes an automatic link.
func autoLinkOf(s *network.AutoLinkStatus) management.AutoLink {
	id := strconv.FormatUint(s.ID, 10)
	address := string(s.Address)
	if s.Subscription != "" {
		address += "::" + s.Subscription
	}
	l := management.AutoLink{
		Names:   management.Names{Name: cmp.Or(s.Name, "autoLink/"+id), Identity: id},
		Address: address, Addr: address,
		Heading:     management.Heading{Direction: s.Direction.String(), Dir: s.Direction.String()},
		Destination: management.Destination{Connection: s.Connector, ContainerID: s.Container},
		Phase:       int(s.Phase), Fallback: s.Fallback, OperStatus: "inactive",
	}
	if s.External != address {
		l.ExternalAddress, l.ExternalAddr = s.External, s.External
	}
	switch {
	case s.Attached:
		l.OperStatus, l.LinkRef = "active", new(linkIdentity+strconv.FormatUint(s.Link, 10))
	case s.Error != "":
		l.OperStatus, l.LastError = "failed", new(withoutCondition(s.Error))
	}
	return l
}

// withoutCondition takes the condition of AMQP off an error that somebody has given, as Dispatch shows its description only.
func withoutCondition(text string) string {
	condition, description, ok := strings.Cut(text, ": ")
	if !ok || !strings.HasPrefix(condition, "amqp:") || strings.Contains(condition, " ") {
		return text
	}
	return description
}

// AddAutoLink implements management.Model.
func (m *managedTenant) AddAutoLink(_ context.Context, l management.AutoLink) (management.AutoLink, error) {
	if err := m.reachesOut("automatic links"); err != nil {
		return l, err
	}
	var way network.Direction
	if err := way.UnmarshalText([]byte(l.Direction)); err != nil {
		return l, router.Errorf(router.Malformed, "direction: %v", err)
	}
	text, _, _ := strings.Cut(l.Address, "::")
	if _, err := addressing.ParseAddress(text); err != nil {
		return l, router.Errorf(router.Malformed, "address: %v", err)
	}
	declared := config.AutoLink{
		Name: l.Name, Tenant: m.name, Address: l.Address, Direction: way, Phase: l.Phase, Fallback: l.Fallback,
		Connector: l.Connection, ContainerID: l.ContainerID, ExternalAddress: l.ExternalAddress,
	}
	status, err := m.autoLinks.add(declared.Link())
	if err != nil {
		return l, err
	}
	made := autoLinkOf(&status)
	m.note("autoLink", made.Name, "made")
	return made, nil
}

// RemoveAutoLink implements management.Model.
func (m *managedTenant) RemoveAutoLink(_ context.Context, identity string) error {
	if err := m.reachesOut("automatic links"); err != nil {
		return err
	}
	all := m.network.AutoLinks()
	i := slices.IndexFunc(all, func(s network.AutoLinkStatus) bool { return m.has(s.Tenant, s.ID, identity) })
	if i < 0 {
		return router.Errorf(router.NotFound, "there is no automatic link %q", identity)
	}
	err := m.autoLinks.remove(all[i].AutoLink)
	if err == nil {
		m.note("autoLink", cmp.Or(all[i].Name, identity), "deleted")
	}
	return err
}

// has tells whether a link, or link route, of a tenant and with a number is the tenant's one of an identity.
func (m *managedTenant) has(tenant string, number uint64, identity string) bool {
	return tenant == m.name && strconv.FormatUint(number, 10) == identity
}

// note keeps a record of what the asker has done with something that lasts as long as the process.
func (m *managedTenant) note(what, name, change string) {
	e := m.who()
	e.Event, e.Tenant, e.What, e.Name, e.Change = "changed", m.name, what, name, change
	m.record(e)
}

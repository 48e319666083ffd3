package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy"
)

// Listeners implements management.Model.
func (m *managedTenant) Listeners() (all []management.Listener) {
	for _, d := range m.doors {
		all = append(all, m.listenerOf(d))
	}
	for _, d := range m.made.list() {
		l := m.listenerOf(d.door)
		m.describeListener(&l, &d.declared)
		l.SSLProfile = d.profile
		all = append(all, l)
	}
	return all
}

// Listen implements management.Model.
func (m *managedTenant) Listen(_ context.Context, l management.Listener) (management.Listener, error) {
	if err := m.reachesOut("listeners"); err != nil {
		return l, err
	}
	if m.opening == nil {
		return l, router.Errorf(router.Unsupported, "the AMQP door is not enabled (amqp.enabled)")
	}
	port, err := net.LookupPort("tcp", l.Port)
	if err != nil {
		return l, router.Errorf(router.Malformed, "port %.40q is neither a number nor a service", l.Port)
	}
	declared := config.AMQPListener{
		Name: labelOf(cmp.Or(l.Name, net.JoinHostPort(l.Host, l.Port))), Host: l.Host, Port: port, Role: l.Role, Cost: l.Cost,
		Mechanisms: strings.FieldsFunc(l.SASLMechanisms, isSeparator), Annotations: annotationsOf[l.StripAnnotations],
		TLS: l.SSLProfile != "", LinkCredit: l.LinkCapacity, MaxFrameSize: config.Size(l.MaxFrameSize), MaxSessions: l.MaxSessions,
		IdleTimeout:      time.Duration(l.IdleTimeoutSeconds) * time.Second,
		HandshakeTimeout: time.Duration(l.InitialHandshakeTimeoutSeconds) * time.Second,
	}
	if declared.OpenProperties, err = propertiesOf(l.OpenProperties); err != nil {
		return l, err
	}
	for text := range strings.SplitSeq(l.FailoverURLs, ",") {
		if text = strings.TrimSpace(text); text != "" {
			declared.Failover = append(declared.Failover, text)
		}
	}
	if l.AuthenticatePeer {
		declared.Authenticate()
	}
	if declared.Secure.Optional = declared.TLS && !l.RequireSSL && !l.RequireEncryption; declared.Secure.Optional && !m.isDispatch() {
		return l, router.Errorf(router.Unsupported, "a listener with an sslProfile requires it (requireSsl)")
	}
	declared.AskForCertificates()
	if slices.ContainsFunc(m.Listeners(), func(other management.Listener) bool { return other.Name == declared.Name }) {
		return l, router.Errorf(router.Conflict, "there is a listener %q already", declared.Name)
	}
	if err := m.open(declared, l.SSLProfile); err != nil {
		return l, err
	}
	m.note("listener", declared.Name, "made")
	for _, made := range m.Listeners() {
		if made.Name == declared.Name {
			made.Host = l.Host
			return made, nil
		}
	}
	return l, router.Errorf(router.NotFound, "it has just been closed")
}

// propertiesOf gives what is to be told in open.
func propertiesOf(asked amqp.RawValue) (p config.Properties, err error) {
	if len(asked) == 0 {
		return p, nil
	}
	text, err := json.Marshal(amqp.JSONValue(asked.Value()))
	if err == nil {
		p, err = config.ParseProperties(text)
	}
	if err != nil {
		return p, router.Errorf(router.Malformed, "openProperties: %v", err)
	}
	return p, nil
}

// annotationsOf gives our word for what Dispatch calls stripAnnotations.
var annotationsOf = map[string]string{
	"both": config.StripAnnotations, "in": config.StripAnnotationsIn, "out": config.StripAnnotationsOut, "no": config.KeepAnnotations,
}

// open opens a listener and has it served, by TLS if there is a profile.
func (m *managedTenant) open(declared config.AMQPListener, profile string) error {
	if err := declared.Check(m.network.RouterID() != ""); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	host := declared.Host
	if !m.isDispatch() {
		host = cmp.Or(host, m.config.Listen)
		if m.isPrivate() && !config.IsLoopback(host) {
			return router.Errorf(router.Denied, "only this machine reaches the gateway (listen), where nobody is told apart")
		}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(declared.Port)))
	if err != nil {
		return router.Errorf(router.Malformed, "it cannot listen there: %v", cause(err))
	}
	d := &madeDoor{declared: declared, profile: profile}
	if d.door, err = m.secureDoor(&d.declared, profile); err == nil {
		d.listener = listener
		err = m.made.add(d)
	}
	if err != nil {
		listener.Close()
		return err
	}
	return nil
}

// secureDoor gives the door of a listener, which shows what a profile says; empty for none.
func (m *managedTenant) secureDoor(declared *config.AMQPListener, profile string) (door, error) {
	if profile == "" {
		return m.amqpDoor(m.opening, declared, m.security, declared.Alone())
	}
	files, err := m.sslProfile(profile)
	if err != nil {
		return door{}, err
	}
	s, err := m.security.showing(files.Pair("sslProfile "+profile), m.config.TLS.OCSPStapling)
	if err != nil {
		return door{}, router.Errorf(router.Malformed, "%v", err)
	}
	d, err := m.amqpDoor(m.opening, declared, s, declared.Alone())
	if err == nil {
		d.serve = s.attended(d.serve)
	}
	return d, err
}

// Close implements management.Model.
func (m *managedTenant) Close(_ context.Context, name string) error {
	if m.isOperators() && m.made.remove(name) {
		m.note("listener", name, "deleted")
		return nil
	}
	return router.Errorf(router.Denied, "what the configuration declares can only be changed there")
}

// listenerOf describes a door.
func (m *managedTenant) listenerOf(d door) management.Listener {
	host, port, _ := net.SplitHostPort(d.addr().String())
	protocol, secured := spokenAt(d.name)
	identity := "listener/" + d.name
	l := management.Listener{
		Names: management.Names{Name: identity, Identity: identity},
		Host:  host, Port: port, Protocol: protocol, Role: "normal", Cost: 1, OperStatus: "up",
		AuthenticatePeer: !m.tenant.Anonymous, RequireEncryption: secured, RequireSSL: secured, MultiTenant: true,
		HTTP: protocol == "http", Websockets: protocol == "http" || protocol == "ws", StripAnnotations: "no",
		LinkCapacity: m.config.Limits.LinkCredit,
	}
	if secured {
		l.SSLProfile = gatewayProfile
	}
	if protocol == "amqp" {
		m.describeAMQP(&l, &m.config.AMQP)
	}
	for i := range m.config.AMQP.Listeners {
		if declared := &m.config.AMQP.Listeners[i]; declared.DoorName() == d.name {
			m.describeListener(&l, declared)
		}
	}
	return l
}

// describeAMQP adds what the settings of the AMQP door say.
func (m *managedTenant) describeAMQP(l *management.Listener, c *config.AMQP) {
	l.MaxFrameSize, l.MaxSessions = int(c.MaxFrameSize), c.ChannelMax+1
	l.IdleTimeoutSeconds = int(c.IdleTimeout.Seconds())
	l.InitialHandshakeTimeoutSeconds = int(c.HandshakeTimeout.Seconds())
	visitor := tenancy.Visitor{Tenant: m.name, Private: l.RequireEncryption}
	l.SASLMechanisms = strings.Join(m.directory.Mechanisms(visitor), " ")
}

// describeListener adds what one of several AMQP listeners says of itself.
func (m *managedTenant) describeListener(l *management.Listener, declared *config.AMQPListener) {
	settings := declared.Limits(m.config.AMQP)
	l.Protocol, l.RequireEncryption = "amqp", declared.TLS && !declared.Secure.Optional
	l.RequireSSL = l.RequireEncryption
	if declared.TLS {
		l.SSLProfile = gatewayProfile
	}
	m.describeAMQP(l, &settings)
	l.Role, l.Cost = cmp.Or(declared.Role, "normal"), cmp.Or(declared.Cost, 1)
	if l.MultiTenant = declared.Tenant == ""; m.isDispatch() {
		l.MultiTenant = declared.MultiTenant
	}
	l.LinkCapacity = cmp.Or(declared.LinkCredit, l.LinkCapacity)
	if len(declared.Mechanisms) > 0 {
		l.SASLMechanisms = strings.Join(declared.Mechanisms, " ")
	}
	switch {
	case declared.StripsIn() && declared.StripsOut():
		l.StripAnnotations = "both"
	case declared.StripsIn():
		l.StripAnnotations = "in"
	case declared.StripsOut():
		l.StripAnnotations = "out"
	}
	l.FailoverURLs, l.OpenProperties = strings.Join(declared.Failover, ", "), declared.OpenProperties.AMQP()
	l.HTTP, l.Websockets = declared.Web.Enabled, declared.Web.WebSockets
	l.Name = declared.Name
	if ip := net.ParseIP(l.Host); ip != nil && ip.IsUnspecified() {
		l.Host = net.IPv4zero.String()
	}
	l.Identity = "listener/" + l.Host + ":" + l.Port + ":" + declared.Name
}

// spokenAt gives what is spoken at a door by its name, and whether over TLS.
func spokenAt(door string) (protocol string, secured bool) {
	base, transport, _ := strings.Cut(door, "+")
	protocol, secured = strings.CutSuffix(base, "s")
	if transport != "" {
		protocol += "+" + transport
	}
	return protocol, secured
}

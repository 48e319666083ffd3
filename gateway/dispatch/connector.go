package dispatch

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
)

// connector translates a connection that is kept to somebody.
func (t *translator) connector(e *entity) error {
	role, err := t.role(e)
	if err != nil {
		return err
	}
	port, err := portOf(e.text("port"))
	if err != nil {
		return err
	}
	host := cmp.Or(e.text("host", "addr"), "127.0.0.1")
	c := config.Connector{
		Hosts:      []string{net.JoinHostPort(host, strconv.Itoa(port))},
		User:       e.text("saslUsername"),
		Mechanisms: strings.Fields(strings.ReplaceAll(e.text("saslMechanisms"), ",", " ")),
	}
	c.Name = cmp.Or(e.text("name"), "connector/"+c.Hosts[0])
	password := t.secret(e, "saslPassword")
	c.Password, c.PasswordFile = password.In(os.Getenv), password.File
	frame, err1 := e.number(16384, "maxFrameSize")
	sessions, err2 := t.sessions(e)
	idle, err3 := e.seconds(16*time.Second, "idleTimeoutSeconds")
	if err := firstError(err1, err2, err3); err != nil {
		return err
	}
	c.MaxFrameSize, c.MaxSessions, c.IdleTimeout = config.Size(max(frame, 512)), sessions, idle
	if err := t.connectorRole(e, &c, role); err != nil {
		return err
	}
	if name := e.text("sslProfile"); name != "" {
		p, ok := t.profiles[name]
		if !ok {
			return fmt.Errorf("SSL Profile %q not found", name)
		}
		c.TLS = config.ConnectorTLS{Enabled: true, CA: p.ca, KeyPair: p.pair}
	}
	e.ignores("verifyHostname", "yes", "the name in the certificate is always looked at; tls.serverName says which one is wanted")
	e.ignores("verifyHostName", "yes", "the name in the certificate is always looked at; tls.serverName says which one is wanted")
	e.used["protocolFamily"] = true // the host decides it
	e.ignores("stripAnnotations", "both", "what routers write on messages never leaves the network over a connector")
	for name, why := range map[string]string{
		"maxSessionFrames": "network.maxUnsettled bounds what is under way",
		"linkCapacity":     "limits.linkCredit is that of all links", "allowRedirect": "nobody is followed elsewhere",
		"messageLoggingComponents": "what is in messages is never logged", "logMessage": "what is in messages is never logged",
		"policyVhost": "links that the gateway makes itself need no leave",
	} {
		e.lacks(name, why)
	}
	c.FollowFailover = true
	if c.OpenProperties, err = t.openProperties(e, role); err != nil {
		return err
	}
	t.out.Config.Network.Connectors = append(t.out.Config.Network.Connectors, c)
	return nil
}

// openProperties reads what the other side is told in open.
func (t *translator) openProperties(e *entity, role string) (p config.Properties, err error) {
	text := e.text("openProperties")
	a, ok := e.Attribute("openProperties")
	if !ok {
		return p, nil
	}
	if text != "" || a.JSON == nil {
		return p, refusal("Properties must be a map")
	}
	if p, err = config.ParseProperties(a.JSON); err != nil {
		return p, refusal("Invalid value for openProperties: %v", err)
	}
	between := role == "inter-router" || role == "edge"
	reserved := new(config.ReservedKeyError)
	switch err := p.Check(false); {
	case errors.As(err, &reserved):
		return p, refusal("ValidationError: Reserved key '%s' not allowed in openProperties", reserved.Key)
	case err != nil:
		return p, refusal("Property keys must be ASCII encoded: %v", err)
	case between && p != "":
		return p, refusal("ValidationError: openProperties not allowed for role %s", role)
	}
	return p, nil
}

// connectorRole translates what a connection is for.
func (t *translator) connectorRole(e *entity, c *config.Connector, role string) error {
	cost, err := e.number(1, "cost")
	if err != nil {
		return err
	}
	if cost != 1 {
		c.Cost = cost
	}
	switch role {
	case "inter-router":
		c.Role = network.InterRouter
	case "edge":
		c.Role = network.Edge
	}
	return nil
}

package network

import (
	"crypto/rand"
	"fmt"
	"net"

	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// mechanisms gives the mechanisms of SASL to try for a connection, the best first.
//
// Without a list that is: with a user SCRAM, where the password does not travel, and PLAIN if nobody can listen; with a
// certificate of ours EXTERNAL; with neither ANONYMOUS.
func (c *Connector) mechanisms(host string) (all []engine.Mechanism, err error) {
	names := c.Login.Mechanisms
	if len(names) == 0 {
		names = c.usualMechanisms(host)
	}
	for _, name := range names {
		m, err := c.mechanism(name)
		if err != nil {
			return nil, fmt.Errorf("SASL %s: %w", name, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// The mechanisms that a connector knows.
const (
	scram512  = "SCRAM-SHA-512"
	scram256  = "SCRAM-SHA-256"
	plain     = "PLAIN"
	external  = "EXTERNAL"
	anonymous = "ANONYMOUS"
)

// Mechanisms are the names of the mechanisms of SASL that a connector knows.
func Mechanisms() []string { return []string{external, scram512, scram256, plain, anonymous} }

func (c *Connector) usualMechanisms(host string) (names []string) {
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	if c.Login.User != "" {
		names = []string{scram512, scram256}
		if c.TLS != nil || loopback {
			names = append(names, plain)
		}
		return names
	}
	if c.TLS != nil && (len(c.TLS.Certificates) > 0 || c.TLS.GetClientCertificate != nil) {
		return []string{external}
	}
	return []string{anonymous}
}

func (c *Connector) mechanism(name string) (engine.Mechanism, error) {
	l := &c.Login
	switch name {
	case scram512:
		return engine.WithSCRAMSHA512(l.User, l.Password, rand.Text())
	case scram256:
		return engine.WithSCRAMSHA256(l.User, l.Password, rand.Text())
	case plain:
		return engine.WithPlain(l.User, l.Password), nil
	case external:
		return engine.WithExternal(""), nil
	case anonymous:
		return engine.WithAnonymous("manifold"), nil
	}
	return nil, fmt.Errorf("it is not one of %v", Mechanisms())
}

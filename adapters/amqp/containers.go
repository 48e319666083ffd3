package amqp

import (
	"sync"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A client may want to be the only one of its container's name, as JMS clients with a client identifier do. Between
// connections that want so, the first stays, or, if the client says that, the last. See the OASIS committee
// specification "AMQP Enforcing Connection Uniqueness Version 1.0":
// https://docs.oasis-open.org/amqp/soleconn/v1.0/soleconn-v1.0.html
const (
	soleConnection  codec.Symbol = "sole-connection-for-container"
	solePolicy                   = "sole-connection-enforcement-policy"
	soleDetection                = "sole-connection-detection-policy"
	closeExisting   uint64       = 1 // of the policies; the other one is to refuse
	strongDetection uint32       = 0 // a second connection is found at once
)

// containers remembers the connections that are the only ones of their containers.
type containers struct {
	mu   sync.Mutex // guards everything below; a leaf
	sole map[containerKey]*conn
}

// containerKey names a container of a tenant.
type containerKey struct{ tenant, container string }

func (c *conn) containerKey() containerKey {
	return containerKey{c.user.Tenant.Name, c.Remote().ContainerID}
}

// claim makes c the only connection of its container. It is false when there is one that is not to be closed.
func (s *containers) claim(c *conn, closes bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.containerKey()
	former, ok := s.sole[key]
	if ok && !closes {
		return false
	}
	if ok {
		former.mail.evictions.Put(struct{}{})
	}
	if s.sole == nil {
		s.sole = make(map[containerKey]*conn)
	}
	s.sole[key], c.sole = c, true
	return true
}

// release forgets c, unless another has its container.
func (s *containers) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := c.containerKey(); s.sole[key] == c {
		delete(s.sole, key)
	}
}

// closesExisting reads what a client wants to happen to a connection that is in its way.
func closesExisting(properties codec.RawValue) bool {
	view, _ := properties.Map()
	policy, _ := view.Lookup(solePolicy)
	switch v := policy.Value().(type) {
	case uint32:
		return uint64(v) == closeExisting
	case uint64:
		return v == closeExisting
	default:
		return false
	}
}

// refuseSecond tells a client that its container has a connection. That the open is only the way to say so, it is told
// in the open.
func (c *conn) refuseSecond() {
	properties := codec.BeginFields(nil)
	properties.Bool("amqp:connection-establishment-failed", true)
	c.Open(frame.Open{Properties: properties.End()})
	info := codec.BeginFields(nil)
	info.Symbol("invalid-field", "container-id")
	c.Close(&frame.Error{
		Condition: frame.InvalidField, Description: "the container has a connection, and wants to have only one",
		Info: info.End(),
	})
}

// leave tells a client that its container has another connection now.
func (c *conn) leave() {
	info := codec.BeginFields(nil)
	info.Bool("sole-connection-enforcement", true)
	c.Close(&frame.Error{
		Condition: frame.ResourceLocked, Description: "the container has another connection, and wants to have only one",
		Info: info.End(),
	})
}

package gateway

import (
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/internal/api"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// apiConfig gives the admin API all that it shows and changes.
func (a *assembly) apiConfig(doors []door) (api.Config, error) {
	gate, err := a.adminGate()
	node := api.Node{
		Version: version(), Since: time.Now(), Level: a.process.Level, Drain: a.drain,
	}
	if a.process.Reread != nil {
		node.Reload = a.reread
	}
	for _, d := range doors {
		node.Doors = append(node.Doors, api.Door{Name: d.name, Address: d.addr().String()})
	}
	return api.Config{
		Gate: gate, Book: a.book, Directory: a.directory, Router: a.router, Store: a.store,
		Sessions: mqttSessions{a.mqtt}, Network: a.network, Node: node, Record: a.recordCaller, Note: a.noteCaller, Log: a.log.With("door", "admin"),
		Profiling: a.config.Admin.Profiling,
	}, err
}

// reread has the process read its configuration again, and takes that over.
func (a *assembly) reread() error {
	c, err := a.process.Reread()
	if err != nil {
		return err
	}
	return a.reload(c)
}

// adminGate says who is let in at the admin door.
func (a *assembly) adminGate() (api.Gate, error) {
	c := &a.config.Admin
	gate := api.Gate{Tenants: a.directory, Hosts: c.Hosts}
	switch {
	case c.Anonymous == "everybody":
		gate.Open = api.ToAnybody
	case c.Anonymous == "loopback" && !c.HasOperators():
		gate.Open = api.ToLoopback
	}
	for _, t := range c.Tokens {
		gate.Tokens = append(gate.Tokens, api.Token{Name: t.Name, Hash: t.Hash})
	}
	if len(c.Users) == 0 {
		return gate, nil
	}
	space, err := addressing.NewSpace(nil)
	if err != nil {
		return gate, err
	}
	operators := &tenancy.Tenant{Name: tenancy.DefaultTenant, Addresses: space}
	for _, u := range c.Users {
		operators.Users = append(operators.Users, tenancy.User{Name: u.Name, Credential: u.Credential})
	}
	if gate.Operators, err = tenancy.NewDirectory(operators); err != nil {
		return gate, err
	}
	gate.Operators.SlowDown(a.throttle())
	if a.audit != nil {
		gate.Operators.Tell(a.audit)
	}
	return gate, nil
}

// recordCaller keeps a record of what somebody has declared.
func (a *assembly) recordCaller(c *api.Caller, changes []declared.Difference) {
	a.recordChanges(eventOf(c), changes)
}

// noteCaller keeps a record of what somebody has done.
func (a *assembly) noteCaller(c *api.Caller, tenant, what, name, change string) {
	e := eventOf(c)
	e.Event, e.Tenant, e.What, e.Name, e.Change = "changed", tenant, what, name, change
	a.record(e)
}

// eventOf gives an event with who has done something. A user of a tenant is user@tenant.
func eventOf(c *api.Caller) audit.Event {
	e := audit.Event{User: c.Name, Protocol: "admin", Address: c.Address}
	if c.Principal != nil {
		e.User += "@" + c.Principal.Tenant.Name
	}
	return e
}

// mqttSessions are those of the MQTT door, of which there may be none.
type mqttSessions struct{ server *mqtt.Server }

var _ api.Sessions = mqttSessions{}

// Page implements api.Sessions.
func (s mqttSessions) Page(tenant, after string, most int) (all []api.Session) {
	if s.server == nil {
		return nil
	}
	for _, info := range s.server.Page(tenant, after, most) {
		session := api.Session{
			Client: info.Client, User: info.User, Connected: info.Connected, Subscriptions: info.Subscriptions,
		}
		if !info.Ends.IsZero() {
			at := info.Ends.UTC()
			session.Ends = &at
		}
		all = append(all, session)
	}
	return all
}

// Expire implements api.Sessions.
func (s mqttSessions) Expire(tenant, client string) error {
	if s.server == nil {
		return router.Errorf(router.NotFound, "there is no such session")
	}
	return s.server.Expire(tenant, client)
}

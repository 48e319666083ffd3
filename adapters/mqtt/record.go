package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/tenancy"
)

// Sessions is where sessions are kept that outlive their connection: small records of each client, by name. Its methods
// return at once. What is asked for reaches the disk in that order; done, unless nil, is called once it is there, or with
// why it is not, perhaps with locks held.
type Sessions interface {
	Put(tenant, client, name string, value []byte, done func(error))
	// Record gives what puts one on disk together with a message, for router.Sender.SendWith.
	Record(tenant, client, name string, value []byte) any
	Delete(tenant, client, name string, done func(error))
	// Forget deletes all records of a client.
	Forget(tenant, client string)
	// All visits all records, each client's in the order of their names; value is valid until visit returns.
	All(visit func(tenant, client, name string, value []byte) error) error
}

// The records of a client: one of the session, and one for each packet id in use with QoS 2, whose name is the id in
// decimal behind a letter.
const (
	sessionRecord  = ""
	receivedRecord = "r" // of a publish of the client; its value is the reason code of the PUBREC
	sentRecord     = "s" // of a publication to the client
)

// record is what is kept of a session.
type record struct {
	User          string        `json:"user,omitempty"`
	Roles         []string      `json:"roles"` // that a token gave him; null for another user
	Expiry        uint32        `json:"expiry"`
	Parted        int64         `json:"parted,omitempty"` // Unix milliseconds: when its connection ended; 0 while there is one
	Will          *session.Will `json:"will,omitempty"`
	Subscriptions []options     `json:"subscriptions,omitempty"`
}

// keepRecord keeps the session as it is, and then runs done on the connection that it has at that time.
func (c *client) keepRecord(done func(*conn, error)) {
	c.keepRecordAs(0, func(err error) {
		c.mail.errands.Put(func(now *conn) { done(now, err) })
	})
}

// keepParted keeps that the session has no connection. Nobody waits for that: if it is lost, the session lives longer.
func (c *client) keepParted(now time.Time) { c.keepRecordAs(now.UnixMilli(), nil) }

func (c *client) keepRecordAs(parted int64, done func(error)) {
	r := record{User: c.user.User, Roles: c.user.Roles(), Expiry: c.expiry, Parted: parted, Will: c.will}
	for _, s := range c.subscriptions {
		r.Subscriptions = append(r.Subscriptions, s.options)
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("a session has no encoding: %v", err))
	}
	if c.written == string(text) && done != nil {
		done(nil)
		return
	}
	c.written = string(text)
	c.server.config.Sessions.Put(c.key.tenant, c.key.id, sessionRecord, text, done)
}

// keepReceived keeps that a QoS 2 publish was taken, and then runs done.
func (c *client) keepReceived(id uint16, code session.Reason, done func(*conn)) {
	c.server.config.Sessions.Put(c.key.tenant, c.key.id, recordOf(receivedRecord, id), []byte{byte(code)}, c.errand(done))
}

// receipt is the record that keepReceived keeps when a publish was accepted.
func (c *client) receipt(id uint16) any {
	return c.server.config.Sessions.Record(c.key.tenant, c.key.id, recordOf(receivedRecord, id), []byte{byte(session.Success)})
}

// forgetReceived forgets a QoS 2 publish that the client will not send again, and then runs done.
func (c *client) forgetReceived(id uint16, done func(*conn)) {
	c.server.config.Sessions.Delete(c.key.tenant, c.key.id, recordOf(receivedRecord, id), c.errand(done))
}

// errand gives what makes the connection that the client has then run something. If the store has failed, nobody is told
// anything any more.
func (c *client) errand(run func(*conn)) func(error) {
	return func(err error) {
		if err == nil {
			c.mail.errands.Put(run)
		}
	}
}

func recordOf(kind string, id uint16) string { return kind + strconv.Itoa(int(id)) }

// recover parks the sessions that were kept at their seats.
func (s *Server) recover(now time.Time) error {
	found := make(map[clientKey]*client)
	err := s.config.Sessions.All(func(tenant, id, name string, value []byte) error {
		key := clientKey{tenant, id}
		if name == sessionRecord {
			c, err := s.parseRecord(key, value, now)
			if err != nil {
				s.config.Log.Error("a session cannot be gone on with", "tenant", tenant, "client", id, "err", err)
				return nil
			}
			found[key] = c
		} else if c := found[key]; c != nil {
			c.recoverID(name, value)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range found {
		place := &seat{client: c}
		s.seats[key] = place
		s.plan(key, place)
	}
	return nil
}

func (s *Server) parseRecord(key clientKey, value []byte, now time.Time) (*client, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, err
	}
	user, ok := s.config.Directory.Recall(key.tenant, r.User, key.id, r.Roles)
	if !ok {
		return nil, errors.New("its tenant or user is not known any more")
	}
	c := newClient(s, key, user)
	c.expiry, c.will, c.written = r.Expiry, r.Will, string(value)
	for _, o := range r.Subscriptions {
		sub := &subscription{options: o, stored: o.QoS > 0 || o.Group != "", system: s.isSystem(&o)}
		if err := c.resolveAgain(sub); err != nil {
			return nil, fmt.Errorf("filter %q: %w", o.Topic, err)
		}
		c.add(sub)
		s.join(c, sub, true)
	}
	parted := now
	if r.Parted > 0 {
		parted = time.UnixMilli(r.Parted)
	}
	c.schedule(parted)
	user.Allowance().Use(tenancy.MaxSessions, 1)
	c.counted = true
	return c, nil
}

// recoverID takes in that a packet id is in use.
func (c *client) recoverID(name string, value []byte) {
	id, err := strconv.ParseUint(name[1:], 10, 16)
	switch {
	case err != nil:
	case name[:1] == sentRecord:
		c.memory.Released = append(c.memory.Released, uint16(id))
	case len(value) == 1:
		if c.memory.Received == nil {
			c.memory.Received = make(map[uint16]session.Exchange)
		}
		c.memory.Received[uint16(id)] = session.Exchange{Code: session.Reason(value[0]), Answered: true}
	}
}

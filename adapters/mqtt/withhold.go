package mqtt

import "github.com/manifoldmq/manifold/adapters/mqtt/internal/session"

// A client goes on with QoS 2 where it was, whatever has become of this process. So nothing goes out that tells of what the
// disk does not know: a publication before its packet id is known to be in use, lest another one gets that id and is taken
// for the first; PUBREL before the delivery is known to be at its end, lest it is delivered again.

// withheld is what a connection does not write yet.
type withheld struct {
	records int    // that have to be on disk first
	output  []byte // of the session
}

// flush appends what the session has to write, unless the disk has to know of something first.
func (c *conn) flush(dst []byte) []byte {
	if c.withheld.records > 0 {
		return dst
	}
	if len(c.withheld.output) > 0 {
		dst = append(dst, c.withheld.output...)
		c.withheld.output = nil
		return dst
	}
	before := len(dst)
	dst = c.session.Flush(dst)
	if c.withheld.records > 0 {
		c.withheld.output = append([]byte(nil), dst[before:]...)
		dst = dst[:before]
	}
	return dst
}

// withhold lets nothing be written until what it gives is run on a connection of the client.
func (c *conn) withhold() func(*conn) {
	c.withheld.records++
	return func(now *conn) {
		if now == c {
			c.withheld.records--
		}
	}
}

// Sending implements session.Handler. After the end of the process it is known that the id is in use, if not for what: the
// client is sent PUBREL.
func (c *conn) Sending(id uint16) {
	if c.outlives() {
		c.server.config.Sessions.Put(c.client.key.tenant, c.id, recordOf(sentRecord, id), nil, c.errand(c.withhold()))
	}
}

// Completed implements session.Handler.
func (c *conn) Completed(id uint16) {
	if c.outlives() {
		c.server.config.Sessions.Delete(c.client.key.tenant, c.id, recordOf(sentRecord, id), nil)
	}
}

// settle ends a delivery as the client has said. What follows PUBREC waits for that, also if it could not be done: then
// the message is somebody else's.
func (c *conn) settle(o *outgoing, settled session.Settlement) {
	if settled.QoS < 2 || !c.outlives() || !o.delivery.Owned() {
		c.finish(o.inlet, &o.delivery, outcomeOf(settled))
		return
	}
	done, errands := c.withhold(), &c.mail.errands
	o.delivery.SettleThen(outcomeOf(settled), func(error) { errands.Put(done) })
	c.repay(o.inlet)
}

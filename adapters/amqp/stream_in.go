package amqp

import (
	"time"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/wire"
)

var _ wire.Inlet = (*incoming)(nil)

// Find implements wire.Inlet.
func (in *incoming) Find(head codec.Message, found *router.Sender) (router.Delivery, *router.Sender, error) {
	d, names, err := in.readHead(head)
	if err == nil && found == nil {
		found, err = in.senderFor(names)
	}
	return d, found, err
}

// Decided implements wire.Inlet: what comes whole looks for its sender then.
func (in *incoming) Decided(u *wire.Upload, streams bool) {
	if s := u.Sender(); s != nil && !streams {
		in.landed(s)
	}
}

// RoomFor implements wire.Inlet.
func (in *incoming) RoomFor(u *wire.Upload) { in.conn.mail.rooms.Put(u) }

// receivedPiece takes in a piece of a message.
func (in *incoming) receivedPiece(t *engine.Transfer) {
	in.upload = in.conn.uploads.Received(in, in.link, in.upload, t)
	if t.Last && in.early != nil {
		in.link.Settle(t.ID, in.conn.server.config.Manner.state(*in.early)) // which does nothing for one that was aborted
		in.early = nil
	}
}

// watchStreams has the messages looked at again in a while of which a consumer has the beginning.
func (c *conn) watchStreams() {
	if after := c.server.config.Limits.StreamTimeout; after > 0 && c.stillAt.IsZero() && c.uploads.Streaming() {
		c.stillAt = time.Now().Add(after)
	}
}

// standstill gives up those of which nothing has come meanwhile, so that their consumers get what is behind them. Flush, which
// follows, watches the others.
func (c *conn) standstill() {
	c.stillAt = time.Time{}
	c.uploads.Expire(router.Reject(router.Quota, "the rest of the message did not come in time (amqp.streamTimeout)"))
}

// settle tells the client how a message has ended; of one whose end is still to come, when that has come. A receiver may
// settle earlier [2.6.12], but there are clients, such as go-amqp, that take note of an outcome only once they have sent
// the last frame, and would wait for ever.
func (in *incoming) settle(id uint32, o router.Outcome) {
	if id == in.latest && !in.whole {
		early := o // so that no other outcome is on the heap
		in.early = &early
		return
	}
	in.link.Settle(id, in.conn.server.config.Manner.state(o))
}

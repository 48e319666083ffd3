package network

import (
	"errors"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/wire"
)

var _ wire.Inlet = (*incoming)(nil)

// errPaused leaves a message to be gathered that comes while nobody receives.
var errPaused = errors.New("the intake is closed")

// Find implements wire.Inlet.
func (in *incoming) Find(head amqp.Message, _ *router.Sender) (router.Delivery, *router.Sender, error) {
	if in.intake == nil {
		return router.Delivery{}, nil, errPaused
	}
	d, _, err := wire.Read(head, time.Now)
	return d, in.intake.sender, err
}

// Decided implements wire.Inlet: what comes whole is counted then.
func (in *incoming) Decided(u *wire.Upload, streams bool) {
	if streams {
		in.count(u.Settled())
	}
}

// RoomFor implements wire.Inlet.
func (in *incoming) RoomFor(u *wire.Upload) { in.conn.mail.rooms.Put(u) }

// receivedPiece takes in a piece of a message.
func (in *incoming) receivedPiece(t *engine.Transfer) {
	if t.Aborted && in.upload.Streams(t.ID) && !in.upload.Settled() {
		in.open--
	}
	in.upload = in.conn.uploads.Received(in, in.link, in.upload, t)
}

// uploadSettled forgets the rest of a message that has its outcome. It tells whether the broker has settled it, and so
// hears of no outcome.
func (in *incoming) uploadSettled(o outcome) (settled bool) {
	settled = in.upload.Streams(o.id) && in.upload.Settled()
	if in.upload.Ends(o.id, o.outcome) {
		in.upload = nil
	}
	return settled
}

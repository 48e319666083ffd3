package amqp

import (
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
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

package network

import (
	"bytes"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// marks are what routers wrote on a message, as this router reads it. They do not change once made.
type marks struct {
	section []byte // as it was written
	to      string // the address in the properties
	from    string // the neighbour

	message forwarding.Message
	place   protocol.Place
	retain  bool
	author  string
}

// read reads what routers wrote on a message. Most messages of a link have the same as the one before, so that is kept.
func (in *inlet) read(m amqp.Message, to string) (*marks, error) {
	section, from := m.Sections().MessageAnnotations, in.router()
	if k := in.latest; k != nil && k.to == to && k.from == from && bytes.Equal(k.section, section) {
		return k, nil
	}
	annotations, err := protocol.ParseAnnotations(m.MessageAnnotations())
	if err != nil {
		return nil, router.Errorf(router.Malformed, "%v", err)
	}
	place := forwarding.Addressed(to, annotations, in.mesh.ID())
	key := forwarding.KeyOf(place, annotations.Phase)
	if in.fixed != "" {
		key, place = in.fixed, protocol.Place{Class: protocol.Mobile, Name: in.fixed.Name()}
	}
	in.latest = &marks{
		section: bytes.Clone(section), to: to, from: from,
		message: forwarding.Message{Key: key, From: from, Annotations: annotations, Onward: in.mesh.onward(annotations)},
		place:   place,
		retain:  annotations.Retain && key.Phase() == 0, // the home of a topic keeps it
		author:  annotations.Author,
	}
	return in.latest, nil
}

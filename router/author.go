package router

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/manifoldmq/manifold/addressing"
)

// markOf is what stands on messages for the name of who sent them: it is short, and tells nobody else the name.
func markOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// authorOf is the mark on what is sent to a target; empty for none, where other routers do not get it or he has no name.
func authorOf(t Target, def *addressing.Definition) string {
	name, _ := t.Origin.(string)
	if name == "" || def.Kind != addressing.Topic || def.Home == addressing.Alone {
		return ""
	}
	return markOf(name)
}

// sign marks a message with its author, if he is known.
func (s *Sender) sign(d *Delivery) {
	if s.author != "" {
		d.Author = s.author
	}
}

// isBy tells whether a delivery is of an origin, at this router or at another one.
func (d *Delivery) isBy(origin any) bool {
	if from := d.sender(); from != nil && from.target.Origin == origin {
		return true
	}
	name, _ := origin.(string)
	return d.Author != "" && name != "" && d.Author == markOf(name)
}

package router

import (
	"slices"

	"github.com/manifoldmq/manifold/addressing"
)

// rank says which consumers of an anycast address may have what a sender sends. Those of the fallback, who receive at the phase
// addressing.Fallback, get what nobody else wants: nothing as long as there is somebody who does, with credit or without.
type rank uint8

const (
	ordinary rank = iota // those of the fallback may not
	anybody              // they may when no other wants it
	fallback             // only they may
)

// admits tells whether a consumer may have a message, ever.
func (r rank) admits(c *consumer) bool {
	return r == anybody || c.fallback == (r == fallback)
}

// rankOf gives that of what is sent to a target.
func rankOf(target *Target, def *addressing.Definition) rank {
	switch {
	case *target.Phase == addressing.Fallback:
		return fallback
	case def.Fallback && !target.Returned:
		return anybody
	default:
		return ordinary
	}
}

// FallsBack tells whether what the sender sends goes to the fallback of its address when nobody else wants it.
func (s *Sender) FallsBack() bool { return s.rank == anybody }

// FallsBack tells whether the delivery goes to the fallback of its address when nobody else wants it. It is for a Way that is asked
// whether it leads on.
func (d Delivery) FallsBack() bool { return d.rank() == anybody }

// isFallback tells whether who takes from the source is to have what nobody else wants.
func (s *Source) isFallback() bool { return s.Phase != nil && *s.Phase == addressing.Fallback }

// rank gives that of the message's sender.
func (d *Delivery) rank() rank {
	switch origin := d.owner().(type) {
	case *Sender:
		return origin.rank
	case posted:
		return origin.rank
	case departed:
		return origin.rank
	default:
		return ordinary
	}
}

// among gives those of all consumers of an address of whom one is to have a message, if it wants it. It is valid until the next call.
func (n *anycast) among(d Delivery, all []*consumer) []*consumer {
	if !n.ranked {
		return all
	}
	r := d.rank()
	last := r == fallback || r == anybody && !slices.ContainsFunc(all, func(c *consumer) bool { return !c.fallback && c.wants(d) })
	n.chosen = n.chosen[:0]
	for _, c := range all {
		if c.fallback == last {
			n.chosen = append(n.chosen, c)
		}
	}
	return n.chosen
}

// redirected counts a message that a consumer of the fallback gets in the place of others.
func (d *Delivery) redirected() {
	if s := d.sender(); s != nil && s.rank == anybody {
		s.redirected.Add(1)
		s.counts.redirected.Add(1)
	}
}

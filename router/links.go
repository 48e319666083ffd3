package router

import (
	"strings"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/register"
)

// Link is what there is to say about a sender or receiver that is open.
type Link struct {
	ID           uint64 // unique in the process; it rises
	Visit        uint64 // the connection that it came over (tenancy.Visit.ID); 0 for none
	Sends        bool   // the client sends over it; else it receives
	Address      string // or the filter of a receiver
	Kind         addressing.Kind
	Subscription string // a receiver's; empty for none
	Browse       bool
	Way          bool // a receiver that leads on to another router, or a sender of what passes from one
	Credit       int  // a receiver's, that is not used

	Delivered  uint64    // messages that were sent to the address, or that the receiver was given
	Ended      [4]uint64 // of those, by State
	Presettled uint64    // of a receiver's, those whose end nobody waits for
	Unsettled  uint64
	Dropped    uint64 // that a receiver has missed for want of credit
}

// listed is what the register has to know of a link. Its counters are written by those who deal with the link's messages
// anyhow, and read by others seldom.
type listed struct {
	number    uint64
	principal *tenancy.Principal
	list      *register.Of[lister]
	delivered atomic.Uint64
	ended     [4]atomic.Uint64
}

// lister is a link in the register.
type lister interface{ describe() Link }

var (
	_ lister = (*Sender)(nil)
	_ lister = (*Receiver)(nil)
)

// claim takes up a link of what p's tenant may have, to the addresses of a filter. It is given back by delist, or by
// waive if there will be no link.
func claim(p *tenancy.Principal, f addressing.Filter) error {
	a := p.Allowance()
	if a.Most(tenancy.MaxTopicLevels) > 0 {
		if err := a.Fits(tenancy.MaxTopicLevels, int64(strings.Count(f.String(), "/")+1)); err != nil {
			return err
		}
	}
	return a.Take(tenancy.MaxLinks, 1)
}

func waive(p *tenancy.Principal) { p.Allowance().Give(tenancy.MaxLinks, 1) }

// enlist enters a link that is open.
func (l *listed) enlist(r *Router, entry lister) {
	l.list = &r.Counters(l.principal.Tenant.Name).links
	l.list.Add(&r.numbers, entry, &l.number)
}

// delist takes out a link that is closed, once.
func (l *listed) delist() {
	if l.list != nil && l.list.Remove(l.number) {
		waive(l.principal)
	}
}

// Settled is for nodes: it counts how a message ended that was given to a receiver.
func (l *listed) Settled(o Outcome) { l.ended[o.State].Add(1) }

// describe tells what senders and receivers have in common.
func (l *listed) describe() Link {
	d := Link{ID: l.number, Visit: l.principal.Visit()}
	for i := range l.ended { // before what was delivered, so that no more has ended than that
		d.Ended[i] = l.ended[i].Load()
	}
	d.Delivered = l.delivered.Load()
	return d
}

// unsettled is what was delivered and has not ended.
func (d *Link) unsettled() uint64 {
	settled := d.Presettled
	for _, n := range d.Ended {
		settled += n
	}
	return d.Delivered - min(settled, d.Delivered)
}

func (s *Sender) describe() Link {
	d := s.listed.describe()
	d.Sends, d.Address, d.Kind = true, string(s.Address()), s.Kind()
	d.Unsettled = d.unsettled()
	_, d.Way = s.producer.(Passage)
	return d
}

func (r *Receiver) describe() Link {
	presettled := r.presettled.Load()
	d := r.listed.describe()
	d.Address, d.Kind, d.Subscription, d.Browse = r.source.Filter.String(), r.kind, r.source.Subscription, r.source.Browse
	d.Credit = int(max(r.credit.Load(), 0))
	d.Presettled, d.Dropped = presettled, r.missed.Load()
	d.Unsettled = d.unsettled()
	_, own := r.consumer.(Outpost)
	d.Way = r.way != nil && !own
	return d
}

// Links lists the links of a tenant in the order in which they were made: those whose numbers are above after, at most
// so many.
func (r *Router) Links(tenant string, after uint64, most int) []Link {
	page := r.Counters(tenant).links.Page(after, most)
	links := make([]Link, len(page))
	for i, l := range page {
		links[i] = l.describe()
	}
	return links
}

// Link finds a link of a tenant by its number.
func (r *Router) Link(tenant string, id uint64) (Link, bool) {
	l, ok := r.Counters(tenant).links.Get(id)
	if !ok {
		return Link{}, false
	}
	return l.describe(), true
}

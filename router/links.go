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
	Name         string // what its client calls it; empty where a link has no name
	Phase        uint8  // of an anycast address: of what is sent, or received
	Sends        bool   // the client sends over it; else it receives
	Address      string // or the filter of a receiver
	Kind         addressing.Kind
	Subscription string // a receiver's; empty for none
	Browse       bool
	Way          bool // a receiver that leads on to another router, or a sender of what passes from one
	Credit       int  // that is not used
	Dry          int  // for how many seconds it has had no credit; 0 while it has some

	Delivered  uint64    // messages that were sent to the address, or that the receiver was given
	Ended      [4]uint64 // of those, by State
	Presettled uint64    // of those, that nobody waits for the end of; they are not among Ended
	Unsettled  uint64
	Dropped    uint64 // that a receiver has missed for want of credit; of a sender's presettled ones, that did not arrive
	Redirected uint64 // of a sender's, those that the fallback of the address has got
	Waiting    int    // that a receiver has no credit for, at an address that stores nothing; also if another one may get them

	Stuck        int    // of those that are unsettled, since ten seconds and more
	Delayed1Sec  uint64 // of those that have ended, that took longer than a second
	Delayed10Sec uint64 // likewise, longer than ten
}

// listed is what the register has to know of a link. Its counters are written by those who deal with the link's messages
// anyhow, and read by others seldom.
type listed struct {
	number    uint64
	principal *tenancy.Principal
	list      *register.Of[lister]
	house     *house
	delivered atomic.Uint64
	ended     [4]atomic.Uint64
	ages      ages
	dry       atomic.Uint32 // the Instant when its credit was used up last
	passes    bool          // between routers: a client has no part in it
	container bool          // see Router.ForContainers

	presettled atomic.Uint64 // messages whose end nobody waits for
	missed     atomic.Uint64 // see Link.Dropped
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

// Number is how the link is found: Link.ID.
func (l *listed) Number() uint64 { return l.number }

// delist takes out a link that is closed, once.
func (l *listed) delist() {
	if l.list != nil && l.list.Remove(l.number) {
		waive(l.principal)
	}
}

func (r *Router) listed(p *tenancy.Principal) listed {
	return listed{principal: p, house: r.house, container: r.containers}
}

// Begin is for nodes: it notes that a receiver is given a message whose outcome it is to tell, and gives when that is.
func (l *listed) Begin() Instant {
	now := l.house.now()
	l.ages.begin(now)
	return now
}

// Settled is for nodes: it counts how a message ended that was given to a receiver, at the time that Begin gave; zero where it
// was not asked.
func (l *listed) Settled(o Outcome, began Instant) {
	l.ended[o.State].Add(1)
	if began > 0 {
		l.ages.end(began, l.house.now())
	}
}

// usedUp notes that there is no credit any more.
func (l *listed) usedUp() { l.dry.Store(uint32(l.house.now())) }

// describe tells what senders and receivers have in common.
func (l *listed) describe() Link {
	now := l.house.now()
	d := Link{ID: l.number, Visit: l.principal.Visit(), Way: l.passes, Dropped: l.missed.Load()}
	stuck, delayed := l.ages.tell(now)
	d.Stuck, d.Delayed1Sec, d.Delayed10Sec = stuck, delayed[0], delayed[1]
	d.Dry = int(now - Instant(l.dry.Load()))
	d.Presettled = l.presettled.Load()
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
	d.Sends, d.Address, d.Kind, d.Name, d.Phase = true, string(s.Address()), s.Kind(), s.target.Name, *s.target.Phase
	d.Unsettled = d.unsettled()
	d.credit(s.granted.Load() - int64(s.delivered.Load()))
	d.Redirected = s.redirected.Load()
	return d
}

func (r *Receiver) describe() Link {
	d := r.listed.describe()
	d.Address, d.Kind, d.Subscription, d.Browse = r.source.Filter.String(), r.kind, r.source.Subscription, r.source.Browse
	d.Name, d.Phase = r.source.Name, r.phase
	d.credit(r.credit.Load())
	d.Unsettled = d.unsettled()
	for _, n := range r.nodes {
		if w, ok := n.(waitingRoom); ok {
			d.Waiting += w.waitingFor(r)
		}
	}
	return d
}

// credit notes what is left.
func (d *Link) credit(n int64) {
	if d.Credit = int(max(n, 0)); n > 0 {
		d.Dry = 0
	}
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

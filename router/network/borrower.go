package network

import (
	"context"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// borrower is the node of what one other router stores and lends: each receiver is a loan. See ADR 0026.
type borrower struct {
	mesh    *Mesh
	home    string
	absence absence

	mu    sync.Mutex // guards everything below; taken before that of a loan
	loans map[*router.Receiver]*loan
}

var _ router.Node = (*borrower)(nil)

// lendingPatience is how long the home has to answer, and attachPatience how long a client waits for that, or for a path from
// when that was lost.
const (
	lendingPatience = 5 * time.Second
	attachPatience  = 2 * time.Second
)

// Join implements router.Node: what is sent takes other ways.
func (b *borrower) Join(s *router.Sender) error {
	return router.Errorf(router.Unsupported, "%s: what the home lends is only received from", s.Address())
}

// Leave implements router.Node.
func (*borrower) Leave(*router.Sender) {}

// Offer implements router.Node.
func (*borrower) Offer(d router.Delivery) { d.Settle(router.Release()) }

// Attach implements router.Node. It waits for the home, but for who goes on with what he was told to have before, and for
// retained messages, which come later. What is in memory only, and ends with the home anyhow, is had as soon as that is there.
func (b *borrower) Attach(r *router.Receiver) error {
	return b.attach(r, wish{tenant: r.Tenant(), source: r.Source()})
}

// attach lends a receiver what is wished.
func (b *borrower) attach(r *router.Receiver, w wish) error {
	l := newLoan(b, r, w)
	b.mu.Lock()
	b.loans[r] = l
	b.mu.Unlock()
	if l.try(); w.source.Resumes || w.source.Kept {
		l.told(nil)
		return nil
	}
	err, heard := b.wait(context.Background(), l)
	if !heard && w.source.Volatile {
		l.told(nil)
		err = <-l.answered // as it may have come meanwhile
	}
	if err != nil {
		b.Detach(r)
	}
	return err
}

// wait waits for the first answer of the home. It is not heard when that is out of reach.
func (b *borrower) wait(ctx context.Context, l *loan) (err error, heard bool) {
	patience := time.NewTimer(b.absence.left(attachPatience))
	defer patience.Stop()
	select {
	case err := <-l.answered:
		return err, true
	case <-ctx.Done():
	case <-patience.C:
		b.absence.unanswered(l.asked)
	}
	return router.Errorf(router.Unroutable, "the router %s, which stores it, is out of reach", b.home), false
}

// path gives the connection on the way to the home; nil for none.
func (b *borrower) path() *neighbor {
	k := b.mesh.homeward(b.home)
	b.absence.path(k != nil)
	return k
}

// forget has the home forget a subscription.
func (b *borrower) forget(ctx context.Context, tenant string, source router.Source) error {
	_, err := b.ask(ctx, wish{tenant: tenant, source: source, forget: true})
	return err
}

// list has the home list the subscriptions of a name, in as many answers as that takes.
func (b *borrower) list(ctx context.Context, tenant string, wanted router.Source) (all []router.Source, err error) {
	w := wish{tenant: tenant, source: router.Source{Subscription: wanted.Subscription}, list: true}
	for {
		some, err := b.ask(ctx, w)
		if all = append(all, some.sources...); err != nil || some.next <= w.after {
			return all, err
		}
		w.after = some.next
	}
}

// ask asks the home for no more than an answer.
func (b *borrower) ask(ctx context.Context, w wish) (listing, error) {
	l := newLoan(b, nil, w)
	l.try()
	defer l.end()
	if err, _ := b.wait(ctx, l); err != nil {
		return listing{}, err
	}
	return l.listed, nil
}

// loanOf gives the loan of a receiver; nil for none.
func (b *borrower) loanOf(r *router.Receiver) *loan {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loans[r]
}

// Grant implements router.Node.
func (b *borrower) Grant(r *router.Receiver) {
	if l := b.loanOf(r); l != nil {
		l.credited()
	}
}

// Pending implements router.Node: the home is asked to use up the credit, or to give it back.
func (b *borrower) Pending(r *router.Receiver) bool {
	l := b.loanOf(r)
	return l != nil && l.pending()
}

// Detach implements router.Node.
func (b *borrower) Detach(r *router.Receiver) {
	b.mu.Lock()
	l := b.loans[r]
	delete(b.loans, r)
	b.mu.Unlock()
	if l != nil {
		l.end()
	}
}

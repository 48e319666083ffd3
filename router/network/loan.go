package network

import (
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
)

// loan is a receiver that the home lends, as long as its client has it, over whatever links there are one after the other.
type loan struct {
	from     *borrower
	receiver *router.Receiver // nil where only an answer is wanted
	wish     wish
	answered chan error // the first answer
	listed   listing    // what it lists; to be read after that
	asked    time.Time  // when it was first asked for

	mu       sync.Mutex // guards everything below; a node's lock
	at       *borrowing // the link; nil in between
	waiting  []router.Delivery
	taken    time.Time     // since when the home says that somebody else has it; zero while it does not
	pause    time.Duration // before the next try
	timer    *time.Timer   // of that, or of the home's answer
	made     bool          // the first answer has been given
	over     bool          // nothing more comes from the home
	draining bool          // the home is asked for what it has
	dry      bool          // and has nothing more
}

// How long a link is waited for that is to be opened again.
const (
	shortestLoanPause, longestLoanPause = 50 * time.Millisecond, 2 * time.Second
	// handover is how long somebody else may take to let go of what is wanted, who may have left at another router.
	handover = time.Second
	// eviction is how long the home may take to notice that the way by which it has lent something is lost: until then it may
	// say to who comes by another way that somebody has it.
	eviction = 30 * time.Second
)

func newLoan(b *borrower, r *router.Receiver, w wish) *loan {
	return &loan{from: b, receiver: r, wish: w, answered: make(chan error, 1), asked: time.Now()}
}

// told gives the first answer.
func (l *loan) told(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(err)
}

func (l *loan) tell(err error) {
	if !l.made {
		l.made = true
		l.answered <- err
	}
}

// try asks the home, if there is a path to it now.
func (l *loan) try() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.at != nil {
		return
	}
	k := l.from.path()
	if k == nil || !l.from.absence.mayAsk() {
		l.again()
		return
	}
	at := &borrowing{loan: l, neighbor: k, settling: make(map[uint32]func(error))}
	l.at = at
	k.mail.orders.Put(at.begin)
	l.timer = time.AfterFunc(lendingPatience, func() { l.late(at) }) // the connection may have ended before
}

// late gives up a link that the home has not answered.
func (l *loan) late(at *borrowing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == at && !at.open {
		l.from.absence.unanswered(time.Now().Add(-lendingPatience))
		l.lose(at, nil)
	}
}

// again tries again after a while. The lock is held.
func (l *loan) again() {
	l.pause = min(max(2*l.pause, shortestLoanPause), longestLoanPause)
	l.timer = time.AfterFunc(l.pause, l.try)
}

// opened hears that the home lends.
func (l *loan) opened(at *borrowing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at != at {
		at.link.Detach()
		return
	}
	l.timer.Stop()
	l.pause, l.taken, at.open = 0, time.Time{}, true
	if l.wish.list && !l.made {
		l.listed = readListing(at.link.Remote().Source)
	}
	l.tell(nil)
	at.grant()
}

// lost hears that a link has ended, or did not come to be; reason is what the other side said.
func (l *loan) lost(at *borrowing, reason *frame.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose(at, reason)
}

// lose is lost, with the lock held.
func (l *loan) lose(at *borrowing, reason *frame.Error) {
	if l.at != at {
		return
	}
	l.timer.Stop()
	l.at, l.waiting, l.draining = nil, nil, false
	l.noteTaken(reason)
	if l.over || l.passes(reason) {
		l.retry()
		return
	}
	o := wire.Outcome(&frame.State{Kind: frame.Rejected, Error: reason})
	err := &router.Error{Reason: o.Reason, Text: o.Text}
	switch {
	case !l.made:
		l.tell(err)
	case l.receiver == nil || l.begins() || l.receiver.Revoke(err):
		l.over = true
	default: // who cannot be told has it when it can be had
		l.again()
	}
}

// begins tells whether it is only what a receiver begins with: what follows comes all the same when the home does not lend that.
func (l *loan) begins() bool { return l.wish.source.Kept && !l.receiver.Source().Kept }

// noteTaken notes whether the home says that somebody else has what is wanted. The lock is held.
func (l *loan) noteTaken(reason *frame.Error) {
	switch {
	case reason == nil || reason.Condition != wire.Condition(router.Conflict):
		l.taken = time.Time{}
	case l.taken.IsZero():
		l.taken = time.Now()
	}
}

// retry tries again if the loan is still wanted. The lock is held.
func (l *loan) retry() {
	if !l.over {
		l.again()
	}
}

// passes tells whether there is hope in asking again after a refusal: because of the way to the home, because somebody else
// may let go of what is wanted, or, where the client has been told yes before, because of what goes over at the home.
func (l *loan) passes(reason *frame.Error) bool {
	if reason == nil {
		return true
	}
	switch reason.Condition {
	case passage.LinkLost, passage.NoRoute:
		return true
	case wire.Condition(router.Conflict):
		if l.made {
			return time.Since(l.taken) < eviction
		}
		return time.Since(l.asked) < handover
	case frame.NotFound, frame.UnauthorizedAccess, frame.NotImplemented, frame.InvalidField, frame.NotAllowed:
		return false
	default:
		return l.made
	}
}

// concluded hears that the home has sent all that there is of something that is kept. What waits for credit stays.
func (l *loan) concluded(at *borrowing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at != at {
		return
	}
	l.timer.Stop()
	l.at, l.over = nil, true
	l.conclude()
}

// conclude tells a client who wants nothing else that he has everything. The lock is held.
func (l *loan) conclude() {
	if l.over && len(l.waiting) == 0 && l.receiver.Source().Kept {
		l.receiver.Revoke(nil)
	}
}

// end gives back what nobody has read.
func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, d := range l.waiting {
		d.Settle(router.Release())
	}
	l.waiting = nil
	if at := l.at; at != nil {
		l.at = nil
		at.neighbor.mail.orders.Put(at.leave)
	}
}

// credited has the client get what waits, and the home hear of the credit that is left.
func (l *loan) credited() {
	l.mu.Lock()
	defer l.mu.Unlock()
	waited := len(l.waiting) > 0
	for len(l.waiting) > 0 && l.receiver.Take() {
		d := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.receiver.Deliver(d)
	}
	if waited {
		l.conclude()
	}
	l.dry = false
	l.regrant()
}

// regrant has the link say what credit there is. The lock is held.
func (l *loan) regrant() {
	if at := l.at; at != nil {
		at.neighbor.mail.orders.Put(at.credited)
	}
}

// pending tells whether the home may have something, which it is asked for; each time that it has said no, the next time
// it is asked anew. What is kept there comes unasked.
func (l *loan) pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.waiting) > 0:
		return true
	case l.wish.source.Kept:
		return !l.over
	case l.dry || l.at == nil:
		l.dry = false
		return false
	case !l.draining:
		l.draining = true
		l.regrant()
	}
	return true
}

// drained hears that the home has used up the credit, or has nothing more and has given it back.
func (l *loan) drained(at *borrowing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == at && l.draining {
		l.draining, l.dry = false, at.left > 0
		at.grant()
	}
}

// arrived hands a message to the client, or keeps it until he has credit, as when he has used that up elsewhere.
func (l *loan) arrived(at *borrowing, d router.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.at != at:
		d.Settle(router.Release())
	case len(l.waiting) == 0 && l.receiver.Take():
		l.receiver.Deliver(d)
	default:
		l.waiting = append(l.waiting, d)
	}
}

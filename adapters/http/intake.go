package http

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// intake is a receiving link of one request. What the node delivers waits in a channel with room for all the credit
// that was granted, so that Deliver never blocks.
//
// The request that opened it owns it until it closes it or makes locks of what came; then the last lock closes it.
type intake struct {
	link *router.Receiver
	came chan router.Delivery
	late func(*intake) // told of what came after sealed; takes no lock but a leaf

	granted int         // credit that has not been used by what was taken from came
	sealed  atomic.Bool // nobody takes from came any more but who is told by late
	locks   atomic.Int32
}

var _ router.Consumer = (*intake)(nil)

// openIntake attaches a link without credit. window is the most credit that it will ever have.
func (s *Server) openIntake(
	ctx context.Context, p *tenancy.Principal, source router.Source, window int,
) (*intake, error) {
	in := &intake{came: make(chan router.Delivery, window), late: s.keeper.release}
	var err error
	in.link, err = s.router.Receiver(ctx, p, source, in)
	return in, err
}

// Deliver implements router.Consumer.
func (in *intake) Deliver(_ *router.Receiver, d router.Delivery) {
	in.came <- d
	if in.sealed.Load() {
		in.late(in)
	}
}

// grant gives credit for n more.
func (in *intake) grant(n int) {
	in.granted += n
	in.link.Grant(n)
}

// withdraw takes back the credit that the node has not used. What is still granted afterwards is on its way.
func (in *intake) withdraw() {
	for in.granted > 0 && in.link.TakeBack() {
		in.granted--
	}
}

// gather takes up to n messages: it waits for the first until ctx or drain ends, and for each further one until more has
// passed. It leaves the link without credit.
func (in *intake) gather(
	ctx context.Context, drain <-chan struct{}, n int, more time.Duration,
) (came []router.Delivery) {
	in.grant(n)
	if d, ok := in.next(ctx, drain); ok {
		came = in.fill(append(came, d), more)
	}
	in.withdraw()
	if in.granted > 0 { // the node has used credit for what it is about to hand over
		came = in.fill(came, more)
	}
	return came
}

// next waits for one message.
func (in *intake) next(ctx context.Context, drain <-chan struct{}) (d router.Delivery, ok bool) {
	select {
	case d = <-in.came: // what is there goes before every reason to stop
		in.granted--
		return d, true
	default:
	}
	select {
	case d = <-in.came:
		in.granted--
		return d, true
	case <-ctx.Done():
	case <-drain:
	}
	return d, false
}

// fill takes what comes until the credit is used up, the node has nothing more for it, or the time has passed.
func (in *intake) fill(all []router.Delivery, within time.Duration) []router.Delivery {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for in.granted > 0 {
		exhausted := in.exhausted() // before looking: what it has handed over by then is there
		select {
		case d := <-in.came:
			in.granted--
			all = append(all, d)
			continue
		default:
			if exhausted {
				return all
			}
		}
		select {
		case d := <-in.came:
			in.granted--
			all = append(all, d)
		case <-timer.C:
			return all
		}
	}
	return all
}

// exhausted tells that there is credit left for which the node has nothing.
func (in *intake) exhausted() bool { return in.link.HasCredit() && !in.link.Pending() }

// seal hands the link over to the locks of what came. A message that its node had promised to it and delivers later
// goes back at once.
func (in *intake) seal(locks int) {
	in.locks.Store(int32(locks))
	in.sealed.Store(true)
	in.releaseLate()
}

// releaseLate gives back what nobody waits for.
func (in *intake) releaseLate() {
	for {
		select {
		case d := <-in.came:
			d.Settle(router.Release())
		default:
			return
		}
	}
}

// unlock counts a lock that has ended; the last one closes the link.
func (in *intake) unlock() {
	if in.locks.Add(-1) == 0 {
		in.link.Close()
	}
}

// giveBack ends an intake whose client is gone: what came was not seen.
func (in *intake) giveBack(came []router.Delivery) {
	for _, d := range came {
		d.Settle(router.Release())
	}
	in.close()
}

// close gives back what was not taken, untouched, and unlinks.
func (in *intake) close() {
	in.withdraw()
	in.releaseLate()
	in.link.Close()
}

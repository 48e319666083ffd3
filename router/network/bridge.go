package network

import (
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/federation"
)

// A bridge is our end of a link of a federation. Unlike an automatic link it takes "not now" for an answer: what the other
// side refuses for a reason that may pass, such as a full queue, stays where it is and is tried again later, more and more
// seldom. Only what can never be taken is rejected.

// The shortest and the longest time until it is tried again.
const shortestRest, longestRest = 50 * time.Millisecond, 10 * time.Second

// rest is how a bridge waits before it tries again. It knows no clock.
type rest struct {
	last  time.Duration
	until time.Time // zero when it does not wait
}

// begin begins to wait, if it does not yet.
func (r *rest) begin(now time.Time) {
	if r.until.IsZero() {
		r.last = min(max(2*r.last, shortestRest), longestRest)
		r.until = now.Add(r.last)
	}
}

// over ends the waiting when its time has come.
func (r *rest) over(now time.Time) bool {
	if r.until.IsZero() || now.Before(r.until) {
		return false
	}
	r.until = time.Time{}
	return true
}

// waits tells whether it is waiting.
func (r *rest) waits() bool { return !r.until.IsZero() }

// refresh is for an answer that shows that there is no trouble.
func (r *rest) refresh() { r.last = 0 }

// passes tells whether it may help to send a message again that ended so.
func passes(o router.Outcome) bool {
	if o.State != router.Rejected {
		return true
	}
	switch o.Reason {
	case router.Malformed, router.TooLarge, router.Unsupported, router.Unroutable:
		return false
	default:
		return true
	}
}

// linkName is how the link is called: the same each time that it is attached, unless it is on behalf of others. A durable
// subscription is found again by it.
func (f *federated) linkName(via federation.Path) string {
	name := "federation/" + f.Name
	if f.dynamic() {
		name += "/" + strings.Join(via.Tags(), ",")
	}
	return name
}

// attach gives what is said to attach the link. The source and the target are there in the same words, whoever dials.
func (f *federated) attach(via federation.Path) frame.Attach {
	kind := []amqp.Symbol{amqp.Symbol(f.Kind.String())}
	source := &frame.Source{Address: f.Source.String(), HasAddress: true}
	target := &frame.Target{}
	if to, one := f.target(); one {
		*target = frame.Target{Address: string(to), HasAddress: true}
	}
	a := frame.Attach{SenderSettleMode: frame.SendUnsettled, Source: source, Target: target,
		Properties: federation.LinkProperties(via)}
	if f.Direction == Out {
		a.Role = frame.Sender
		if target.HasAddress {
			target.Capabilities = kind
		}
		return a
	}
	a.Role, source.Capabilities = frame.Receiver, kind
	if f.Durable {
		source.Durable, source.ExpiryPolicy = frame.DurableUnsettled, frame.ExpireNever
	}
	return a
}

// destination gives the address that a message of the other network goes to here, which it must say if there are several.
func (f *federated) destination(m router.Message, to string) (addressing.Address, error) {
	if a, one := f.target(); one {
		return a, nil
	}
	if said := federation.To(m); said != "" {
		to = said
	}
	a, err := addressing.ParseAddress(to)
	if err == nil && !f.Source.Matches(a) {
		err = router.Errorf(router.Malformed, "%s is not an address of %s", a, f.Source)
	}
	return a, err
}

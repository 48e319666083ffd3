package amqp

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy"
)

// fare is what a link that leads on uses of what its client's tenant may use.
type fare struct{ user *tenancy.Principal }

var _ passage.Meter = fare{}

// newFare takes up a link of the tenant's, until Ended. The error is a *tenancy.Exceeded.
func newFare(p *tenancy.Principal) (fare, error) {
	return fare{p}, p.Allowance().Take(tenancy.MaxLinks, 1)
}

// MaxMessageSize implements passage.Meter.
func (f fare) MaxMessageSize() uint64 { return uint64(f.user.Allowance().Most(tenancy.MaxMessageSize)) }

// TooLarge implements passage.Meter.
func (f fare) TooLarge() *frame.Error {
	return &frame.Error{
		Condition: frame.MessageSizeExceeded, Description: f.user.Allowance().Refuse(tenancy.MaxMessageSize).Error(),
	}
}

// Sent implements passage.Meter.
func (f fare) Sent(size int, begins bool) (wait bool) {
	if begins {
		f.user.Sent(size)
	} else {
		f.user.SentMore(size)
	}
	return f.user.Allowance().SendWait() > 0
}

// Given implements passage.Meter.
func (f fare) Given(size int, begins bool) {
	if begins {
		f.user.Received(size)
	} else {
		f.user.ReceivedMore(size)
	}
}

// Ended implements passage.Meter.
func (f fare) Ended() { f.user.Allowance().Give(tenancy.MaxLinks, 1) }

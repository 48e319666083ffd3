package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/Azure/go-amqp"
)

// serverPatience is how long a receiver waits for the server itself.
const serverPatience = 10 * time.Second

// receiving is one call of `manifold receive`.
type receiving struct {
	server  server
	address string
	source  string // the address, with the name of a subscription
	count   int    // 0 is without end
	timeout time.Duration
	credit  int
	settle  settlement
	settled bool // by the server, as it sends them
	format  format
	out     io.Writer

	progress *progress // nil for none
	link     *amqp.Receiver
	granted  int // credit in all
	received int
}

// settlement is what a receiver says to each message.
type settlement func(context.Context, *amqp.Receiver, *amqp.Message) error

func accept(ctx context.Context, l *amqp.Receiver, m *amqp.Message) error {
	return l.AcceptMessage(ctx, m)
}

func release(ctx context.Context, l *amqp.Receiver, m *amqp.Message) error {
	return l.ReleaseMessage(ctx, m)
}

func fail(ctx context.Context, l *amqp.Receiver, m *amqp.Message) error {
	return l.ModifyMessage(ctx, m, &amqp.ModifyMessageOptions{DeliveryFailed: true})
}

func reject(ctx context.Context, l *amqp.Receiver, m *amqp.Message) error {
	return l.RejectMessage(ctx, m, nil)
}

// errSilence ends a receiver that has waited in vain.
var errSilence = errors.New("no message came")

// run receives until the count is reached, nothing comes any more, or ctx ends.
func (r *receiving) run(ctx context.Context) error {
	conn, session, err := r.server.open(ctx, serverPatience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := r.attach(ctx, session); err != nil {
		return err
	}
	err = r.receive(ctx)
	r.progress.end()
	if gone := r.detach(ctx); err == nil {
		err = gone
	}
	if r.count == 0 && (errors.Is(err, errSilence) || errors.Is(err, context.Canceled)) {
		return nil
	}
	if errors.Is(err, errSilence) {
		return fmt.Errorf("%s: %d of %s came, then none for %v", r.source, r.received, messages(r.count), r.timeout)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: %d of %s came", r.received, messages(r.count))
	}
	return err
}

func (r *receiving) attach(ctx context.Context, session *amqp.Session) error {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	options := amqp.ReceiverOptions{Credit: -1} // we give credit ourselves
	if r.settled {
		options.RequestedSenderSettleMode = amqp.SenderSettleModeSettled.Ptr()
	}
	var err error
	r.link, err = session.NewReceiver(ctx, r.source, &options)
	if err != nil {
		return r.server.linkFault(err, r.source, serverPatience)
	}
	return nil
}

func (r *receiving) receive(ctx context.Context) error {
	for r.count == 0 || r.received < r.count {
		if err := r.grant(); err != nil {
			return r.server.linkFault(err, r.source, serverPatience)
		}
		m, err := r.next(ctx)
		if err != nil {
			return err
		}
		if err := r.format(r.out, r.address, m); err != nil {
			return fmt.Errorf("standard output: %w", errors.Join(err, release(context.WithoutCancel(ctx), r.link, m)))
		}
		r.received++
		if err := r.settle(context.WithoutCancel(ctx), r.link, m); err != nil {
			return r.server.linkFault(err, r.source, serverPatience)
		}
		r.progress.show(r.received)
	}
	return nil
}

// grant fills the credit up when half of it is used. It never reaches beyond the count: what comes in excess would
// have to go back, and count as an attempt.
func (r *receiving) grant() error {
	open := r.granted - r.received
	if open > r.credit/2 {
		return nil
	}
	more := r.credit - open
	if r.count > 0 {
		more = min(more, r.count-r.granted)
	}
	if more <= 0 {
		return nil
	}
	r.granted += more
	return r.link.IssueCredit(uint32(more))
}

// next waits for a message. When ctx has ended there is none, whatever has come ahead.
func (r *receiving) next(ctx context.Context) (*amqp.Message, error) {
	if ctx.Err() != nil {
		return nil, context.Canceled
	}
	limited := ctx
	if r.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	m, err := r.link.Receive(limited, nil)
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, context.Canceled
	case limited.Err() != nil:
		return nil, errSilence
	default:
		return nil, r.server.linkFault(err, r.source, serverPatience)
	}
}

// detach takes the credit back, releases what has come meanwhile, and closes the link. It goes on when ctx has ended.
func (r *receiving) detach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverPatience)
	defer cancel()
	if r.granted > r.received {
		if err := r.link.DrainCredit(ctx, nil); err != nil {
			return r.server.linkFault(err, r.source, serverPatience)
		}
		for m := r.link.Prefetched(); m != nil; m = r.link.Prefetched() {
			if err := release(ctx, r.link, m); err != nil {
				return r.server.linkFault(err, r.source, serverPatience)
			}
		}
	}
	err := r.link.Close(ctx)
	if ended, ok := errors.AsType[*amqp.LinkError](err); ok && ended.RemoteErr == nil {
		return nil
	}
	if err != nil {
		return r.server.linkFault(err, r.source, serverPatience)
	}
	return nil
}

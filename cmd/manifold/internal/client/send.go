package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/Azure/go-amqp"
)

// sending is one call of `manifold send`.
type sending struct {
	server   server
	address  string
	message  amqp.Message // without a body
	bodies   bodies
	count    int // times that each body is sent
	inFlight int
	settled  bool
	timeout  time.Duration
	progress *progress

	link    *amqp.Sender
	slots   chan struct{} // one element for each message in flight
	summary summary
}

// receipt is a message that waits for its outcome.
type receipt struct {
	number int
	amqp.SendReceipt
}

// run sends everything. The summary is right also when it fails.
func (s *sending) run(ctx context.Context) error {
	s.summary.Address = s.address
	conn, session, err := s.server.open(ctx, s.timeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := s.attach(ctx, session); err != nil {
		return err
	}
	begun := time.Now()
	err = s.transfer(ctx)
	s.summary.Seconds = time.Since(begun).Seconds()
	s.progress.end()
	if err != nil {
		return err
	}
	return s.detach(ctx)
}

func (s *sending) attach(ctx context.Context, session *amqp.Session) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	mode := amqp.SenderSettleModeUnsettled
	if s.settled {
		mode = amqp.SenderSettleModeSettled
	}
	var err error
	s.link, err = session.NewSender(ctx, s.address, &amqp.SenderOptions{SettlementMode: &mode})
	if err != nil {
		return s.server.linkFault(err, s.address, s.timeout)
	}
	return nil
}

// detach closes the link; the server answers after it has read all that was sent.
func (s *sending) detach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.link.Close(ctx)
	if ended, ok := errors.AsType[*amqp.LinkError](err); ok && ended.RemoteErr == nil {
		return nil
	}
	if err != nil {
		return s.server.linkFault(err, s.address, s.timeout)
	}
	return nil
}

// transfer sends in one goroutine and takes the outcomes in another. The first outcome other than accepted ends the
// sending, and what is in flight then is still waited for. When an outcome fails to come, nothing more is waited for.
func (s *sending) transfer(ctx context.Context) error {
	ctx, abandon := context.WithCancel(ctx)
	defer abandon()
	pushing, stop := context.WithCancel(ctx)
	defer stop()
	s.slots = make(chan struct{}, s.inFlight)
	pending := make(chan receipt, s.inFlight)

	var pushed, refused error
	var pusher sync.WaitGroup
	pusher.Go(func() {
		defer close(pending)
		pushed = s.push(pushing, pending)
	})
	for r := range pending {
		refusal, err := s.outcome(ctx, r)
		<-s.slots
		if err != nil {
			abandon()
		}
		if err == nil && refusal != "" {
			err = fmt.Errorf("%s: message %d %s", s.address, r.number, refusal)
			stop()
		}
		if refused == nil {
			refused = err
		}
		if err == nil {
			s.progress.show(s.summary.settled())
		}
	}
	pusher.Wait()
	return s.withCount(firstOf(refused, pushed))
}

// firstOf gives the cause where the second error may follow from the first.
func firstOf(cause, consequence error) error {
	if cause != nil {
		return cause
	}
	return consequence
}

// withCount adds to an error how many messages were accepted nevertheless.
func (s *sending) withCount(err error) error {
	if err == nil || s.summary.Sent <= 1 || s.settled {
		return err
	}
	return fmt.Errorf("%w (accepted: %d of %d sent)", err, s.summary.Accepted, s.summary.Sent)
}

// push sends until there are no more bodies or ctx ends.
func (s *sending) push(ctx context.Context, pending chan<- receipt) error {
	for {
		body, err := s.bodies(ctx)
		if err == io.EOF {
			return nil
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		for range s.count {
			if err := s.pushOne(ctx, body, pending); err != nil {
				return err
			}
		}
	}
}

func (s *sending) pushOne(ctx context.Context, body []byte, pending chan<- receipt) error {
	if !s.settled {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return errors.New("interrupted")
		}
	}
	message := s.message
	message.Data = [][]byte{body}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var r amqp.SendReceipt
	var err error
	if s.settled {
		err = s.link.Send(limited, &message, nil)
	} else {
		r, err = s.link.SendWithReceipt(limited, &message, nil)
	}
	if err != nil {
		return s.pushFault(ctx, limited, err)
	}
	s.summary.Sent++
	if s.settled {
		s.progress.show(s.summary.Sent)
	} else {
		pending <- receipt{s.summary.Sent, r}
	}
	return nil
}

// pushFault says why a message could not be sent. The library gives no error of its own for a lack of credit.
func (s *sending) pushFault(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if limited.Err() != nil {
		return fmt.Errorf("%s has not let message %d in within %v (no credit): an anycast address waits for a "+
			"consumer, and a full queue for room", s.address, s.summary.Sent+1, s.timeout)
	}
	return s.server.linkFault(err, s.address, s.timeout)
}

// outcome waits for an outcome. The refusal is empty for accepted.
func (s *sending) outcome(ctx context.Context, r receipt) (refusal string, err error) {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	state, err := r.Wait(limited)
	switch {
	case err == nil:
		return s.summary.count(state), nil
	case ctx.Err() != nil:
		return "", errors.New("interrupted")
	case limited.Err() != nil:
		return "", fmt.Errorf("%s: message %d was sent and has no outcome after %v; "+
			"whether it was taken is not known", s.address, r.number, s.timeout)
	default:
		return "", s.server.linkFault(err, s.address, s.timeout)
	}
}

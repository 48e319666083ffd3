package coap

import (
	"context"
	"fmt"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// sender is a link that an account's messages to one address go through.
type sender struct {
	link     *router.Sender
	mail     *mail
	inFlight int // messages without an outcome
}

var _ router.Producer = (*sender)(nil)

// Settled implements router.Producer.
func (s *sender) Settled(_ *router.Sender, tag uint64, o router.Outcome) {
	s.mail.outcomes.Put(outcome{task: tag, sender: s, outcome: o})
}

// Credit implements router.Producer. CoAP has no credit for senders: the session bounds how many requests wait.
func (s *sender) Credit(*router.Sender, int) {}

// sender gives the link to an address, a new one if need be.
func (c *conn) sender(a *account, address []byte) (*sender, error) {
	if s, ok := a.senders[string(address)]; ok {
		return s, nil
	}
	to, err := parseAddress(string(address))
	if err != nil {
		return nil, err
	}
	s := &sender{mail: &c.mail}
	target := router.Target{Address: to, Origin: &c.mail, Unpaced: true}
	if s.link, err = c.server.config.Router.Sender(context.Background(), a.user, target, s); err != nil {
		return nil, err
	}
	if a.senders == nil {
		a.senders = make(map[string]*sender)
	}
	if len(a.senders) >= c.server.limits.MaxSenders {
		for name, other := range a.senders {
			if other.inFlight == 0 {
				other.link.Close()
				delete(a.senders, name)
				break
			}
		}
	}
	a.senders[string(to)] = s
	return s, nil
}

// closeSenders closes the links of an account that is not used any more. What was sent over them gets its outcome all the same.
func (a *account) closeSenders() {
	for _, s := range a.senders {
		s.link.Close()
	}
	a.senders = nil
}

func parseAddress(text string) (addressing.Address, error) {
	a, err := addressing.ParseAddress(text)
	if err != nil {
		return a, router.Errorf(router.Malformed, "the path: %v", err)
	}
	return a, nil
}

// send answers POST and PUT of a/{address}: a message goes there. PUT says what the state of a topic is (RFC 7252 section
// 5.8.3), so the topic keeps it.
func (c *conn) send(now time.Time, r *request, address []byte) error {
	s, err := c.sender(r.account, address)
	if err != nil {
		return err
	}
	topic := s.link.Kind() == addressing.Topic
	l := &c.letter
	*l = letter{retain: topic && r.code == codes.PUT}
	if err := l.read(r, s.link); err != nil {
		return err
	}
	if err := c.meets(r, s.link.Address(), topic); err != nil {
		return err
	}
	return c.dispatchLetter(now, r, s, l, task{exchange: r.exchange, success: empty(codes.Changed)})
}

// dispatchLetter sends a letter with the body of a request, whose answer is then a task.
func (c *conn) dispatchLetter(now time.Time, r *request, s *sender, l *letter, k task) error {
	if len(r.body) > s.link.MaxMessageSize() {
		return tooLarge(s.link.MaxMessageSize())
	}
	d, err := l.delivery(r.body, now)
	if err != nil {
		return err
	}
	d.Settled = !r.waits
	k.due = now.Add(c.server.limits.OutcomeTimeout)
	s.inFlight++
	s.link.Send(c.tasks.add(k), d)
	return nil
}

func tooLarge(most int) error {
	return &refusal{
		code: codes.RequestEntityTooLarge, size: most,
		text: fmt.Sprintf("the message is larger than the address's maxMessageSize, %d bytes", most),
	}
}

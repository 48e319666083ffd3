package http

import (
	"bytes"
	"context"
	"errors"
	nethttp "net/http"
	"os"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// outcome is a door's side of a sender that sends one message and hears once.
type outcome chan router.Outcome

var _ router.Producer = outcome(nil)

// Settled implements router.Producer.
func (o outcome) Settled(_ *router.Sender, _ uint64, result router.Outcome) { o <- result }

// Credit implements router.Producer. A request brings its one message with it, so there is nobody to hold back: how many
// wait is bounded by connections and streams.
func (o outcome) Credit(*router.Sender, int) {}

// send answers POST {address}/messages.
func (s *Server) send(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	query := parseQuery(r.URL)
	unconfirmed := query.choice("ack", "outcome", "none", "outcome")
	to, err := path.address()
	if err == nil {
		err = query.err()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	letter, err := readLetter(r.Header, to)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	heard := make(outcome, 1)
	sender, err := s.router.Sender(r.Context(), p, router.Target{Address: to}, heard)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	delivery, err := s.readDelivery(w, r, &letter, sender, unconfirmed)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	sender.Send(0, delivery)
	if unconfirmed {
		sender.Close()
		s.write(w, nethttp.StatusAccepted, nil)
		return
	}
	s.confirm(w, r.Context(), sender, heard)
}

// readDelivery reads the body of a message and encodes the whole.
func (s *Server) readDelivery(
	w nethttp.ResponseWriter, r *nethttp.Request, l *letter, sender *router.Sender, unconfirmed bool,
) (router.Delivery, error) {
	body, err := s.readBody(w, r, int64(sender.MaxMessageSize()))
	if err != nil {
		return router.Delivery{}, err
	}
	d, err := l.delivery(body, unconfirmed, time.Now())
	if err != nil {
		return router.Delivery{}, router.Errorf(router.Malformed, "the message has no AMQP form: %v", err)
	}
	return d, nil
}

// readBody reads the whole payload, of which neither the door nor the address need take more than a limit. What
// Content-Length announces to be larger is refused unread.
func (s *Server) readBody(w nethttp.ResponseWriter, r *nethttp.Request, most int64) ([]byte, error) {
	most = min(most, s.limits.MaxBody)
	if r.ContentLength > most {
		return nil, bodyTooLarge(most)
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	const eager = 64 << 10 // what a client announces is believed up to here; beyond, room grows with what comes
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), eager)) + bytes.MinRead)
	_, err := body.ReadFrom(nethttp.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*nethttp.MaxBytesError](err); ok {
		return nil, bodyTooLarge(most)
	}
	switch {
	case err == nil:
		nethttp.NewResponseController(w).SetReadDeadline(time.Time{})
		return body.Bytes(), nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, err
	default:
		return nil, router.Errorf(router.Malformed, "the body ended early")
	}
}

// setBodyDeadline gives the client the body timeout from now on. The deadline stays until the whole body has been read:
// net/http reads what is left of it before it answers, and would wait for a client that sends it drop by drop.
func (s *Server) setBodyDeadline(w nethttp.ResponseWriter) {
	nethttp.NewResponseController(w).SetReadDeadline(time.Now().Add(s.limits.BodyTimeout))
}

func bodyTooLarge(most int64) error {
	return router.Errorf(router.TooLarge, "the body is larger than %d bytes, which is the limit here", most)
}

// confirm closes the sender and answers by the outcome. If that takes too long, closing withdraws a message that nobody
// has taken; one that somebody has taken and not settled may yet be accepted, which the client is told.
func (s *Server) confirm(w nethttp.ResponseWriter, ctx context.Context, sender *router.Sender, heard outcome) {
	o, ok := heard.now()
	if !ok {
		o, ok = heard.wait(ctx, s.limits.OutcomeTimeout)
	}
	sender.Close()
	if !ok {
		o, ok = heard.now()
	}
	if !ok {
		s.writeProblem(w, problem{
			Status: nethttp.StatusGatewayTimeout,
			Detail: "a consumer has the message and has not settled it: whether it will be accepted is not known",
		})
		return
	}
	s.answerOutcome(w, o)
}

// now gives the outcome if it has been heard.
func (o outcome) now() (result router.Outcome, ok bool) {
	select {
	case result = <-o:
		return result, true
	default:
		return result, false
	}
}

// wait gives the outcome unless ctx ends or the time passes before.
func (o outcome) wait(ctx context.Context, within time.Duration) (result router.Outcome, ok bool) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case result = <-o:
		return result, true
	case <-timeout.C:
	case <-ctx.Done():
	}
	return result, false
}

func (s *Server) answerOutcome(w nethttp.ResponseWriter, o router.Outcome) {
	if o.State == router.Accepted {
		s.write(w, nethttp.StatusCreated, nil)
		return
	}
	detail := o.Text
	if detail == "" {
		detail = outcomeDetails[o.State]
	}
	s.answer(w, o.Reason, detail)
}

// outcomeDetails say what an outcome means that came without words of its own.
var outcomeDetails = [...]string{
	router.Released: "nobody took the message; it may be sent again",
	router.Rejected: "the message was rejected",
	router.Modified: "delivering the message was tried and failed; it may be sent again",
}

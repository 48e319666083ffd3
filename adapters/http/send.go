package http

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"mime"
	nethttp "net/http"
	"os"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// send answers POST {address}/messages.
func (s *Server) send(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	to, unconfirmed, err := readTarget(r, path)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	heard := make(outcome, 1)
	sender, err := s.router.Sender(r.Context(), p, router.Target{Address: to, Unpaced: true}, heard)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	delivery, err := s.readDelivery(w, r, sender, unconfirmed)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	sender.Send(0, delivery)
	if unconfirmed {
		sender.Close()
		s.writeEmpty(w, r, nethttp.StatusAccepted)
		return
	}
	s.answerResult(w, r, s.confirm(r.Context(), sender, heard))
}

// readTarget reads where a request sends to, and whether it asks for no outcome.
func readTarget(r *nethttp.Request, path *route) (to addressing.Address, unconfirmed bool, err error) {
	query := parseQuery(r.URL)
	unconfirmed = query.choice("ack", "outcome", "none", "outcome")
	if to, err = path.address(); err == nil {
		err = query.err()
	}
	return to, unconfirmed, err
}

// readDelivery reads a request that is one message, and encodes the whole.
func (s *Server) readDelivery(
	w nethttp.ResponseWriter, r *nethttp.Request, sender *router.Sender, unconfirmed bool,
) (router.Delivery, error) {
	p, err := s.readParcel(w, r, sender)
	if err != nil {
		return router.Delivery{}, err
	}
	return p.delivery(sender, unconfirmed)
}

// readParcel reads a request that is one message: its body, to which the letter may belong.
func (s *Server) readParcel(w nethttp.ResponseWriter, r *nethttp.Request, sender *router.Sender) (parcel, error) {
	l, err := readLetter(r.Header, sender.Address())
	if err != nil {
		return parcel{}, err
	}
	if isEnvelope(l.properties.ContentType) {
		return s.readEnvelope(w, r, sender.Address())
	}
	body, err := s.readBody(w, r, sender.MaxMessageSize(), "the address's maxMessageSize")
	return parcel{l, body}, err
}

// delivery encodes a parcel for a sender.
func (p *parcel) delivery(sender *router.Sender, unconfirmed bool) (router.Delivery, error) {
	if err := p.letter.goesTo(sender); err != nil {
		return router.Delivery{}, err
	}
	return p.letter.delivery(p.body, unconfirmed, time.Now())
}

// readEnvelope reads a message that is all in the body, but for the key that makes sending it again harmless.
func (s *Server) readEnvelope(w nethttp.ResponseWriter, r *nethttp.Request, to addressing.Address) (parcel, error) {
	if err := noFields(r.Header); err != nil {
		return parcel{}, err
	}
	text, err := s.readBody(w, r, math.MaxInt, "")
	if err != nil {
		return parcel{}, err
	}
	p, err := readDraft(text, to)
	if err != nil {
		return parcel{}, err
	}
	p.letter.readTrace(r.Header)
	return p, p.letter.readKey(r.Header.Values(headerIdempotencyKey), "")
}

// noFields refuses headers about a message in a request whose messages speak for themselves.
func noFields(h nethttp.Header) error {
	for name := range h {
		if strings.HasPrefix(name, headerPrefix) || strings.HasPrefix(name, headerEvent) || name == "Content-Encoding" {
			return router.Errorf(router.Malformed, "header %s: write it into the message, which is all in the body here", name)
		}
	}
	return nil
}

// isEnvelope tells whether a body of this type is a whole message in JSON.
func isEnvelope(contentType string) bool {
	if !strings.HasPrefix(contentType, typeEnvelope) {
		return false
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == typeEnvelope
}

// readBody reads the whole payload, of which neither the door nor the address need take more than a limit; setting is
// what decides the address's. What Content-Length announces to be larger is refused unread.
func (s *Server) readBody(w nethttp.ResponseWriter, r *nethttp.Request, limit int, setting string) ([]byte, error) {
	most := int64(limit)
	if s.limits.MaxBody < most {
		most, setting = s.limits.MaxBody, "http.maxBody"
	}
	if r.ContentLength > most {
		return nil, bodyTooLarge(most, setting)
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	body, err := readAll(w, r, most)
	if _, ok := errors.AsType[*nethttp.MaxBytesError](err); ok {
		return nil, bodyTooLarge(most, setting)
	}
	switch {
	case err == nil:
		if r.ProtoMajor == 1 { // else the deadline is the stream's and ends with it
			nethttp.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		return body, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, err
	default:
		return nil, router.Errorf(router.Malformed, "the body ended early")
	}
}

// readAll reads a body, which ends early if it has not the length that was announced. That is believed up to a size; beyond,
// and without one, room grows with what comes.
func readAll(w nethttp.ResponseWriter, r *nethttp.Request, most int64) ([]byte, error) {
	const eager = 64 << 10
	if r.ContentLength > 0 && r.ContentLength <= eager {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), eager)) + bytes.MinRead)
	_, err := body.ReadFrom(nethttp.MaxBytesReader(w, r.Body, most))
	return body.Bytes(), err
}

// setBodyDeadline gives the client the body timeout from now on. The deadline stays until the whole body has been read:
// net/http reads what is left of it before it answers, and would wait for a client that sends it drop by drop.
func (s *Server) setBodyDeadline(w nethttp.ResponseWriter) {
	nethttp.NewResponseController(w).SetReadDeadline(time.Now().Add(s.limits.BodyTimeout))
}

func bodyTooLarge(most int64, setting string) error {
	return router.Errorf(router.TooLarge, "the body is larger than %d bytes (%s)", most, setting)
}

// confirm closes the sender and gives the outcome. If that takes too long, closing withdraws a message that nobody has
// taken; one that somebody has taken and not settled may yet be accepted, which the client is told.
func (s *Server) confirm(ctx context.Context, sender *router.Sender, heard outcome) result {
	o, ok := heard.now()
	if !ok {
		o, ok = heard.wait(ctx, s.limits.OutcomeTimeout)
	}
	sender.Close()
	if !ok {
		o, ok = heard.now()
	}
	if !ok {
		return unknown()
	}
	return resultOf(o)
}

// answerResult answers with what became of a message.
func (s *Server) answerResult(w nethttp.ResponseWriter, r *nethttp.Request, o result) {
	if o.Status == nethttp.StatusCreated {
		s.writeEmpty(w, r, o.Status)
		return
	}
	s.writeProblem(w, problem{Status: o.Status, Reason: o.Reason, Detail: o.Detail, retry: o.retry})
}

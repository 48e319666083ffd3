package http

import (
	"bytes"
	"context"
	"errors"
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
	parcel := parcel{}
	if parcel.letter, err = readLetter(r.Header, to); err != nil {
		s.refuse(w, r, err)
		return
	}
	heard := make(outcome, 1)
	sender, err := s.router.Sender(r.Context(), p, router.Target{Address: to}, heard)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	delivery, err := s.readDelivery(w, r, &parcel, sender, unconfirmed)
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
	s.answerResult(w, s.confirm(r.Context(), sender, heard))
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

// readDelivery reads the body of a request that is one message, and encodes the whole.
func (s *Server) readDelivery(
	w nethttp.ResponseWriter, r *nethttp.Request, p *parcel, sender *router.Sender, unconfirmed bool,
) (d router.Delivery, err error) {
	if err = s.readParcel(w, r, p, sender); err != nil {
		return d, err
	}
	return p.delivery(sender, unconfirmed)
}

// readParcel reads the body, to which the letter may belong.
func (s *Server) readParcel(w nethttp.ResponseWriter, r *nethttp.Request, p *parcel, sender *router.Sender) (err error) {
	if isEnvelope(p.letter.properties.ContentType) {
		return s.readEnvelope(w, r, p, sender.Address())
	}
	p.body, err = s.readBody(w, r, sender.MaxMessageSize(), "the address's maxMessageSize")
	return err
}

// delivery encodes a parcel for a sender.
func (p *parcel) delivery(sender *router.Sender, unconfirmed bool) (router.Delivery, error) {
	if err := p.letter.goesTo(sender); err != nil {
		return router.Delivery{}, err
	}
	return p.letter.delivery(p.body, unconfirmed, time.Now())
}

// readEnvelope reads a message that is all in the body, but for the key that makes sending it again harmless.
func (s *Server) readEnvelope(w nethttp.ResponseWriter, r *nethttp.Request, p *parcel, to addressing.Address) error {
	if err := noFields(r.Header); err != nil {
		return err
	}
	text, err := s.readBody(w, r, math.MaxInt, "")
	if err != nil {
		return err
	}
	if *p, err = readDraft(text, to); err != nil {
		return err
	}
	return p.letter.readKey(r.Header.Values(headerIdempotencyKey), "")
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
	const eager = 64 << 10 // what a client announces is believed up to here; beyond, room grows with what comes
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), eager)) + bytes.MinRead)
	_, err := body.ReadFrom(nethttp.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*nethttp.MaxBytesError](err); ok {
		return nil, bodyTooLarge(most, setting)
	}
	switch {
	case err == nil:
		if r.ProtoMajor == 1 { // else the deadline is the stream's and ends with it
			nethttp.NewResponseController(w).SetReadDeadline(time.Time{})
		}
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
func (s *Server) answerResult(w nethttp.ResponseWriter, r result) {
	if r.Status == nethttp.StatusCreated {
		s.write(w, r.Status, nil)
		return
	}
	s.writeProblem(w, problem{Status: r.Status, Reason: r.Reason, Detail: r.Detail, retry: r.retry})
}

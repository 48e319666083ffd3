package http

import (
	"context"
	nethttp "net/http"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// request answers POST {address}/requests: it sends a message whose replies go to an address of its own, and answers
// with the first reply. That address ends with the call.
func (s *Server) request(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	query := parseQuery(r.URL)
	timeout := query.seconds("timeout", min(s.limits.OutcomeTimeout, s.limits.MaxPoll), 0, s.limits.MaxPoll, "http.maxPoll")
	to, err := path.address()
	if err == nil {
		err = query.err()
	}
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
	replyTo, release := s.router.Temporary(p)
	defer release()
	replies, err := s.openIntake(r.Context(), p, router.Source{Filter: replyTo.Filter()}, 1)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	defer replies.close()
	delivery, err := s.readRequest(w, r, sender, replyTo)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	replies.grant(1)
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	sender.Send(0, delivery)
	s.answerReply(ctx, w, r, path, sender, heard, replies)
}

// readRequest reads the message, and says in it where the reply is to go.
func (s *Server) readRequest(
	w nethttp.ResponseWriter, r *nethttp.Request, sender *router.Sender, replyTo addressing.Address,
) (router.Delivery, error) {
	p, err := s.readParcel(w, r, sender)
	if err != nil {
		return router.Delivery{}, err
	}
	if p.letter.properties.ReplyTo != "" {
		return router.Delivery{}, router.Errorf(router.Malformed, "a request has a reply-to of its own")
	}
	p.letter.properties.ReplyTo = string(replyTo)
	return p.delivery(sender, false)
}

// answerReply waits for the reply as long as the message may still bring one.
func (s *Server) answerReply(
	ctx context.Context, w nethttp.ResponseWriter, r *nethttp.Request, path *route,
	sender *router.Sender, heard outcome, replies *intake,
) {
	defer sender.Close()
	var sent result
	for waiting := heard; ; {
		select {
		case d := <-replies.came:
			replies.granted--
			s.writeMessage(w, path, &d, nil)
			d.Settle(router.Accept())
			return
		case o := <-waiting:
			if sent = resultOf(o); o.State != router.Accepted {
				s.answerResult(w, r, sent)
				return
			}
			waiting = nil
		case <-ctx.Done():
			s.answerNoReply(w, sent)
			return
		case <-draining(r):
			s.answer(w, router.Stopping, "")
			return
		}
	}
}

// answerNoReply tells what is known when the time is over. A message without an outcome is withdrawn if nobody has it.
func (s *Server) answerNoReply(w nethttp.ResponseWriter, sent result) {
	detail := "the message was accepted, but no reply came in time (parameter timeout)"
	if sent.Status == 0 {
		detail = "nobody has accepted the message, and no reply came in time (parameter timeout)"
	}
	s.writeProblem(w, problem{Status: nethttp.StatusGatewayTimeout, Detail: detail})
}

package http

import (
	"context"
	"fmt"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// verdicts is a door's side of a sender that sends several messages. It has room for the outcomes of all that are on
// their way, so that telling one never blocks.
type verdicts chan verdict

// verdict is the outcome of the message that was sent with a tag.
type verdict struct {
	tag     uint64
	outcome router.Outcome
}

var _ router.Producer = verdicts(nil)

// Settled implements router.Producer.
func (v verdicts) Settled(_ *router.Sender, tag uint64, o router.Outcome) { v <- verdict{tag, o} }

// Credit implements router.Producer; see outcome.
func (v verdicts) Credit(*router.Sender, int) {}

// sendBatch answers POST {address}/messages/batch: it sends several messages, in their order.
func (s *Server) sendBatch(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	to, unconfirmed, err := readTarget(r, path)
	if err == nil {
		err = noFields(r.Header)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	media, boundary := batchType(r.Header)
	switch media {
	case "":
		s.refuseType(w, batchTypes)
		return
	case typeLines:
		s.sendLines(w, r, p, router.Target{Address: to, Unpaced: true}, unconfirmed)
		return
	}
	heard := make(verdicts, s.limits.MaxBatch)
	sender, err := s.router.Sender(r.Context(), p, router.Target{Address: to, Unpaced: true}, heard.unless(unconfirmed))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	all, err := s.readDeliveries(w, r, media, boundary, sender, unconfirmed)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	for i, d := range all {
		sender.Send(uint64(i), d)
	}
	if unconfirmed {
		sender.Close()
		s.writeEmpty(w, r, nethttp.StatusAccepted)
		return
	}
	s.answerResults(w, r, s.confirmAll(r.Context(), sender, heard, len(all)))
}

// unless gives who hears the outcomes: nobody if the client asked for none.
func (v verdicts) unless(unconfirmed bool) router.Producer {
	if unconfirmed {
		return deaf{}
	}
	return v
}

// readDeliveries reads the whole batch and encodes it: if one message is wrong, none is sent.
func (s *Server) readDeliveries(
	w nethttp.ResponseWriter, r *nethttp.Request, media, boundary string, sender *router.Sender, unconfirmed bool,
) ([]router.Delivery, error) {
	body, err := s.readBody(w, r, int(s.limits.MaxBody), "http.maxBody")
	if err != nil {
		return nil, err
	}
	parcels, err := readBatch(body, media, boundary, sender.Address(), s.limits.MaxBatch)
	if err != nil {
		return nil, err
	}
	key := r.Header.Values(headerIdempotencyKey)
	all := make([]router.Delivery, len(parcels))
	for i := range parcels {
		if err := parcels[i].setKey(key, i+1); err != nil {
			return nil, err
		}
		parcels[i].letter.readTrace(r.Header)
		if all[i], err = parcels[i].delivery(sender, unconfirmed); err != nil {
			return nil, router.Errorf(router.ReasonOf(err), "message %d: %v", i+1, err)
		}
	}
	return all, nil
}

// refuseType tells which media types there are instead (RFC 9110 section 15.5.16).
func (s *Server) refuseType(w nethttp.ResponseWriter, types string) {
	w.Header().Set("Accept-Post", types)
	s.writeProblem(w, problem{
		Status: nethttp.StatusUnsupportedMediaType,
		Reason: router.Unsupported.String(), Detail: "the Content-Type is none of " + types,
	})
}

// confirmAll closes the sender and gives what became of each of n messages; see confirm.
func (s *Server) confirmAll(ctx context.Context, sender *router.Sender, heard verdicts, n int) []result {
	results := make([]result, n)
	for i := range results {
		results[i] = unknown()
	}
	timeout := time.NewTimer(s.limits.OutcomeTimeout)
	defer timeout.Stop()
	left := n
	for left > 0 {
		select {
		case v := <-heard:
			results[v.tag] = resultOf(v.outcome)
			left--
			continue
		case <-timeout.C:
		case <-ctx.Done():
		}
		break
	}
	sender.Close()
	for ; left > 0 && len(heard) > 0; left-- {
		v := <-heard
		results[v.tag] = resultOf(v.outcome)
	}
	return results
}

// answerResults answers 201 only if that is the answer to each message. Else the first other one is the answer, and
// tells of all.
func (s *Server) answerResults(w nethttp.ResponseWriter, r *nethttp.Request, results []result) {
	for i, one := range results {
		if one.Status != nethttp.StatusCreated {
			s.writeProblem(w, problem{
				Status: one.Status, Reason: one.Reason, Detail: fmt.Sprintf("message %d: %s", i+1, one.Detail),
				Results: results, retry: one.retry,
			})
			return
		}
	}
	s.writeEmpty(w, r, nethttp.StatusCreated)
}

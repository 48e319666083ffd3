package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	nethttp "net/http"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// settleOrder is what a client says of one of several messages that it has under locks.
type settleOrder struct {
	Location string `json:"location"` // of the lock
	Outcome  string `json:"outcome"`  // accepted, released, rejected or modified
	Reason   string `json:"reason"`

	outcome router.Outcome // that these name
}

// settleBatch answers POST {address}/messages/settle: it ends several locks, and tells of each once that is safe. One that
// there is not does not keep the others.
func (s *Server) settleBatch(w nethttp.ResponseWriter, r *nethttp.Request, path *route) {
	if media, _ := batchType(r.Header); media != typeJSON {
		s.refuseType(w, typeJSON)
		return
	}
	orders, err := s.readSettleOrders(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	results := make([]result, len(orders))
	safe := make(chan settlement, len(orders))
	waiting := 0
	for i := range orders {
		l, err := s.lockOf(path, orders[i].Location)
		if err != nil {
			results[i] = settled(err)
			continue
		}
		results[i] = result{Status: nethttp.StatusGatewayTimeout, Detail: unsafe}
		waiting++
		l.settle(orders[i].outcome, func(err error) { safe <- settlement{i, err} })
	}
	timeout := time.NewTimer(s.limits.OutcomeTimeout)
	defer timeout.Stop()
	for ; waiting > 0; waiting-- {
		select {
		case one := <-safe:
			results[one.place] = settled(one.err)
		case <-timeout.C:
			waiting = 1
		case <-r.Context().Done():
			waiting = 1
		}
	}
	s.writeJSON(w, r, results)
}

// settlement is how that of one of several messages went.
type settlement struct {
	place int
	err   error
}

// readSettleOrders reads the body.
func (s *Server) readSettleOrders(w nethttp.ResponseWriter, r *nethttp.Request) (all []settleOrder, err error) {
	body, err := s.readBody(w, r, math.MaxInt, "")
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&all); err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("something follows the JSON array")
		}
	}
	switch {
	case err != nil:
		return nil, router.Errorf(router.Malformed, "not an array of settlements: %v", err)
	case len(all) > s.limits.MaxBatch:
		return nil, router.Errorf(router.TooLarge, "the batch has more than %d settlements (http.maxBatch)", s.limits.MaxBatch)
	}
	for i := range all {
		if all[i].outcome, err = outcomeNamed(all[i].Outcome, all[i].Reason); err != nil {
			return nil, router.Errorf(router.Malformed, "settlement %d: %v", i+1, err)
		}
	}
	return all, nil
}

// lockOf takes the lock of a location, which is of the address of the request.
func (s *Server) lockOf(path *route, location string) (*lock, error) {
	at, err := parsePath(location)
	if err != nil || at.endpoint != endpointLock || at.tenant != path.tenant || at.text != path.text {
		return nil, router.Errorf(router.NotFound, noSuchLock)
	}
	l, ok := s.locks.take(at.tenant, at.text, at.lock)
	if !ok {
		return nil, router.Errorf(router.NotFound, noSuchLock)
	}
	return l, nil
}

package client

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/Azure/go-amqp"
)

// summary is what became of the messages of one call.
type summary struct {
	Address  string  `json:"address"`
	Sent     int     `json:"sent"`
	Accepted int     `json:"accepted"`
	Released int     `json:"released"`
	Rejected int     `json:"rejected"`
	Modified int     `json:"modified"`
	Seconds  float64 `json:"seconds"`
}

// settled is how many messages have an outcome.
func (s *summary) settled() int { return s.Accepted + s.Released + s.Rejected + s.Modified }

// count takes down one outcome. For each but accepted it gives a sentence that says what it means.
func (s *summary) count(state amqp.DeliveryState) (refusal string) {
	switch state := state.(type) {
	case *amqp.StateAccepted:
		s.Accepted++
		return ""
	case *amqp.StateRejected:
		s.Rejected++
		return "was rejected: " + describeRemote(state.Error)
	case *amqp.StateReleased:
		s.Released++
		return "was released: nobody could take it"
	case *amqp.StateModified:
		s.Modified++
		if state.DeliveryFailed {
			return "was given back as modified: a consumer tried and failed (delivery-failed)"
		}
		return "was given back as modified: nobody has dealt with it"
	default:
		return fmt.Sprintf("ended in a state that is no outcome: %T", state)
	}
}

func (s *summary) writeJSON(w io.Writer) error { return json.NewEncoder(w).Encode(s) }

func (s *summary) writeText(w io.Writer, settled bool) error {
	n, what := s.Accepted, "accepted"
	if settled {
		n, what = s.Sent, "sent without asking for an outcome"
	}
	_, err := fmt.Fprintf(w, "%s %s\n", messages(n), what)
	return err
}

// messages is a number of messages in words.
func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}

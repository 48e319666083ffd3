package http

import (
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// stay is a client's stay at a stream of a stored address, which outlasts its connection for a while: what was written
// last is not accepted at once, so that a client that comes back can say which event it saw last. One goroutine at a time
// has it; in between it is parked among the stays.
type stay struct {
	id      string
	place   place
	feed    *feed
	number  uint64            // of the newest event
	shown   []shown           // written and not accepted, the oldest first
	pending []router.Delivery // come, but not written when the connection ended

	parking // the stays' own
}

// shown is a message that was written as an event.
type shown struct {
	number   uint64
	at       time.Time
	delivery router.Delivery
}

// eventID is the id of the event with a number (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func (s *stay) eventID(number uint64) string { return s.id + "." + strconv.FormatUint(number, 10) }

// parseEventID reads what a client has as the id of the last event, if it is one of ours.
func parseEventID(text string) (id string, number uint64, ok bool) {
	id, digits, ok := strings.Cut(text, ".")
	number, err := strconv.ParseUint(digits, 10, 64)
	return id, number, ok && err == nil && len(id) == tokenLength
}

// show notes that a message has been written as the event with a number.
func (s *stay) show(d router.Delivery, number uint64, now time.Time) {
	s.shown = append(s.shown, shown{number, now, d})
}

// seen accepts what a client has seen: everything up to an event.
func (s *stay) seen(number uint64) {
	n := 0
	for n < len(s.shown) && s.shown[n].number <= number {
		n++
	}
	s.accept(n)
}

// settle accepts what is too old for a client to come back for, or beyond the messages and bytes that are kept for it.
func (s *stay) settle(now time.Time, lasts time.Duration, most, mostBytes int) {
	n := len(s.shown)
	for bytes := 0; n > 0 && len(s.shown)-n < most; n-- {
		newest := &s.shown[n-1]
		bytes += newest.delivery.Message.Len()
		if bytes > mostBytes || now.Sub(newest.at) >= lasts {
			break
		}
	}
	s.accept(n)
}

// accept accepts the n oldest.
func (s *stay) accept(n int) {
	for _, old := range s.shown[:n] {
		old.delivery.Settle(router.Accept())
	}
	kept := copy(s.shown, s.shown[n:])
	clear(s.shown[kept:])
	s.shown = s.shown[:kept]
}

// end gives everything back: what was shown counts as tried.
func (s *stay) end() {
	for _, d := range s.pending {
		d.Settle(router.Release())
	}
	s.feed.close()
}

package webhook

import (
	"fmt"
	"math"
	nethttp "net/http"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// action is what becomes of a message after a try to post it.
type action uint8

const (
	accept action = iota // its server has taken it
	reject               // its server does not want it, however often it is sent
	retry                // it may be taken later
	stop                 // its server wants no messages any more
)

// verdict is what a try has come to.
type verdict struct {
	action action
	text   string        // for people; it tells nothing that the server said
	pause  time.Duration // that the server asked for before anything else is posted; 0 for none
}

// judge says what an answer means (RFC 9110 section 15). Redirections are answers like any other.
func judge(status int, h nethttp.Header, now time.Time) verdict {
	v := verdict{action: retry, text: fmt.Sprintf("the webhook answered %d", status)}
	switch {
	case status >= 200 && status < 300:
		return verdict{action: accept}
	case status == nethttp.StatusGone:
		v.action = stop
	case status == nethttp.StatusRequestTimeout, status == nethttp.StatusTooEarly:
	case status == nethttp.StatusTooManyRequests, status == nethttp.StatusServiceUnavailable:
		v.pause = retryAfter(h.Get("Retry-After"), now)
	case status >= 400 && status < 500:
		v.action = reject
	}
	return v
}

// maxPause is the longest time that a server may have a hook wait.
const maxPause = time.Hour

// retryAfter reads a header that has seconds or a date (RFC 9110 section 10.2.3). One that is neither asks for nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxPause)
	}
	if at, err := nethttp.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxPause)
	}
	return 0
}

// Retry says when a message that was not taken is tried again.
type Retry struct {
	Initial    time.Duration // after the first try
	Multiplier float64       // how many times as long after each further one
	Max        time.Duration // at most
	Attempts   int           // tries after which it is rejected; 0 leaves that to its queue's maxDeliveries
}

// delay gives how long to wait after so many tries. luck is from 0 up to 1: it spreads the waiting over the second half of
// the delay, so that messages that failed together do not come together again.
func (r Retry) delay(tries uint32, luck float64) time.Duration {
	full := min(float64(r.Initial)*math.Pow(r.Multiplier, float64(tries-1)), float64(r.Max))
	return time.Duration(full * (0.5 + luck/2))
}

// outcome gives what becomes of a message for which a try has come to v. tries counts this one too. annotations are what its
// queue is to note of it when it comes back.
func (r Retry) outcome(v verdict, tries uint32, annotations string) router.Outcome {
	switch {
	case v.action == accept:
		return router.Accept()
	case v.action == reject:
		return router.Reject(router.Malformed, v.text)
	case v.action == stop:
		return router.Release()
	case r.Attempts > 0 && tries >= uint32(r.Attempts):
		return router.Reject(router.Failed, fmt.Sprintf("%s at try %d of %d", v.text, tries, r.Attempts))
	}
	o := router.Fail()
	o.Text, o.Annotations = v.text, annotations
	return o
}

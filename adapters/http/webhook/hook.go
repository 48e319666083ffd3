package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	nethttp "net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Hook is what is declared of a hook.
type Hook struct {
	Tenant string
	Name   string        // one of its kind in the tenant
	From   router.Source // a queue, or a durable subscription of topics
	URL    string        // of http or https
	Form   http.Form

	Headers     []Header // of each request
	Secrets     []Secret // that sign it; none for no signature
	Concurrency int      // messages that are posted, or wait to be posted again, at the same time
	Timeout     time.Duration
	Retry       Retry
}

// Header is a header that each request of a hook carries.
type Header struct{ Name, Value string }

// hook is one that runs.
type hook struct {
	Hook
	router *router.Router
	user   *tenancy.Principal
	client *nethttp.Client
	drain  time.Duration
	log    *slog.Logger
	counts *counts

	came   chan router.Delivery // with room for all credit
	quiet  atomic.Int64         // Unix nanoseconds before which its server wants nothing
	gone   chan struct{}        // closed when its server wants nothing any more
	goneBy sync.Once
	posts  sync.WaitGroup
}

var _ router.Consumer = (*hook)(nil)

// Deliver implements router.Consumer.
func (h *hook) Deliver(_ *router.Receiver, d router.Delivery) { h.came <- d }

// run posts messages until ctx ends or the server wants none, and returns when each that it was given has an outcome.
func (h *hook) run(ctx context.Context) {
	link := h.attach(ctx)
	if link == nil {
		return
	}
	defer link.Close()
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	link.Grant(h.Concurrency)
	for h.serves(ctx, requests, link) {
	}
	for link.Take() { // no more may come
	}
	h.giveBack()
	if ctx.Err() != nil {
		defer time.AfterFunc(h.drain, cut).Stop()
	}
	h.posts.Wait()
	h.giveBack()
}

// serves begins to post the next message; it is false when there is to be none.
func (h *hook) serves(ctx, requests context.Context, link *router.Receiver) bool {
	select {
	case <-ctx.Done():
		return false
	case <-h.gone:
		h.log.Warn("the webhook answered 410: it gets nothing more until it is declared anew")
		return false
	case d := <-h.came:
		h.posts.Go(func() {
			d.Settle(h.push(ctx, requests, d))
			link.Grant(1)
		})
		return true
	}
}

// giveBack releases what nobody has begun to post.
func (h *hook) giveBack() {
	for {
		select {
		case d := <-h.came:
			d.Settle(router.Release())
		default:
			return
		}
	}
}

// The times between two tries to link to what a hook takes from.
const (
	minAttach = time.Second
	maxAttach = time.Minute
)

// attach links to the source. While that cannot be, because somebody else has it or it is not declared yet, it says so once and
// tries again. It is nil when ctx has ended.
func (h *hook) attach(ctx context.Context) *router.Receiver {
	said := ""
	for wait := minAttach; ; wait = min(2*wait, maxAttach) {
		link, err := h.link(ctx)
		if err == nil {
			h.counts.attached.Store(true)
			return link
		}
		if text := err.Error(); ctx.Err() == nil && text != said {
			h.log.Warn("a webhook cannot take its messages; it goes on trying", "err", err)
			said = text
		}
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// link makes a receiver. A durable subscription that there is stays as it was made.
func (h *hook) link(ctx context.Context) (*router.Receiver, error) {
	source := h.From
	found, err := h.router.Subscriptions(ctx, h.user, source)
	if err != nil {
		return nil, err
	}
	for _, made := range found {
		if source.Selector != nil && source.Selector.String() != made.Selector.String() {
			return nil, router.Errorf(router.Conflict, "the subscription was made with another selector")
		}
		source.Shared, source.Selector, source.Except = made.Shared, made.Selector, made.Except
	}
	link, err := h.router.Receiver(ctx, h.user, source, h)
	if err == nil && link.Kind() != addressing.Queue && source.Subscription == "" {
		link.Close()
		return nil, router.Errorf(router.Unsupported, "%s is neither a queue nor a durable subscription", source.Filter)
	}
	return link, err
}

// push posts a message once, and gives its outcome when its queue may have that: after a failure not before it is to be tried
// again, so that the place of the message is not taken by the next. ctx ends what waits, and requests what is under way.
func (h *hook) push(ctx, requests context.Context, d router.Delivery) router.Outcome {
	if !pause(ctx, time.Until(time.Unix(0, h.quiet.Load()))) || h.isGone() {
		return router.Release()
	}
	id, annotations := identify(d.Message)
	begun := time.Now()
	v := h.post(requests, &d, id)
	tries := d.Attempts + 1
	o := h.Retry.outcome(v, tries, annotations)
	h.counts.count(v, o, time.Since(begun))
	if v.action == stop {
		h.goneBy.Do(func() { close(h.gone) })
	}
	if o.State == router.Accepted {
		return o
	}
	h.log.Info("a webhook did not take a message", "id", id, "try", tries, "why", v.text, "outcome", o.State.String())
	if v.pause > 0 {
		h.quieten(time.Now().Add(v.pause))
	}
	if o.State == router.Modified {
		h.counts.waiting.Add(1)
		pause(ctx, max(h.Retry.delay(tries, mathrand.Float64()), v.pause))
		h.counts.waiting.Add(-1)
	}
	return o
}

func (h *hook) isGone() bool {
	select {
	case <-h.gone:
		return true
	default:
		return false
	}
}

// quieten lets nothing be posted before a time.
func (h *hook) quieten(until time.Time) {
	for {
		was := h.quiet.Load()
		if until.UnixNano() <= was || h.quiet.CompareAndSwap(was, until.UnixNano()) {
			return
		}
	}
}

// pause waits; it is false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// post sends one request and judges its answer.
func (h *hook) post(ctx context.Context, d *router.Delivery, id string) verdict {
	h.counts.posting.Add(1)
	defer h.counts.posting.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r, err := h.request(ctx, d, id)
	if err != nil {
		return verdict{action: reject, text: "the message cannot be posted: " + cause(err).Error()}
	}
	answer, err := h.client.Do(r)
	if err != nil {
		return verdict{action: retry, text: "no answer of the webhook: " + cause(err).Error()}
	}
	leave(answer.Body)
	return judge(answer.StatusCode, answer.Header, time.Now())
}

// cause leaves out of an error the URL, in which there may be a secret.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// newID makes an id for a message that has none.
func newID() string { return "msg_" + rand.Text() }

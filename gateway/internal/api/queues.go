package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
	"github.com/manifoldmq/manifold/tenancy"
)

// stored is a queue or a subscription with what is in it.
type stored struct {
	Name           string     `json:"name" doc:"of a subscription, topic::name"`
	Messages       int        `json:"messages" doc:"whatever their state"`
	Bytes          int64      `json:"bytes"`
	Ready          int        `json:"ready" doc:"due, and held by nobody"`
	Unacknowledged int        `json:"unacknowledged" doc:"held by consumers"`
	Consumers      int        `json:"consumers"`
	Oldest         *time.Time `json:"oldest,omitempty" doc:"when the message came that is there longest"`
	In             uint64     `json:"in" doc:"messages stored, like what follows since the process was started"`
	Out            uint64     `json:"out" doc:"accepted by consumers"`
	Redelivered    uint64     `json:"redelivered"`
	DeadLettered   uint64     `json:"deadLettered"`
	Expired        uint64     `json:"expired"`
	Dropped        uint64     `json:"dropped"`
}

func storedOf(s *broker.Statistics) stored {
	out := stored{
		Name: s.Name, Messages: s.Messages, Bytes: s.Bytes, Ready: s.Ready, Unacknowledged: s.Unacknowledged,
		Consumers: s.Consumers, In: s.In, Out: s.Out, Redelivered: s.Redelivered, DeadLettered: s.DeadLettered,
		Expired: s.Expired, Dropped: s.Dropped,
	}
	if !s.Oldest.IsZero() {
		at := s.Oldest.UTC()
		out.Oldest = &at
	}
	return out
}

// InQueue is the queue or subscription that a request is about.
type InQueue struct {
	InTenant
	Queue string `path:"queue" doc:"the name of a queue, or of a subscription as topic::name; percent-encoded"`
}

const queuePath = "/v1/tenants/{tenant}/queues/{queue}"

func (s *server) addQueues() {
	register(s, operation("list-queues", http.MethodGet, "/v1/tenants/{tenant}/queues", "queues",
		"List queues and subscriptions with what is in them"), s.listQueues)
	register(s, operation("get-queue", http.MethodGet, queuePath, "queues", "Show what is in a queue or subscription"),
		func(_ context.Context, c *Caller, in *InQueue) (*struct{ Body stored }, error) {
			if err := s.reach(c, in, tenancy.Manage, tenancy.Browse); err != nil {
				return nil, err
			}
			found, ok := s.Store.StatisticsOf(in.Tenant, in.Queue)
			if !ok {
				return nil, errNotFound()
			}
			return &struct{ Body stored }{storedOf(&found)}, nil
		})
	register(s, operation("purge-queue", http.MethodPost, queuePath+"/purge", "queues", "Drop messages"), s.purge)
	register(s, operation("replay-queue", http.MethodPost, queuePath+"/replay", "queues",
		"Put dead or expired messages back to where they came from"), s.replay)
	register(s, operation("move-queue", http.MethodPost, queuePath+"/move", "queues", "Put messages into another queue"),
		func(ctx context.Context, c *Caller, in *transfer) (*count, error) {
			return s.transfer(ctx, c, in, s.Store.Move)
		})
	register(s, operation("copy-queue", http.MethodPost, queuePath+"/copy", "queues", "Put copies of messages into another queue"),
		func(ctx context.Context, c *Caller, in *transfer) (*count, error) {
			return s.transfer(ctx, c, in, s.Store.Copy)
		})
}

// filterOf gives the addresses that a queue or a subscription takes from.
func filterOf(name string) (addressing.Filter, bool) {
	text, _, _ := strings.Cut(name, "::")
	f, err := addressing.ParseFilter(text)
	return f, err == nil
}

// holds tells whether c has one of some rights at a queue or subscription. It looks at c only.
func holds(c *Caller, tenant, name string, rights ...tenancy.Right) bool {
	if c.administers(tenant) {
		return true
	}
	f, ok := filterOf(name)
	for _, right := range rights {
		if ok && c.may(tenant, right, f) {
			return true
		}
	}
	return false
}

// reach refuses who has none of some rights at a queue, as if it did not exist.
func (s *server) reach(c *Caller, q *InQueue, rights ...tenancy.Right) error {
	if !holds(c, q.Tenant, q.Queue, rights...) {
		return errNotFound()
	}
	if _, ok := s.Book.Lookup(q.Tenant); !ok {
		return errNotFound()
	}
	return nil
}

func (s *server) listQueues(_ context.Context, c *Caller, in *struct {
	InTenant
	Paging
}) (*output[stored], error) {
	if !c.administers(in.Tenant) && !c.belongs(in.Tenant) {
		return nil, errNotFound()
	}
	if _, ok := s.Book.Lookup(in.Tenant); !ok {
		return nil, errNotFound()
	}
	out := &output[stored]{page[stored]{Items: []stored{}}}
	for after := in.After; ; {
		found := s.Store.Page(in.Tenant, after, in.Limit+1)
		for i := range found {
			switch {
			case !holds(c, in.Tenant, found[i].Name, tenancy.Manage, tenancy.Browse):
			case len(out.Body.Items) == in.Limit:
				out.Body.Next = out.Body.Items[in.Limit-1].Name
				return out, nil
			default:
				out.Body.Items = append(out.Body.Items, storedOf(&found[i]))
			}
			after = found[i].Name
		}
		if len(found) <= in.Limit {
			break
		}
	}
	if len(out.Body.Items) == 0 && !c.administers(in.Tenant) {
		return nil, errNotFound() // nothing is for him
	}
	return out, nil
}

// Which is which messages a request is about.
type Which struct {
	Selector string `query:"selector" doc:"a JMS selector of messages; none is all of them"`
	Max      int    `query:"max" minimum:"0" maximum:"1000000000" doc:"the first so many; 0 is no limit"`
}

func (s *Which) of() (broker.Selection, error) {
	if s.Selector == "" {
		return broker.Selection{Max: s.Max}, nil
	}
	parsed, err := selector.Parse(s.Selector)
	if err != nil {
		return broker.Selection{}, router.Errorf(router.Malformed, "selector: %v", err)
	}
	return broker.Selection{Selector: parsed, Max: s.Max}, nil
}

// count is how many messages something was done with.
type count struct {
	Body struct {
		Messages int `json:"messages" doc:"with how many it was done"`
	}
}

func (s *server) purge(ctx context.Context, c *Caller, in *struct {
	InQueue
	Which
}) (*count, error) {
	return s.work(ctx, c, &in.InQueue, &in.Which, "purged", s.Store.Purge)
}

func (s *server) replay(ctx context.Context, c *Caller, in *struct {
	InQueue
	Which
}) (*count, error) {
	return s.work(ctx, c, &in.InQueue, &in.Which, "replayed", s.Store.Replay)
}

// work does something with messages of a queue.
func (s *server) work(
	ctx context.Context, c *Caller, q *InQueue, which *Which, what string,
	do func(context.Context, string, string, broker.Selection) (int, error),
) (*count, error) {
	if err := s.reach(c, q, tenancy.Manage); err != nil {
		return nil, err
	}
	selected, err := which.of()
	if err != nil {
		return nil, err
	}
	out := new(count)
	out.Body.Messages, err = do(ctx, q.Tenant, q.Queue, selected)
	s.Note(c, q.Tenant, "queue", q.Queue, what)
	return out, err
}

type transfer struct {
	InQueue
	Which
	To string `query:"to" required:"true" doc:"the name of the other queue, or of a subscription as topic::name"`
}

// transfer has messages get into another queue, which c has to manage too.
func (s *server) transfer(
	ctx context.Context, c *Caller, in *transfer,
	do func(ctx context.Context, tenant, from, to string, s broker.Selection) (int, error),
) (*count, error) {
	if err := s.reach(c, &InQueue{in.InTenant, in.To}, tenancy.Manage); err != nil {
		return nil, err
	}
	return s.work(ctx, c, &in.InQueue, &in.Which, "moved", func(ctx context.Context, tenant, from string, which broker.Selection) (int, error) {
		return do(ctx, tenant, from, in.To, which)
	})
}

package webhook

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	nethttp "net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what a Service needs. Router and Directory must be set.
type Config struct {
	Router       *router.Router
	Directory    *tenancy.Directory
	Guard        Guard
	DrainTimeout time.Duration // for requests under way when a hook stops; default 10 s
	Log          *slog.Logger  // slog.DiscardHandler's if nil
}

// Service runs hooks. Its methods may be called from any goroutine.
type Service struct {
	router    *router.Router
	directory *tenancy.Directory
	client    *nethttp.Client
	drain     time.Duration
	log       *slog.Logger
	changed   chan struct{} // has room for one: Run looks at wanted again

	mu     sync.Mutex // guards everything below; a leaf
	wanted map[key]Hook
	counts map[key]*counts
}

// key names a hook.
type key struct{ tenant, name string }

// New gives a service without hooks.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: c.Guard.check}
	return &Service{
		router: c.Router, directory: c.Directory, client: newClient(dialer.DialContext), drain: c.DrainTimeout, log: c.Log,
		changed: make(chan struct{}, 1), counts: make(map[key]*counts),
	}
}

// newClient gives a client that follows no redirections, asks no proxy and believes no answer to be small.
func newClient(dial func(context.Context, string, string) (net.Conn, error)) *nethttp.Client {
	return &nethttp.Client{
		Transport: &nethttp.Transport{
			DialContext:            dial,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConnsPerHost:    64,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}
}

// Define has these hooks run and no others. Those that are declared as they were go on undisturbed; each other begins anew, and
// those that are not declared any more end.
func (s *Service) Define(hooks []Hook) {
	s.mu.Lock()
	s.wanted = make(map[key]Hook, len(hooks))
	for _, h := range hooks {
		s.wanted[key{h.Tenant, h.Name}] = h
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default: // Run has yet to look
	}
}

// Figures tells about the hooks that are declared, by tenant and name.
func (s *Service) Figures() []Figure {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Figure
	for k, c := range s.counts {
		all = append(all, c.figure(k))
	}
	slices.SortFunc(all, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// running is a hook with what ends it.
type running struct {
	hook Hook
	stop context.CancelFunc
	done chan struct{} // closed when it has ended
}

// Run runs the hooks until ctx ends, and returns when all have ended: it is for one caller.
func (s *Service) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	hooks := make(map[key]running)
	for {
		select {
		case <-ctx.Done():
			end(hooks, func(key, Hook) bool { return true })
			return nil
		case <-s.changed:
			s.follow(ctx, hooks)
		}
	}
}

// follow ends the hooks that are not to run as they do, then begins those that do not run.
func (s *Service) follow(ctx context.Context, hooks map[key]running) {
	s.mu.Lock()
	wanted := s.wanted
	s.mu.Unlock()
	end(hooks, func(k key, h Hook) bool {
		other, ok := wanted[k]
		return !ok || !reflect.DeepEqual(h, other)
	})
	for k, h := range wanted {
		if _, ok := hooks[k]; !ok {
			s.start(ctx, hooks, k, h)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.counts {
		if _, ok := wanted[k]; !ok {
			delete(s.counts, k)
		}
	}
}

// end ends hooks and waits for them.
func end(hooks map[key]running, unwanted func(key, Hook) bool) {
	var ending []running
	for k, r := range hooks {
		if unwanted(k, r.hook) {
			r.stop()
			ending = append(ending, r)
			delete(hooks, k)
		}
	}
	for _, r := range ending {
		<-r.done
	}
}

// start begins a hook, of a tenant that there is.
func (s *Service) start(ctx context.Context, hooks map[key]running, k key, declared Hook) {
	tenant, ok := s.directory.Lookup(k.tenant)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	h := &hook{
		Hook: declared, router: s.router, client: s.client, drain: s.drain,
		user: tenancy.Insider(tenant, "webhook:"+k.name),
		log:  s.log.With("tenant", k.tenant, "webhook", k.name), counts: s.countsOf(k),
		came: make(chan router.Delivery, declared.Concurrency), gone: make(chan struct{}),
	}
	r := running{hook: declared, stop: cancel, done: make(chan struct{})}
	hooks[k] = r
	go func() {
		defer close(r.done)
		h.run(ctx)
	}()
}

// countsOf gives the figures of a hook that begins.
func (s *Service) countsOf(k key) *counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts[k]
	if c == nil {
		c = new(counts)
		s.counts[k] = c
	}
	c.attached.Store(false)
	c.stopped.Store(false)
	return c
}

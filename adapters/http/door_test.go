package http

import (
	"context"
	"encoding/json"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// door is a served Server with clients over in-memory connections.
type door struct {
	t       testing.TB
	server  *Server
	router  *router.Router
	queues  *queues
	dir     *tenancy.Directory
	pipes   pipes
	client  *nethttp.Client
	stop    context.CancelFunc
	stopped chan error
}

// inBubble runs a test with a door in a bubble of fake time. When it ends every goroutine must have ended.
func inBubble(t *testing.T, limits Limits, test func(t *testing.T, d *door)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{Limits: limits})
		defer d.close()
		test(t, d)
	})
}

// open serves a door.
func open(t testing.TB, c Config) *door {
	t.Helper()
	d := newDoor(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	go func() { d.stopped <- d.server.Serve(ctx, d.pipes) }()
	d.client = d.newClient(false)
	return d
}

// newDoor gives a door that is not served, for the tenants acme and other, for closed, which lets nobody in, and for those of devices.
func newDoor(t testing.TB, c Config) *door {
	t.Helper()
	d := &door{t: t, queues: new(queues), pipes: make(pipes), stopped: make(chan error, 1), dir: directory(t)}
	direct := router.NewDirect(router.Limits{})
	d.router = router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: d.queues,
	})
	c.Router, c.Directory = d.router, d.dir
	var err error
	if d.server, err = New(c); err != nil {
		t.Fatal(err)
	}
	return d
}

func directory(t testing.TB) *tenancy.Directory {
	t.Helper()
	var tenants []*tenancy.Tenant
	for _, name := range []string{"acme", "other", "closed"} {
		definitions := []addressing.Definition{
			{Name: filter(t, "#"), Kind: addressing.Broadcast},
			{Name: filter(t, "cmd/#"), Kind: addressing.Anycast},
			{Name: filter(t, "jobs/#"), Kind: addressing.Queue},
			{Name: filter(t, "small"), Kind: addressing.Queue, MaxMessageSize: 100},
		}
		if name == "other" { // the router of these tests has no resolver for topics
			definitions = append(definitions, addressing.Definition{Name: filter(t, "topics/#"), Kind: addressing.Topic})
		}
		space, err := addressing.NewSpace(definitions)
		if err != nil {
			t.Fatal(err)
		}
		tenants = append(tenants, &tenancy.Tenant{Name: name, Addresses: space, Anonymous: name != "closed"})
	}
	d, err := tenancy.NewDirectory(append(tenants, plant(t), yard(t))...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func filter(t testing.TB, s string) addressing.Filter {
	t.Helper()
	f, err := addressing.ParseFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// newClient gives a client of HTTP/1.1, or of HTTP/2 with prior knowledge.
func (d *door) newClient(http2 bool) *nethttp.Client {
	protocols := new(nethttp.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	return &nethttp.Client{Transport: &nethttp.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.pipes.dial(ctx)
		},
	}}
}

func (d *door) close() {
	d.t.Helper()
	d.client.CloseIdleConnections()
	d.stop()
	if err := <-d.stopped; err != nil {
		d.t.Errorf("Serve: %v", err)
	}
}

// answer is a response with its body read.
type answer struct {
	*nethttp.Response
	body string
}

// do sends a request, with headers as "Name: value", and checks the status.
func (d *door) do(want int, method, path, body string, headers ...string) answer {
	d.t.Helper()
	return d.doAs(d.client, want, method, path, body, headers...)
}

func (d *door) doAs(c *nethttp.Client, want int, method, path, body string, headers ...string) answer {
	d.t.Helper()
	r := d.begin(c, context.Background(), method, path, body, headers...)
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if r.StatusCode != want {
		d.t.Fatalf("%s %s: status %d, want %d; %s", method, path, r.StatusCode, want, got)
	}
	expectDocumented(d.t, method, path, r)
	expectAsDescribed(d.t, method, path, r.Request.Header.Get("Content-Type"), body, r, got)
	return answer{r, string(got)}
}

// begin sends a request and gives the response with its body unread.
func (d *door) begin(
	c *nethttp.Client, ctx context.Context, method, path, body string, headers ...string,
) *nethttp.Response {
	d.t.Helper()
	r, err := nethttp.NewRequestWithContext(ctx, method, "http://door"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	response, err := c.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return response
}

// problem checks that an answer is a problem document of its status, and gives it.
func (a answer) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%q: %v", a.body, err)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if p.Type != "about:blank" || p.Status != a.StatusCode || p.Title != nethttp.StatusText(a.StatusCode) {
		t.Errorf("%+v", p)
	}
	return p
}

// pipes is a listener whose connections are in memory.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	nc, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// principal gives the anonymous user of a tenant.
func (d *door) principal(tenant string) *tenancy.Principal {
	p, err := d.dir.Anonymous(tenancy.Visitor{Tenant: tenant}, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// consumer receives from a filter beside the door, with credit for 100.
type consumer chan router.Delivery

func (c consumer) Deliver(_ *router.Receiver, d router.Delivery) { c <- d }

func (d *door) consume(tenant, from string) (consumer, *router.Receiver) {
	d.t.Helper()
	c := make(consumer, 100)
	r, err := d.router.Receiver(context.Background(), d.principal(tenant), router.Source{Filter: filter(d.t, from)}, c)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Grant(100)
	return c, r
}

// pass lets time of the bubble pass.
func pass(d time.Duration) { <-time.After(d) }

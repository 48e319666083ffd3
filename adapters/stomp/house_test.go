package stomp

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// house is a door on a router with direct nodes, and clients that speak to it.
type house struct {
	t       *testing.T
	ctx     context.Context
	server  *Server
	links   routertest.Links
	serving sync.WaitGroup
}

// run gives a test a house within a synctest bubble. Its tenants are default, which is anonymous, and acme, which is not.
func run(t *testing.T, test func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		user := routertest.User(t, "default",
			routertest.Define(t, "commands/#", addressing.Anycast),
			routertest.Define(t, "alerts/#", addressing.Broadcast),
		)
		acme := routertest.User(t, "acme", routertest.Define(t, "acme/#", addressing.Broadcast)).Tenant
		acme.Anonymous = false
		credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
		if err != nil {
			t.Fatal(err)
		}
		acme.Users = []tenancy.User{{Name: "ann", Credential: credential}}
		directory, err := tenancy.NewDirectory(user.Tenant, acme)
		if err != nil {
			t.Fatal(err)
		}
		direct := router.NewDirect(router.Limits{})
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct,
		})
		limits := DefaultLimits()
		limits.MaxTemporaries = 2
		ctx, stop := context.WithCancel(t.Context())
		h := &house{
			t: t, ctx: ctx,
			links: routertest.Links{T: t, Router: r, User: user},
			server: New(Config{
				Router: r, Directory: directory, Limits: limits, Log: slog.New(slog.DiscardHandler),
				Driver: transport.NewDriver(transport.Options{}),
			}),
		}
		test(h)
		stop()
		h.serving.Wait()
	})
}

// client is the other end of a connection, on the codec of another project.
type client struct {
	t   *testing.T
	nc  net.Conn
	in  *frame.Reader
	out *frame.Writer
}

func (h *house) dial() *client {
	ours, theirs := net.Pipe()
	h.serving.Go(func() { h.server.ServeConn(h.ctx, ours) })
	h.t.Cleanup(func() { theirs.Close() })
	return &client{h.t, theirs, frame.NewReader(theirs), frame.NewWriter(theirs)}
}

// connect gives a client that has been let in.
func (h *house) connect(header ...string) *client {
	h.t.Helper()
	c := h.dial()
	c.send(frame.CONNECT, "", append([]string{"accept-version", "1.2", "host", "gateway"}, header...)...)
	c.receive(frame.CONNECTED)
	return c
}

// send writes a frame with a body and headers, names and values in turn.
func (c *client) send(command, body string, header ...string) {
	c.t.Helper()
	f := frame.New(command, header...)
	f.Body = []byte(body)
	if err := c.out.Write(f); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a frame and waits for its RECEIPT.
func (c *client) ask(command, body string, header ...string) {
	c.t.Helper()
	c.send(command, body, append(header, "receipt", "asked")...)
	if f := c.receive(frame.RECEIPT); f.Header.Get(frame.ReceiptId) != "asked" {
		c.t.Fatalf("RECEIPT of %q", f.Header.Get(frame.ReceiptId))
	}
}

// receive reads the next frame, which must have this command.
func (c *client) receive(command string) *frame.Frame {
	c.t.Helper()
	f, err := c.in.Read()
	if err != nil {
		c.t.Fatalf("%v, want %s", err, command)
	}
	if f.Command != command {
		c.t.Fatalf("%s %s %s, want %s", f.Command, f.Header.Get(frame.Message), f.Body, command)
	}
	return f
}

// expect reads messages with these bodies, in this order, and gives them.
func (c *client) expect(bodies ...string) (got []*frame.Frame) {
	c.t.Helper()
	for _, body := range bodies {
		f := c.receive(frame.MESSAGE)
		if string(f.Body) != body {
			c.t.Fatalf("got %q, want %q", f.Body, body)
		}
		got = append(got, f)
	}
	return got
}

// refused reads an ERROR with this message, and the end of the connection.
func (c *client) refused(message string) *frame.Frame {
	c.t.Helper()
	f := c.receive(frame.ERROR)
	if got := f.Header.Get(frame.Message); got != message {
		c.t.Errorf("ERROR %q: %s, want %q", got, f.Body, message)
	}
	if strings.TrimSpace(string(f.Body)) == "" {
		c.t.Error("an ERROR without a body")
	}
	if more, err := c.in.Read(); err == nil {
		c.t.Errorf("%+v after an ERROR", more)
	}
	return f
}

// idle tells that nothing has come: it asks for something, and gets the answer to that at once.
func (c *client) idle() {
	c.t.Helper()
	c.ask(frame.BEGIN, "", "transaction", "idle")
	c.ask(frame.ABORT, "", "transaction", "idle")
}

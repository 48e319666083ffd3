package client

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// house is the door for AMQP on a port of its own, on a router with nodes of every kind. Its tenant "closed" lets in ann
// alone, with the password p@ss.
type house struct {
	t     *testing.T
	url   string
	door  *amqp.Server
	links routertest.Links // on the other side of the router
	stop  context.CancelFunc
}

func newHouse(t *testing.T) *house {
	t.Helper()
	small := routertest.Define(t, "small", addressing.Anycast)
	small.MaxMessageSize = 100
	user := routertest.User(t, "default", small,
		routertest.Define(t, "commands/#", addressing.Anycast), routertest.Define(t, "alerts/#", addressing.Broadcast),
		routertest.Define(t, "jobs", addressing.Queue), routertest.Define(t, "telemetry/#", addressing.Topic))
	secret, err := tenancy.ParseCredential("SCRAM-SHA-256$65536:x4GM3wLnSoINzTn8BMlvpw==$" +
		"gijf4dmLCpj4+n3PBLoXJ+WGJkPk4CMO2uzr38y94bY=:bVVILIhLyoM45Yzp/CfT+Rzhh5zhPRA785jEYAONhgc=")
	if err != nil {
		t.Fatal(err)
	}
	directory, err := tenancy.NewDirectory(user.Tenant, &tenancy.Tenant{
		Name: "closed", Addresses: user.Tenant.Addresses, Users: []tenancy.User{{Name: "ann", Credential: secret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	store, err := broker.Open(broker.Options{Dir: "data", FS: vfs.NewMem(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{LinkCredit: 10}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct,
		addressing.Queue: store, addressing.Topic: store,
	})
	door := amqp.New(amqp.Config{
		Router: r, Directory: directory, Limits: amqp.DefaultLimits(), Log: log,
		Driver: transport.NewDriver(transport.Options{}), ContainerID: "house", Version: "test",
	})
	ln := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := door.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &house{
		t: t, url: "amqp://" + ln.Addr().String(), door: door, stop: stop,
		links: routertest.Links{T: t, Router: r, User: user},
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// send runs `manifold send` against the house.
func (h *house) send(input string, args ...string) (output string, err error) {
	return call(h.t.Context(), NewSendCommand(), strings.NewReader(input), append(args, "--url", h.url)...)
}

// receive runs `manifold receive` against the house.
func (h *house) receive(args ...string) (output string, err error) {
	return call(h.t.Context(), NewReceiveCommand(), strings.NewReader(""), append(args, "--url", h.url)...)
}

// call runs a command, and gives what it printed to standard output.
func call(ctx context.Context, cmd *cobra.Command, input io.Reader, args ...string) (string, error) {
	var output bytes.Buffer
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args)
	cmd.SetIn(input)
	cmd.SetOut(&output)
	cmd.SetErr(io.Discard)
	err := cmd.ExecuteContext(ctx)
	return output.String(), err
}

// running is a `manifold receive` that runs.
type running struct {
	t      *testing.T
	done   chan struct{}
	output string
	err    error
}

// start runs `manifold receive` beside the test. An anycast address holds senders back until it is there.
func (h *house) start(args ...string) *running {
	r := &running{t: h.t, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.output, r.err = h.receive(args...)
	}()
	h.t.Cleanup(func() { <-r.done })
	return r
}

// runs tells whether it has not ended yet.
func (r *running) runs() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// printed waits for the end, which has to be good, and gives the output.
func (r *running) printed() string {
	r.t.Helper()
	<-r.done
	if r.err != nil {
		r.t.Fatal(r.err)
	}
	return r.output
}

// wantError checks that an error says all parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
}

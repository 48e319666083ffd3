package gateway

import (
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// drainer receives from a queue as JMS does in receiveNoWait: it gives credit and asks for it back at once, in one flow.
// The client of go-amqp cannot, since it sets its credit to 0 when it drains.
type drainer struct {
	t      *testing.T
	tcp    net.Conn
	conn   *engine.Conn
	source *frame.Source
	link   *engine.Link
	ready  bool // what was waited for has happened
	came   []string
}

var _ engine.Handler = (*drainer)(nil)

func newDrainer(t *testing.T, door string, source frame.Source) *drainer {
	t.Helper()
	tcp, err := new(net.Dialer).DialContext(t.Context(), "tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	if err := tcp.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	d := &drainer{t: t, tcp: tcp, source: &source}
	limits := engine.DefaultLimits()
	client := engine.Client{Mechanisms: []engine.Mechanism{engine.WithAnonymous("")}}
	d.conn = engine.NewClient(time.Now(), &limits, client, d)
	d.conn.Open(frame.Open{ContainerID: "drainer"})
	d.talk()
	return d
}

// take gives what comes for so much credit.
func (d *drainer) take(credit int) []string {
	d.t.Helper()
	d.came = nil
	d.link.Grant(credit)
	d.link.Drain()
	d.talk()
	return d.came
}

// leave returns when the door knows that the receiver is gone.
func (d *drainer) leave() {
	d.t.Helper()
	d.link.Close(nil)
	d.talk()
}

// talk writes and reads until what was waited for has happened, and all that followed from it is written.
func (d *drainer) talk() {
	d.t.Helper()
	d.ready = false
	buffer := make([]byte, 64<<10)
	for {
		if _, err := d.tcp.Write(d.conn.Flush(nil)); err != nil {
			d.t.Fatal(err)
		}
		if d.ready {
			return
		}
		n, err := d.tcp.Read(buffer)
		if err != nil {
			d.t.Fatal(err)
		}
		if err := d.conn.Feed(time.Now(), buffer[:n]); err != nil {
			d.t.Fatal(err)
		}
	}
}

// Opened implements engine.Handler.
func (d *drainer) Opened(*frame.Open) {
	d.link = d.conn.Begin().Attach(frame.Attach{
		Name: "in", Role: frame.Receiver, Source: d.source, Target: new(frame.Target),
	})
}

// Received implements engine.Handler: every message is accepted.
func (d *drainer) Received(l *engine.Link, x *engine.Transfer) {
	m, err := amqp.ParseMessage(slices.Clone(x.Payload))
	if err != nil {
		d.t.Fatal(err)
	}
	payload, _, _ := m.Body().Payload()
	d.came = append(d.came, string(payload))
	l.Settle(x.ID, frame.State{Kind: frame.Accepted})
}

// Attached implements engine.Handler.
func (d *drainer) Attached(*engine.Link) { d.ready = true }

// Drained implements engine.Handler.
func (d *drainer) Drained(*engine.Link) { d.ready = true }

// Detached implements engine.Handler.
func (d *drainer) Detached(*engine.Link, engine.Detachment) { d.ready = true }

// Closed implements engine.Handler.
func (d *drainer) Closed(e engine.Ending) { d.t.Errorf("the connection was closed: %+v", e) }

// Authenticate implements engine.Handler, as the following do; there is nothing to do for them.
func (d *drainer) Authenticate(engine.Authentication) {}

// Begun implements engine.Handler.
func (d *drainer) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (d *drainer) Ended(*engine.Session, *frame.Error) {}

// Requested implements engine.Handler.
func (d *drainer) Requested(*engine.Link) {}

// Sendable implements engine.Handler.
func (d *drainer) Sendable(*engine.Link) {}

// Progressed implements engine.Handler.
func (d *drainer) Progressed(*engine.Link, engine.Update) {}

// TestAMQPDrainGivesWhatThereIs: on an empty queue draining brings nothing and ends; on a full one it brings a message
// for each credit, as far as there are any.
func TestAMQPDrainGivesWhatThereIs(t *testing.T) {
	c := quickstart(t)
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	d := newDrainer(t, doors["amqp"], frame.Source{Address: "jobs"})
	if got := d.take(1); got != nil {
		t.Errorf("an empty queue gave %q", got)
	}
	enterAMQP(t, doors).fill("jobs", 5)
	for _, step := range []struct {
		credit int
		want   []string
	}{{1, []string{"0"}}, {1, []string{"1"}}, {100, []string{"2", "3", "4"}}, {1, nil}} {
		if got := d.take(step.credit); !slices.Equal(got, step.want) {
			t.Errorf("draining with credit %d gave %q, want %q", step.credit, got, step.want)
		}
	}
}

package isolation

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// seat is how a client says who he is.
type seat struct {
	user, password string
	host           string // the virtual host that he asks for; empty for none
	tenant         string // in the path of an HTTP request
}

// The two users.
var (
	victim   = seat{user: "vic@victim", password: "a", tenant: "victim"}
	intruder = seat{user: "mal@intruder", password: "a", tenant: "intruder"}
)

// party speaks one protocol.
type party struct {
	name  string
	deeds []deed
}

// deed is something that a client does with a name. What it is told is nobody's concern but the tap's: a refusal is as
// good as anything else.
type deed struct {
	name string
	do   func(*visit) (roundTrip func()) // after which it has heard what was sent to it before; nil when it cannot listen
	hear string                          // a name by which the victim would hear its own secret, or be heard by itself
}

// attempt is a deed with a name, by somebody.
type attempt struct {
	seat seat
	name string
}

// visit is an attempt under way.
type visit struct {
	*attempt
	world *world
	t     *testing.T
	ctx   context.Context
	tap   *tap
	conns []net.Conn
}

// patience is how long one deed may take before it is given up, which no test depends on; the machine may have much else to do.
const patience = 2 * time.Minute

// silence is how long a client waits for what need not come: the answer to a publication over MQTT 3.1.1 that is not taken, or to
// a request over CoAP that waits for a consumer; credit for a link over AMQP where nobody receives; an event of a stream.
const silence = 2 * time.Second

// visit begins an attempt, which is over in time.
func (w *world) visit(t *testing.T, a *attempt) *visit {
	t.Helper()
	return w.stay(t, a, patience)
}

// stay begins an attempt that may last so long.
func (w *world) stay(t *testing.T, a *attempt, d time.Duration) *visit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	v := &visit{attempt: a, world: w, t: t, ctx: ctx, tap: new(tap)}
	t.Cleanup(func() {
		cancel()
		v.leave()
	})
	return v
}

// dial opens a connection to a door, which the visit closes.
func (v *visit) dial(network, door string) net.Conn {
	v.t.Helper()
	conn, err := new(net.Dialer).DialContext(v.ctx, network, v.world.doors[door])
	if err != nil {
		v.t.Errorf("the %s door is not there any more: %v", door, err)
		conn, _ = net.Pipe()
		conn.Close()
	}
	deadline, _ := v.ctx.Deadline()
	conn.SetDeadline(deadline)
	v.conns = append(v.conns, conn)
	return tapped{conn, v.tap}
}

// mark is what a message of the visit bears.
func (v *visit) mark() string {
	return mark + " of " + strconv.Quote(v.name) + " by " + strconv.Quote(v.seat.user)
}

// leave closes the visit's connections.
func (v *visit) leave() {
	for _, c := range v.conns {
		c.Close()
	}
	v.conns = nil
}

// try does a deed in each of several ways, has the victim speak while all listen, and tells what has crossed.
func (w *world) try(t *testing.T, d deed, attempts []*attempt) (crossed []string) {
	t.Helper()
	visits := make([]*visit, len(attempts))
	roundTrips := make([]func(), len(attempts))
	atOnce(len(attempts), func(i int) {
		visits[i] = w.visit(t, attempts[i])
		roundTrips[i] = d.do(visits[i])
	})
	w.speak(t)
	atOnce(len(attempts), func(i int) {
		if roundTrips[i] != nil {
			roundTrips[i]()
		}
		visits[i].leave()
	})
	for i, v := range visits {
		if v.tap.has(secret) {
			crossed = append(crossed, fmt.Sprintf("%+v was told the victim's secret: %.2000q", *attempts[i], v.tap.text()))
		}
	}
	for _, where := range w.found(t) {
		crossed = append(crossed, "the intruder's mark is in the victim's tenant: "+where)
	}
	return crossed
}

// atOnce calls f with 0 to n-1, several at once.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	turns := make(chan struct{}, 16)
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			f(i)
			<-turns
		})
	}
	all.Wait()
}

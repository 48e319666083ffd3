package transport

import (
	"runtime"
	"sync/atomic"
	"time"
)

// quiet is how long a connection has to be silent to give way to others when it speaks again. One that is busy never does.
const quiet = 10 * time.Millisecond

// turns keeps the order of connections that become readable at nearly the same moment. Go's poller lets run first whose
// bytes came last: then a message overtakes the subscription that another client had sent before it, and no client can
// see why it was missed. There is no promise in it, as there is none between two connections; it makes what people
// expect the rule.
type turns struct{ woken atomic.Int64 }

// giveWay lets those go first who wake after the caller but were readable before it.
func (t *turns) giveWay() {
	turn := t.woken.Add(1)
	runtime.Gosched()
	if t.woken.Load() != turn {
		runtime.Gosched()
	}
}

package queue

// state is where an entry stands.
type state uint8

const (
	gone      state = iota // removed; its slot waits to be reclaimed
	storing                // on its way to disk
	premature              // on its way to disk, and not due yet
	late                   // on its way to disk, and due since
	scheduled              // on disk, not due yet, never ready before
	ready                  // on disk, held by nobody
	assigned               // held by a consumer
	delayed                // came back, and is not due again yet
	leaving                // dead or expired: out of line until the shell has removed it
	stateCount
)

// states is a set of them.
type states uint16

const (
	anywhere  = states(1<<stateCount - 1<<storing)
	inLine    = states(1<<ready | 1<<storing)
	inSight   = states(1<<ready | 1<<storing | 1<<assigned)
	waiting   = states(1<<ready | 1<<scheduled | 1<<delayed)
	removable = waiting | 1<<leaving
	droppable = waiting | 1<<storing | 1<<premature | 1<<late
)

func (s states) has(one state) bool { return s>>one&1 != 0 }

// tally counts the entries in one state.
type tally struct {
	entries int
	bytes   int64
}

// move puts an entry into another state.
func (q *Queue) move(e *entry, to state) {
	q.discount(e)
	e.state = to
	q.count(e)
}

func (q *Queue) count(e *entry) {
	t := &q.tally[e.state]
	t.entries++
	t.bytes += int64(e.size)
}

func (q *Queue) discount(e *entry) {
	t := &q.tally[e.state]
	t.entries--
	t.bytes -= int64(e.size)
}

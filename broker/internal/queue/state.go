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

// states is a set of them. All that is asked for have ready, which is what a packed entry is.
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

// move puts an entry into another state.
func (q *Queue) move(e *entry, to state) {
	q.depart(e)
	e.state = to
	q.arrive(e)
}

// arrive counts an entry in its state.
func (q *Queue) arrive(e *entry) {
	q.count[e.state]++
	q.bytes[e.state] += int64(e.size)
}

func (q *Queue) depart(e *entry) {
	q.count[e.state]--
	q.bytes[e.state] -= int64(e.size)
}

package queue

// Seq is the number of a message in its queue: its identity, and its place among those of its priority. The first is 1.
type Seq uint64

// Priorities is the number of priorities, 0 to 9; AMQP's default is DefaultPriority [3.2.1].
const (
	Priorities      = 10
	DefaultPriority = 4
)

// Settings bound and shape a queue. Zero means unbounded, or without the feature.
type Settings struct {
	MaxMessages   int
	MaxBytes      int64
	Overflow      Overflow
	MaxDeliveries int // failed deliveries after which a message is dead
	Redelivery    Redelivery

	MaxConsumers   int  // browsers do not count
	SingleActive   bool // one consumer gets everything until it leaves
	Groups         bool // messages of one group go to one consumer until it leaves
	NonDestructive bool // consumers read and take nothing
}

// Overflow says what becomes of a message for which there is no room.
type Overflow uint8

const (
	RefuseNew Overflow = iota // Append answers ErrFull
	DropHead                  // older messages are removed instead
)

// Past is what the store remembers of a queue besides its messages.
type Past struct {
	Head  Seq             // every lower number is consumed
	Last  Seq             // highest number ever given; may lag behind Lease and the messages
	Lease [Priorities]Seq // every message of the priority up to here may have been delivered before
}

// Queue is the state of one queue. Create it with New or Recover.
type Queue struct {
	settings Settings
	now      int64 // latest time known, Unix ms

	lines []*line           // from the highest priority to the lowest
	last  Seq               // highest number ever given
	count [stateCount]int32 // entries in each state
	bytes [stateCount]int64 // their sizes
	raise Raise             // of leases, the last one asked for
	grain grain             // of the lines

	agenda agenda // of what expires
	dues   appointments
	values lastValues
	owners *owners // of message groups

	held      holdings
	consumers map[ConsumerID]*consumer
	ranks     []*rank     // from the highest consumer priority to the lowest
	alone     []*consumer // those that have a view of their own
	sharing   int         // how many share the cursors of the lines
	takers    int         // how many are not browsers
	attached  uint64      // how many were ever attached
	active    *consumer   // the single active one; nil when it is to be elected
	exclusive *consumer

	report []Seq // what Append or Advance answers; reused
}

// New returns an empty queue that never had a message.
func New(s Settings) *Queue { return &Queue{settings: s, grain: grain{chunkSize, openChunks}} }

// Recover returns a queue as the store remembers it; Restore adds its messages.
func Recover(s Settings, p Past) *Queue {
	q := New(s)
	q.Remember(p)
	return q
}

// Remember makes a new queue one as the store remembers it.
func (q *Queue) Remember(p Past) {
	q.last = max(p.Last, max(p.Head, 1)-1)
	for priority, lease := range p.Lease {
		if lease > 0 {
			l := q.line(uint8(priority))
			l.lease.stored, l.lease.wanted, l.lease.delivered = lease, lease, lease
			q.last = max(q.last, lease)
		}
	}
}

// Configure replaces the settings. Entries and consumers that are already in stay, even beyond a lower bound. When
// Groups or NonDestructive change, consumers begin again at the first message.
func (q *Queue) Configure(s Settings) {
	anew := s.Groups != q.settings.Groups || s.NonDestructive != q.settings.NonDestructive
	q.settings = s
	if !anew {
		return
	}
	q.owners = nil
	for _, c := range q.byAttachment() {
		if !c.role.Browses {
			q.unseat(c)
			q.seat(c)
		}
	}
}

// Len is the number of entries, whatever their state.
func (q *Queue) Len() (n int) {
	for _, entries := range q.count {
		n += int(entries)
	}
	return n
}

// Bytes is the sum of the entries' sizes.
func (q *Queue) Bytes() (n int64) {
	for _, bytes := range q.bytes {
		n += bytes
	}
	return n
}

// Ready is the number of entries on disk that nobody holds and that are due.
func (q *Queue) Ready() int { return int(q.count[ready]) }

// Delayed is the number of entries on disk that wait for their time.
func (q *Queue) Delayed() int { return int(q.count[scheduled] + q.count[delayed]) }

// Leaving is the number of dead and expired entries that the shell has not removed yet.
func (q *Queue) Leaving() int { return int(q.count[leaving]) }

// Unsettled is the number of entries that consumers hold.
func (q *Queue) Unsettled() int { return q.held.n }

// Consumers is the number of attached consumers, browsers included.
func (q *Queue) Consumers() int { return len(q.consumers) }

// Head is the lowest number still in the queue, or the next to be given when it is empty: every number below is
// consumed and need not be looked for on disk.
func (q *Queue) Head() Seq {
	head := q.last + 1
	for _, l := range q.lines {
		if e := l.next(0, anywhere); e.state != gone {
			head = min(head, e.seq)
		}
	}
	return head
}

// IsReady tells whether an entry is on disk, held by nobody, and due.
func (q *Queue) IsReady(seq Seq) bool { return q.look(seq).state == ready }

// remove takes an entry out of the queue.
func (q *Queue) remove(l *line, e *entry) {
	q.depart(e)
	if len(q.values.key) > 0 {
		q.values.forget(e.seq)
	}
	l.remove(e)
	if !q.dues.empty() && q.Len() == 0 {
		q.dues.clear()
	}
}

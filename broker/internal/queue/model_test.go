package queue_test

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// message is one entry of the model: everything about it in plain sight.
type message struct {
	queue.Entry
	seq      queue.Seq
	attempts int
	stored   bool
	later    bool      // its time, at first or after a failed delivery, has not come
	returned bool      // it is later because it came back
	overdue  bool      // it expired while it was being stored or held
	expiring bool      // that is to be told
	leaving  bool      // dead or expired
	old      bool      // a later one with its key came while it was held
	tag      queue.Tag // of its current assignment, or 0
	holder   queue.ConsumerID
	again    int64 // when it is due after it came back
	seen     bool  // assigned at least once since the last restart
}

func (e *message) isReady() bool {
	return e.stored && e.tag == 0 && !e.later && !e.expiring && !e.leaving
}
func (e *message) isPinned() bool   { return e.tag != 0 || e.leaving }
func (e *message) isBlocking() bool { return !e.stored && e.Due == 0 }

// follower is a consumer of the model.
type follower struct {
	id     queue.ConsumerID
	role   queue.Role
	alone  bool // has a view of its own
	passed map[queue.Seq]bool
	never  map[queue.Seq]bool
}

// proposal is a turn that was not answered at once.
type proposal struct {
	turn     queue.Turn
	consumer *follower
	message  *message
}

// model runs a Queue beside a list that is searched from the start for every question.
type model struct {
	rand      *rand.Rand
	settings  queue.Settings
	fine      bool // with small chunks
	keyed     bool // with messages that replace others
	q         *queue.Queue
	now       int64
	list      []*message          // in the order of their numbers
	followers []*follower         // in the order of attachment
	rotations map[int][]*follower // by priority; who is served next comes first
	active    *follower
	owners    map[string]*follower // of message groups

	stored, wanted, needed [queue.Priorities]queue.Seq // leases: on disk, asked for, needed by who is alone
	raised                 [queue.Priorities]queue.Raise
	raise                  queue.Raise
	disk                   queue.Past
	highest                queue.Seq // highest number ever stored
	unanswered             proposal
	tags                   map[queue.Tag]bool // every tag ever given by this Queue
	unreadable             []queue.Seq        // set aside, still on disk
}

// line gives the messages of a priority.
func (m *model) line(p int) (line []*message) {
	for _, e := range m.list {
		if int(e.Priority) == p {
			line = append(line, e)
		}
	}
	return line
}

// visible gives the messages of a priority that wait for nothing that is being stored before them.
func (m *model) visible(p int) []*message {
	line := m.line(p)
	if i := slices.IndexFunc(line, (*message).isBlocking); i >= 0 {
		line = line[:i]
	}
	return line
}

// first gives what a consumer that takes everything gets.
func (m *model) first() *message {
	for p := queue.Priorities - 1; p >= 0; p-- {
		line := m.visible(p)
		switch i := slices.IndexFunc(line, (*message).isReady); {
		case i < 0:
		case line[i].seq <= m.stored[p]:
			return line[i]
		default:
			return nil // those of lower priorities do not overtake it
		}
	}
	return nil
}

// firstFor gives what a consumer gets that is alone.
func (m *model) firstFor(f *follower) *message {
	for p := queue.Priorities - 1; p >= 0; p-- {
		e := m.firstOf(f, p)
		switch {
		case e == nil:
		case m.reads(f) || e.seq <= m.stored[p] || f.role.Selects && e.seq > m.needed[p]:
			return e
		default:
			m.needed[p] = max(m.needed[p], e.seq)
			return nil
		}
	}
	return nil
}

func (m *model) firstOf(f *follower, p int) *message {
	for _, e := range m.visible(p) {
		switch {
		case f.passed[e.seq]:
		case m.reads(f):
			if e.isReady() || e.tag != 0 {
				return e
			}
			if e.returned {
				f.passed[e.seq] = true // who reads does not come back to it
			}
		case e.isReady() && !m.isKept(f, e):
			return e
		}
	}
	return nil
}

func (m *model) isKept(f *follower, e *message) bool {
	owner := m.owners[e.Group]
	return f.never[e.seq] || owner != nil && owner != f
}

func (m *model) reads(f *follower) bool { return f.role.Browses || m.settings.NonDestructive }

// turn finds who is served next and with what.
func (m *model) turn(can func(queue.ConsumerID) bool) (*follower, *message) {
	sharing := slices.ContainsFunc(m.followers, func(f *follower) bool { return !f.alone })
	alone := slices.ContainsFunc(m.followers, func(f *follower) bool { return f.alone })
	var first *message
	if sharing {
		first = m.first()
	}
	if first == nil && !alone {
		return nil, nil
	}
	m.elect()
	priorities := make([]int, 0, len(m.rotations))
	for p := range m.rotations {
		priorities = append(priorities, p)
	}
	slices.SortFunc(priorities, func(a, b int) int { return b - a })
	for _, p := range priorities {
		for _, f := range m.rotations[p] {
			if m.settings.SingleActive && f != m.active && !m.reads(f) || !can(f.id) {
				continue
			}
			e := first
			if f.alone {
				e = m.firstFor(f)
			}
			if e != nil {
				return f, e
			}
		}
	}
	return nil, nil
}

func (m *model) elect() {
	if !m.settings.SingleActive || m.active != nil {
		return
	}
	for _, f := range m.followers {
		if !f.role.Browses && (m.active == nil || f.role.Priority > m.active.role.Priority) {
			m.active = f
		}
	}
}

// served puts a consumer at the end of the round.
func (m *model) served(f *follower) {
	r := m.rotations[f.role.Priority]
	i := slices.Index(r, f)
	m.rotations[f.role.Priority] = append(slices.Clone(r[i+1:]), r[:i+1]...)
}

// seat gives a consumer what it begins with.
func (m *model) seat(f *follower) {
	f.alone = f.role.Selects || m.reads(f) || m.settings.Groups || len(f.never) > 0
	f.passed = map[queue.Seq]bool{}
}

// room tells whether a message fits, without those for which gone holds.
func (m *model) room(size int, gone func(*message) bool) bool {
	messages, bytes := 1, size
	for _, e := range m.list {
		if !gone(e) {
			messages++
			bytes += e.Size
		}
	}
	return (m.settings.MaxMessages == 0 || messages <= m.settings.MaxMessages) &&
		(m.settings.MaxBytes == 0 || bytes <= int(m.settings.MaxBytes))
}

// last gives the message of a key that counts.
func (m *model) last(key string) *message {
	if i := slices.IndexFunc(m.list, func(e *message) bool { return key != "" && e.Key == key && !e.old }); i >= 0 {
		return m.list[i]
	}
	return nil
}

// victim gives the message that is dropped first.
func (m *model) victim() *message {
	for p := range queue.Priorities {
		for _, is := range []func(*message) bool{
			func(e *message) bool { return e.isReady() && slices.Contains(m.visible(p), e) },
			(*message).isBlocking,
			func(e *message) bool { return !e.isPinned() },
		} {
			line := m.line(p)
			if i := slices.IndexFunc(line, is); i >= 0 {
				return line[i]
			}
		}
	}
	return nil
}

// comeBack does what happens to a held message that is given back.
func (m *model) comeBack(e *message, failed bool) queue.Settled {
	e.tag, e.holder = 0, 0
	if failed {
		e.attempts++
	}
	s := queue.Settled{Seq: e.seq, Effect: queue.Requeued, Attempts: e.attempts}
	delay := int64(0)
	if failed {
		delay = m.delay(e.attempts)
	}
	switch {
	case failed && m.settings.MaxDeliveries > 0 && e.attempts >= m.settings.MaxDeliveries:
		e.leaving = true
		s.Effect = queue.Dead
	case e.old:
		m.drop(e)
		s.Effect = queue.Removed
	case e.overdue:
		e.expiring = true
		s.Effect = queue.Delayed
	case delay > 0:
		e.later, e.returned, e.again = true, true, m.now+delay
		s.Effect = queue.Delayed
	default:
		m.offerAgain(e)
	}
	return s
}

func (m *model) delay(attempts int) int64 {
	d := m.settings.Redelivery.Initial
	for range attempts - 1 {
		d = min(d*2, m.settings.Redelivery.Max)
	}
	return d
}

// offerAgain lets those that take messages come back to one that they have passed.
func (m *model) offerAgain(e *message) {
	for _, f := range m.followers {
		if !m.reads(f) {
			delete(f.passed, e.seq)
		}
	}
}

func (m *model) drop(e *message) {
	m.list = slices.DeleteFunc(m.list, func(o *message) bool { return o == e })
}

// held gives what a consumer holds, in the order of assignment.
func (m *model) held(id queue.ConsumerID) (held []*message) {
	for _, e := range m.list {
		if e.holder == id {
			held = append(held, e)
		}
	}
	slices.SortFunc(held, func(a, b *message) int { return cmp.Compare(a.tag, b.tag) })
	return held
}

// advance gives what expires by now.
func (m *model) advance() (expired []queue.Seq) {
	for _, e := range m.list {
		switch {
		case e.leaving || e.Expires == 0 || e.Expires > m.now:
		case !e.stored || e.tag != 0:
			e.overdue = true
		case e.expiring || !e.overdue:
			e.leaving = true
			expired = append(expired, e.seq)
		}
		if due := cmp.Or(e.again, e.Due); e.later && !e.leaving && due <= m.now {
			e.later, e.returned = false, false
			m.offerAgain(e)
		}
	}
	return expired
}

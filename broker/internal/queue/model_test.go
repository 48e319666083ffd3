package queue_test

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

const maxBytes = 30_000

// message is one entry of the model: everything about it in plain sight.
type message struct {
	seq      queue.Seq
	size     int
	attempts int
	stored   bool
	tag      queue.Tag // of its current assignment, or 0
	holder   queue.ConsumerID
	seen     bool // assigned at least once since the last restart
}

// model runs a Queue beside a list that is searched from the start for every question.
type model struct {
	settings queue.Settings
	q        *queue.Queue
	list     []*message
	rotation []queue.ConsumerID // who is served next comes first
	lease    queue.Seq          // on disk
	asked    queue.Seq          // on its way to disk
	head     queue.Seq          // on disk
	highest  queue.Seq          // highest number ever stored
	tags     map[queue.Tag]bool // every tag ever given by this Queue

	unreadable []queue.Seq // set aside, still on disk
}

// operation is one random step, drawn as often as its weight says.
type operation struct {
	name   string
	weight int
	run    func(*model, *rapid.T)
}

var operations = []operation{
	{"append", 8, (*model).append},
	{"stored", 8, (*model).store},
	{"storeFailed", 1, (*model).storeFailed},
	{"attach", 4, (*model).attach},
	{"detach", 1, (*model).detach},
	{"next", 16, (*model).next},
	{"settle", 12, (*model).settle},
	{"lease", 4, (*model).storeLease},
	{"setAside", 1, (*model).setAside},
	{"crash", 1, (*model).crash},
	{"cleanStop", 1, (*model).cleanStop},
}

// TestRandomOperationsAgreeWithTheModel drives several consumers, failing writes and restarts.
func TestRandomOperationsAgreeWithTheModel(t *testing.T) {
	var weighted []operation
	for _, o := range operations {
		for range o.weight {
			weighted = append(weighted, o)
		}
	}
	byWeight := rapid.Custom(func(t *rapid.T) operation {
		return weighted[rapid.IntRange(0, len(weighted)-1).Draw(t, "n")]
	})
	rapid.Check(t, func(t *rapid.T) {
		s := queue.Settings{MaxMessages: rapid.SampledFrom([]int{0, 0, 20, 200}).Draw(t, "maxMessages"), MaxBytes: maxBytes}
		m := &model{settings: s, q: queue.New(s), tags: map[queue.Tag]bool{}}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			o := byWeight.Draw(t, "operation")
			o.run(m, t)
			m.check(t)
		}
	})
}

func (m *model) append(t *rapid.T) {
	for range rapid.IntRange(1, 20).Draw(t, "count") {
		size := rapid.IntRange(0, 200).Draw(t, "size")
		full := m.settings.MaxMessages > 0 && len(m.list) >= m.settings.MaxMessages || m.bytes()+size > maxBytes
		seq, err := m.q.Append(size)
		if full != (err != nil) {
			t.Fatalf("append gave %v, full is %v", err, full)
		}
		if err != nil {
			return
		}
		if seq <= m.highest || len(m.list) > 0 && seq <= m.list[len(m.list)-1].seq {
			t.Fatalf("number %d was given before", seq)
		}
		m.list = append(m.list, &message{seq: seq, size: size})
	}
}

// pick draws one of the messages for which is holds, or gives nil.
func (m *model) pick(t *rapid.T, is func(*message) bool) *message {
	var some []*message
	for _, e := range m.list {
		if is(e) {
			some = append(some, e)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[rapid.IntRange(0, len(some)-1).Draw(t, "which")]
}

func (m *model) store(t *rapid.T) {
	e := m.pick(t, func(e *message) bool { return !e.stored })
	if e == nil {
		return
	}
	for _, o := range m.list { // mostly in order, as the store does; sometimes one overtakes
		if !o.stored && (o.seq < e.seq && e.seq%5 != 0 || o == e) {
			o.stored = true
			m.highest = max(m.highest, o.seq)
			m.q.Stored(o.seq)
		}
	}
}

func (m *model) storeFailed(t *rapid.T) {
	e := m.pick(t, func(e *message) bool { return !e.stored })
	if e == nil {
		return
	}
	m.q.StoreFailed(e.seq)
	m.drop(e)
}

func (m *model) attach(t *rapid.T) {
	id := queue.ConsumerID(rapid.IntRange(1, 5).Draw(t, "consumer"))
	m.q.Attach(id)
	if !slices.Contains(m.rotation, id) {
		m.rotation = append(m.rotation, id)
	}
}

func (m *model) detach(t *rapid.T) {
	id := queue.ConsumerID(rapid.IntRange(1, 5).Draw(t, "consumer"))
	var held []*message
	for _, e := range m.list {
		if e.holder == id {
			held = append(held, e)
		}
	}
	slices.SortFunc(held, func(a, b *message) int { return cmp.Compare(a.tag, b.tag) })
	m.q.Detach(id, func(seq queue.Seq) {
		if len(held) == 0 || held[0].seq != seq {
			t.Fatalf("detach returned %d", seq)
		}
		held[0].attempts++
		held[0].tag, held[0].holder = 0, 0
		held = held[1:]
	})
	if len(held) > 0 {
		t.Fatalf("detach kept %d", held[0].seq)
	}
	m.rotation = slices.DeleteFunc(m.rotation, func(c queue.ConsumerID) bool { return c == id })
}

func (m *model) next(t *rapid.T) {
	for range rapid.IntRange(1, 10).Draw(t, "count") {
		m.nextOnce(t)
	}
}

func (m *model) nextOnce(t *rapid.T) {
	credit := rapid.Uint8().Draw(t, "credit")
	has := func(id queue.ConsumerID) bool { return credit>>id&1 == 1 }
	got, ok := m.q.Next(has)
	e, who := m.firstAssignable(), slices.IndexFunc(m.rotation, has)
	if want := e != nil && who >= 0; ok != want {
		t.Fatalf("next gave %v, want %v", ok, want)
	}
	if !ok {
		return
	}
	id := m.rotation[who]
	if got.Seq != e.seq || got.Consumer != id || got.Attempts != e.attempts || got.Tag == 0 || m.tags[got.Tag] {
		t.Fatalf("got %+v, want message %+v for consumer %d", got, e, id)
	}
	m.tags[got.Tag] = true
	e.tag, e.holder, e.seen = got.Tag, id, true
	m.rotation = append(slices.Clone(m.rotation[who+1:]), m.rotation[:who+1]...)
}

// firstAssignable is the first free message, unless one before it that was never assigned is still being stored.
func (m *model) firstAssignable() *message {
	for _, e := range m.list {
		if e.tag == 0 {
			if !e.stored || e.seq > m.lease {
				return nil
			}
			return e
		}
	}
	return nil
}

// settle answers current tags and, now and then, any other.
func (m *model) settle(t *rapid.T) {
	for range rapid.IntRange(1, 10).Draw(t, "count") {
		tag := queue.Tag(rapid.IntRange(0, len(m.tags)+1).Draw(t, "tag"))
		if e := m.pick(t, func(e *message) bool { return e.tag != 0 }); e != nil && tag%8 != 0 {
			tag = e.tag
		}
		m.settleOnce(t, tag)
	}
}

func (m *model) settleOnce(t *rapid.T, tag queue.Tag) {
	verdict := rapid.SampledFrom([]queue.Verdict{queue.Accept, queue.Release, queue.Fail, queue.Reject}).Draw(t, "verdict")
	got := m.q.Settle(tag, verdict)
	var e *message
	if i := slices.IndexFunc(m.list, func(e *message) bool { return tag != 0 && e.tag == tag }); i >= 0 {
		e = m.list[i]
	}
	switch {
	case e == nil:
		if got != (queue.Settled{}) {
			t.Fatalf("tag %d is not current, yet %+v", tag, got)
		}
		return
	case verdict == queue.Accept || verdict == queue.Reject:
		m.drop(e)
		if got != (queue.Settled{Seq: e.seq, Effect: queue.Removed}) {
			t.Fatalf("got %+v", got)
		}
		return
	case verdict == queue.Fail:
		e.attempts++
	}
	e.tag, e.holder = 0, 0
	if got != (queue.Settled{Seq: e.seq, Effect: queue.Requeued}) {
		t.Fatalf("got %+v", got)
	}
}

// setAside takes any message; only a ready one may go.
func (m *model) setAside(t *rapid.T) {
	e := m.pick(t, func(*message) bool { return true })
	if e == nil {
		return
	}
	free := e.stored && e.tag == 0
	if m.q.IsReady(e.seq) != free {
		t.Fatalf("%d is ready: %v, want %v", e.seq, !free, free)
	}
	m.q.SetAside(e.seq)
	if free {
		m.drop(e)
		m.unreadable = append(m.unreadable, e.seq)
	}
	if m.q.IsReady(e.seq) {
		t.Fatalf("%d is ready after it was set aside", e.seq)
	}
}

func (m *model) storeLease(t *rapid.T) {
	if seq, ok := m.q.LeaseWanted(); ok {
		if seq <= m.asked || len(m.rotation) == 0 {
			t.Fatalf("lease %d wanted after %d with %d consumers", seq, m.asked, len(m.rotation))
		}
		m.asked = seq
	}
	if rapid.Bool().Draw(t, "done") {
		m.lease, m.head = m.asked, m.q.Head()
		m.q.LeaseStored(m.lease)
	}
}

// crash keeps what is on disk. What the consumers saw must be at or below the lease.
func (m *model) crash(t *rapid.T) {
	for _, e := range m.list {
		if e.seen && e.seq > m.lease {
			t.Fatalf("%d was delivered above the lease %d", e.seq, m.lease)
		}
	}
	m.restart(t)
}

// cleanStop detaches everybody and writes the exact lease: only messages that were delivered are then marked.
func (m *model) cleanStop(t *rapid.T) {
	for id := queue.ConsumerID(1); id <= 5; id++ {
		m.q.Detach(id, nil)
	}
	m.lease, m.head = m.q.Delivered(), m.q.Head()
	m.restart(t)
}

func (m *model) restart(*rapid.T) {
	m.list = slices.DeleteFunc(m.list, func(e *message) bool { return !e.stored })
	m.q = queue.Recover(m.settings, queue.Past{Head: m.head, Lease: m.lease})
	for _, e := range m.list {
		marked := 0
		if e.seq <= m.lease {
			marked = 1
		}
		*e = message{seq: e.seq, size: e.size, stored: true, attempts: marked}
		m.q.Restore(e.seq, e.size, 0)
	}
	for _, seq := range m.unreadable {
		if seq >= m.head {
			m.q.Skip(seq)
		}
	}
	m.rotation, m.tags, m.asked = nil, map[queue.Tag]bool{}, m.lease
}

func (m *model) check(t *rapid.T) {
	ready, unsettled, first := 0, 0, m.q.Head()
	for _, e := range m.list {
		if e.tag != 0 {
			unsettled++
		} else if e.stored {
			ready++
		}
	}
	if len(m.list) > 0 {
		first = m.list[0].seq
	}
	seq, ok := m.q.Peek()
	if e := m.firstAssignable(); ok != (e != nil) || ok && seq != e.seq {
		t.Fatalf("peek gave %d %v, want %+v", seq, ok, e)
	}
	if m.q.Len() != len(m.list) || m.q.Bytes() != int64(m.bytes()) || m.q.Ready() != ready ||
		m.q.Unsettled() != unsettled || m.q.Consumers() != len(m.rotation) || m.q.Head() != first {
		t.Fatalf("len %d bytes %d ready %d unsettled %d consumers %d head %d; want %d %d %d %d %d %d",
			m.q.Len(), m.q.Bytes(), m.q.Ready(), m.q.Unsettled(), m.q.Consumers(), m.q.Head(),
			len(m.list), m.bytes(), ready, unsettled, len(m.rotation), first)
	}
}

func (m *model) bytes() (sum int) {
	for _, e := range m.list {
		sum += e.size
	}
	return sum
}

func (m *model) drop(e *message) {
	m.list = slices.DeleteFunc(m.list, func(o *message) bool { return o == e })
}

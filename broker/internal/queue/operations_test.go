package queue_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// operation is one random step, drawn as often as its weight says.
type operation struct {
	name   string
	weight int
	run    func(*model, *rapid.T)
}

var operations = []operation{
	{"append", 80, (*model).append},
	{"stored", 128, (*model).store},
	{"storeFailed", 8, (*model).storeFailed},
	{"attach", 32, (*model).attach},
	{"detach", 16, (*model).detach},
	{"next", 160, (*model).next},
	{"late", 8, (*model).late},
	{"settle", 96, (*model).settle},
	{"lease", 48, (*model).storeLease},
	{"advance", 32, (*model).tick},
	{"remove", 16, (*model).remove},
	{"waiting", 16, (*model).waiting},
	{"configure", 2, (*model).configure},
	{"crash", 1, (*model).crash},
	{"cleanStop", 1, (*model).cleanStop},
}

// TestRandomOperationsAgreeWithTheModel drives consumers of every kind, failing writes, time and restarts.
func TestRandomOperationsAgreeWithTheModel(t *testing.T) { agree(t, false) }

// TestFineChunksAgreeWithTheModel has so few entries in a chunk that chunks are packed and opened all the time.
func TestFineChunksAgreeWithTheModel(t *testing.T) { agree(t, true) }

func agree(t *testing.T, fine bool) {
	var weighted []operation
	for _, o := range operations {
		for range o.weight {
			weighted = append(weighted, o)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := &model{rand: rand.New(rand.NewPCG(evenly(t, 64), 0)), now: 1000, fine: fine}
		m.settings, m.keyed = m.drawSettings(), m.between(0, 1) == 0
		m.begin(queue.Past{})
		for range evenly(t, 10) {
			o := one(m, weighted)
			t.Log(o.name)
			o.run(m, t)
			m.check(t)
		}
	})
}

// evenly draws a number of so many bits. What rapid draws as numbers is mostly small, which here would mean few kinds of
// operations; so only how many there are, and which, is its choice, and shrinks.
func evenly(t *rapid.T, bits int) (n uint64) {
	for _, bit := range rapid.SliceOfN(rapid.Bool(), bits, bits).Draw(t, "bits") {
		n *= 2
		if bit {
			n++
		}
	}
	return n
}

// between draws a number, both ends included.
func (m *model) between(a, b int) int { return a + m.rand.IntN(b-a+1) }

// one draws one of some things.
func one[T any](m *model, some []T) T { return some[m.rand.IntN(len(some))] }

func (m *model) drawSettings() queue.Settings {
	few := func(n ...int) int { return one(m, n) }
	return queue.Settings{
		MaxMessages:    few(0, 0, 20, 100),
		MaxBytes:       int64(few(0, 5000)),
		Overflow:       queue.Overflow(few(0, 1)),
		MaxDeliveries:  few(0, 0, 1, 3),
		Redelivery:     queue.Redelivery{Initial: int64(few(0, 0, 10)), Multiplier: 2, Max: 50},
		MaxConsumers:   few(0, 0, 3),
		SingleActive:   few(0, 0, 0, 1) == 1,
		Groups:         few(0, 0, 1) == 1,
		NonDestructive: few(0, 0, 0, 0, 1) == 1,
	}
}

// begin starts a Queue with what is on disk.
func (m *model) begin(p queue.Past) {
	m.q = queue.Recover(m.settings, p)
	if m.fine {
		m.q.Divide(m.between(1, 9), m.between(0, 3))
	}
	m.followers, m.rotations, m.active, m.owners = nil, map[int][]*follower{}, nil, map[string]*follower{}
	m.stored, m.wanted, m.needed = p.Lease, p.Lease, [queue.Priorities]queue.Seq{}
	m.raised, m.raise, m.disk = [queue.Priorities]queue.Raise{}, 0, p
	m.tags, m.unanswered = map[queue.Tag]bool{}, proposal{}
}

func (m *model) append(t *rapid.T) {
	for range m.between(1, one(m, []int{5, 5, 5, 100})) {
		e := m.drawEntry()
		before := m.last(e.Key)
		replaced := before != nil && !before.isPinned()
		gone := func(o *message) bool { return replaced && o == before }
		if m.settings.Overflow == queue.DropHead {
			gone = func(o *message) bool { return !o.isPinned() }
		}
		fits := m.room(e.Size, gone)
		seq, removed, err := m.q.Append(e)
		if fits != (err == nil) || err != nil && !errors.Is(err, queue.ErrFull) {
			t.Fatalf("append gave %v, fits is %v", err, fits)
		}
		if err != nil {
			return
		}
		m.checkRemoved(t, e, before, replaced, removed)
		if seq <= m.highest || len(m.list) > 0 && seq <= m.list[len(m.list)-1].seq {
			t.Fatalf("number %d was given before", seq)
		}
		m.list = append(m.list, &message{Entry: e, seq: seq, later: e.Due > 0})
	}
}

func (m *model) drawEntry() queue.Entry {
	e := queue.Entry{
		Size:     m.between(0, 200),
		Priority: one(m, []uint8{4, 4, 4, 9, 0}),
		Group:    one(m, []string{"", "", "a", "b", "c"}),
	}
	if m.keyed {
		e.Key = one(m, []string{"", "", "", "k", "l"})
	}
	if m.between(0, 4) == 0 {
		e.Expires = m.now + int64(m.between(0, 100))
	}
	if m.between(0, 4) == 0 {
		e.Due = m.now + int64(m.between(0, 50))
	}
	return e
}

// checkRemoved does in the model what makes room for e, and compares.
func (m *model) checkRemoved(t *rapid.T, e queue.Entry, before *message, replaced bool, removed []queue.Seq) {
	var want []queue.Seq
	switch {
	case replaced:
		want = append(want, before.seq)
		m.drop(before)
	case before != nil:
		before.old = true
	}
	for !m.room(e.Size, func(*message) bool { return false }) {
		v := m.victim()
		want = append(want, v.seq)
		m.drop(v)
	}
	if !slices.Equal(removed, want) {
		t.Fatalf("removed %v, want %v", removed, want)
	}
	if len(want) > 0 {
		m.remember()
	}
}

// remember writes what goes with the removal of messages that nobody saw.
func (m *model) remember() {
	m.disk.Head, m.disk.Last = m.q.Past().Head, m.q.Past().Last
}

// pick draws one of the messages for which is holds, or gives nil.
func (m *model) pick(is func(*message) bool) *message {
	var some []*message
	for _, e := range m.list {
		if is(e) {
			some = append(some, e)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return one(m, some)
}

func (m *model) store(t *rapid.T) {
	e := m.pick(func(e *message) bool { return !e.stored })
	if e == nil {
		return
	}
	for _, o := range m.list { // mostly in order, as the store does; sometimes one overtakes
		if !o.stored && (o.seq < e.seq && e.seq%5 != 0 || o == e) {
			o.stored = true
			o.expiring = o.overdue
			m.highest = max(m.highest, o.seq)
			m.q.Stored(o.seq)
		}
	}
}

func (m *model) storeFailed(t *rapid.T) {
	e := m.pick(func(e *message) bool { return !e.stored })
	if e == nil {
		return
	}
	m.q.StoreFailed(e.seq)
	m.drop(e)
}

func (m *model) attach(t *rapid.T) {
	id := queue.ConsumerID(m.between(1, 5))
	role := queue.Role{
		Selects:   m.between(0, 3) == 0,
		Browses:   m.between(0, 5) == 0,
		Exclusive: m.between(0, 9) == 0,
		Priority:  one(m, []int{0, 0, 0, 7, -1}),
	}
	known := slices.ContainsFunc(m.followers, func(f *follower) bool { return f.id == id })
	want := m.admits(role)
	if known {
		want = nil
	}
	if err := m.q.Attach(id, role); !errors.Is(err, want) {
		t.Fatalf("attach gave %v, want %v", err, want)
	}
	if known || want != nil {
		return
	}
	f := &follower{id: id, role: role, never: map[queue.Seq]bool{}}
	m.seat(f)
	m.followers = append(m.followers, f)
	m.rotations[role.Priority] = append(m.rotations[role.Priority], f)
}

func (m *model) admits(r queue.Role) error {
	takers, exclusive := 0, false
	for _, f := range m.followers {
		if !f.role.Browses {
			takers++
			exclusive = exclusive || f.role.Exclusive
		}
	}
	switch {
	case r.Browses:
		return nil
	case exclusive || r.Exclusive && takers > 0:
		return queue.ErrExclusive
	case m.settings.MaxConsumers > 0 && takers >= m.settings.MaxConsumers:
		return queue.ErrConsumers
	}
	return nil
}

func (m *model) detach(t *rapid.T) {
	m.detachOne(t, queue.ConsumerID(m.between(1, 5)))
}

func (m *model) detachOne(t *rapid.T, id queue.ConsumerID) {
	m.leave(id)
	var want, got []queue.Settled
	for _, e := range m.held(id) {
		want = append(want, m.comeBack(e, true))
	}
	m.q.Detach(m.now, id, func(s queue.Settled) { got = append(got, s) })
	if !slices.Equal(got, want) {
		t.Fatalf("detach returned %v, want %v", got, want)
	}
}

// leave takes a consumer out of the rotation, and frees its groups.
func (m *model) leave(id queue.ConsumerID) {
	i := slices.IndexFunc(m.followers, func(f *follower) bool { return f.id == id })
	if i < 0 {
		return
	}
	f := m.followers[i]
	m.followers = slices.Delete(m.followers, i, i+1)
	p := f.role.Priority
	m.rotations[p] = slices.DeleteFunc(m.rotations[p], func(o *follower) bool { return o == f })
	if m.active == f {
		m.active = nil
	}
	freed := false
	for group, owner := range m.owners {
		if owner == f {
			delete(m.owners, group)
			freed = true
		}
	}
	for _, o := range m.followers {
		if freed && !m.reads(o) {
			o.passed = map[queue.Seq]bool{}
		}
	}
}

func (m *model) next(t *rapid.T) {
	for range m.between(1, one(m, []int{5, 5, 5, 200})) {
		m.nextOnce(t)
	}
}

func (m *model) nextOnce(t *rapid.T) {
	credit := m.between(0, 63)
	can := func(id queue.ConsumerID) bool { return credit>>id&1 == 1 }
	m.checkAtEnd(t)
	f, e := m.turn(can)
	got, ok := m.q.Turn(can)
	if ok != (f != nil) {
		t.Fatalf("turn gave %+v %v, want %+v for %+v", got, ok, e, f)
	}
	if !ok {
		return
	}
	if got.Seq != e.seq || got.Consumer != f.id {
		t.Fatalf("turn gave %d for %d, want %+v for %+v", got.Seq, got.Consumer, e, f)
	}
	switch action := m.between(0, 9); {
	case action == 0:
		m.unanswered = proposal{got, f, e}
	case f.role.Selects && action < 6:
		m.q.Pass(got)
		m.served(f)
		f.passed[e.seq] = true
	default:
		m.assign(t, got, f, e)
	}
}

// late assigns what was proposed before; by now it may be another's, or gone, or its consumer may have left.
func (m *model) late(t *rapid.T) {
	p := m.unanswered
	m.unanswered = proposal{}
	if p.consumer == nil || p.consumer.role.Browses || m.settings.NonDestructive {
		return
	}
	f, e := p.consumer, p.message
	here := slices.Contains(m.followers, f) && slices.Contains(m.list, e)
	if here && e.isReady() && !m.isKept(f, e) && (!m.settings.SingleActive || f == m.active) {
		m.assign(t, p.turn, f, e)
		return
	}
	if a, ok := m.q.Assign(p.turn); ok {
		t.Fatalf("got %+v, although %+v for %+v holds no longer", a, e, f)
	}
}

func (m *model) assign(t *rapid.T, turn queue.Turn, f *follower, e *message) {
	a, ok := m.q.Assign(turn)
	if !m.reads(f) && e.seq > m.stored[e.Priority] {
		m.needed[e.Priority] = max(m.needed[e.Priority], e.seq)
		if ok {
			t.Fatalf("%d was assigned above the lease", e.seq)
		}
		return
	}
	if !ok || a.Seq != e.seq || a.Consumer != f.id || a.Attempts != e.attempts || m.tags[a.Tag] {
		t.Fatalf("got %+v %v, want message %+v for consumer %d", a, ok, e, f.id)
	}
	m.served(f)
	if m.reads(f) {
		f.passed[e.seq] = true
		if a.Tag != 0 {
			t.Fatalf("who reads got %+v", a)
		}
		return
	}
	m.tags[a.Tag] = true
	e.tag, e.holder, e.seen = a.Tag, f.id, true
	if e.Group != "" && m.settings.Groups {
		m.owners[e.Group] = f
	}
}

// settle answers current tags and, now and then, any other.
func (m *model) settle(t *rapid.T) {
	for range m.between(1, one(m, []int{5, 5, 5, 100})) {
		tag := queue.Tag(m.between(0, len(m.tags)+1))
		if e := m.pick(func(e *message) bool { return e.tag != 0 }); e != nil && tag%8 != 0 {
			tag = e.tag
		}
		m.settleOnce(t, tag)
	}
}

var verdicts = []queue.Verdict{
	queue.Accept, queue.Accept, queue.Release, queue.Fail, queue.Reject,
	queue.Release | queue.Elsewhere, queue.Fail | queue.Elsewhere,
}

func (m *model) settleOnce(t *rapid.T, tag queue.Tag) {
	verdict := one(m, verdicts)
	got := m.q.Settle(m.now, tag, verdict)
	var want queue.Settled
	if i := slices.IndexFunc(m.list, func(e *message) bool { return tag != 0 && e.tag == tag }); i >= 0 {
		want = m.judge(m.list[i], verdict)
	}
	if got != want {
		t.Fatalf("settlement of %d with %d gave %+v, want %+v", tag, verdict, got, want)
	}
}

func (m *model) judge(e *message, v queue.Verdict) queue.Settled {
	if v&queue.Elsewhere != 0 {
		f := m.followers[slices.IndexFunc(m.followers, func(f *follower) bool { return f.id == e.holder })]
		if !f.alone {
			f.alone, f.passed = true, map[queue.Seq]bool{}
		}
		f.never[e.seq] = true
	}
	switch v &^ queue.Elsewhere {
	case queue.Accept:
		m.drop(e)
		return queue.Settled{Seq: e.seq, Effect: queue.Removed, Attempts: e.attempts}
	case queue.Reject:
		e.tag, e.holder, e.leaving = 0, 0, true
		return queue.Settled{Seq: e.seq, Effect: queue.Dead, Attempts: e.attempts}
	}
	return m.comeBack(e, v&^queue.Elsewhere == queue.Fail)
}

// remove takes any message; only one that waits or leaves may go. Some stay on disk, as unreadable ones do.
func (m *model) remove(t *rapid.T) {
	e := m.pick(func(*message) bool { return true })
	if e == nil {
		return
	}
	if m.q.IsReady(e.seq) != e.isReady() {
		t.Fatalf("%d is ready: %v, want %v", e.seq, !e.isReady(), e.isReady())
	}
	free := e.stored && e.tag == 0
	if m.q.Remove(e.seq) != free {
		t.Fatalf("%d removed: %v, want %v", e.seq, !free, free)
	}
	if !free {
		return
	}
	m.drop(e)
	if e.seq%2 == 0 && e.Key == "" {
		m.unreadable = append(m.unreadable, e.seq)
	} else {
		m.remember()
	}
}

func (m *model) tick(t *rapid.T) {
	m.now += int64(m.between(0, 40))
	want := m.advance()
	got := slices.Sorted(slices.Values(m.q.Advance(m.now)))
	if !slices.Equal(got, want) {
		t.Fatalf("%v expired, want %v", got, want)
	}
	if at, ok := m.q.Deadline(); ok && at <= m.now {
		t.Fatalf("deadline %d after advance to %d", at, m.now)
	}
}

func (m *model) configure(t *rapid.T) {
	s := m.drawSettings()
	anew := s.Groups != m.settings.Groups || s.NonDestructive != m.settings.NonDestructive
	m.settings = s
	m.q.Configure(s)
	if !anew {
		return
	}
	m.owners = map[string]*follower{}
	for _, f := range m.followers {
		if !f.role.Browses {
			m.seat(f)
		}
	}
}

package queue_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// TestABacklogCostsFewBytes measures what a backlog of a million keeps on the heap.
func TestABacklogCostsFewBytes(t *testing.T) {
	const n = 1_000_000
	random := rand.New(rand.NewPCG(1, 2))
	cases := map[string]struct {
		entry func(i int64) queue.Entry
		most  int64
	}{
		"of one size":           {func(int64) queue.Entry { return queue.Entry{Size: 256} }, 1 << 20},
		"of random sizes":       {func(int64) queue.Entry { return queue.Entry{Size: 1 + random.IntN(64<<10)} }, 4 << 20},
		"with a time to live":   {func(i int64) queue.Entry { return queue.Entry{Expires: 1<<40 + i/100} }, 4 << 20},
		"some with one":         {func(i int64) queue.Entry { return queue.Entry{Expires: i % 2 * (1<<40 + i)} }, 4 << 20},
		"in groups":             {func(i int64) queue.Entry { return queue.Entry{Group: string(rune('a' + i%26))} }, 4 << 20},
		"of several priorities": {func(i int64) queue.Entry { return queue.Entry{Priority: uint8(i * i % 10)} }, 4 << 20},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := int64(heap())
			q := queue.New(queue.Settings{})
			for i := range int64(n) {
				seq, _, _ := q.Append(c.entry(i))
				q.Stored(seq)
			}
			kept := int64(heap()) - before
			t.Logf("%.2f bytes per waiting message", float64(kept)/n)
			if kept > c.most {
				t.Errorf("a million messages cost %d bytes, want at most %d", kept, c.most)
			}
			runtime.KeepAlive(q)
		})
	}
}

// TestARestoredBacklogCostsFewBytes measures the same after a restart that finds gaps.
func TestARestoredBacklogCostsFewBytes(t *testing.T) {
	before := int64(heap())
	q := queue.New(queue.Settings{})
	for i := range queue.Seq(1_000_000) {
		q.Restore(i*3+i%2+1, queue.Entry{Size: 100}, 0)
	}
	if kept := int64(heap()) - before; kept > 4<<20 {
		t.Errorf("a million messages cost %d bytes", kept)
	}
	runtime.KeepAlive(q)
}

// backlog returns a queue of n stored messages, in chunks of 8, and few of them open.
func backlog(t *testing.T, n int, entry queue.Entry) *queue.Queue {
	t.Helper()
	q := queue.New(queue.Settings{})
	q.Divide(8, 2)
	for range n {
		seq, _, _ := q.Append(entry)
		q.Stored(seq)
	}
	wantFewOpen(t, q)
	return q
}

// wantFewOpen wants no more chunks open than two at the front, the last, and those that are open whatever they are.
func wantFewOpen(t *testing.T, q *queue.Queue) {
	t.Helper()
	if open := q.OpenChunks(); open > 8 {
		t.Fatalf("%d chunks are open, %d packed", open, q.PackedChunks())
	}
}

func TestWhoOnlyLooksOpensNothing(t *testing.T) {
	q := backlog(t, 1000, queue.Entry{})
	join(t, q, 1, queue.Role{Browses: true})
	join(t, q, 2, queue.Role{Selects: true})
	packed := q.PackedChunks()
	if seen := drainFor(q, 1); len(seen) != 1000 {
		t.Fatalf("the browser saw %d", len(seen))
	}
	wantSeqs(t, choose(q, 2))
	wantSeqs(t, q.Waiting(500, 3, nil), 500, 501, 502)
	if !q.IsReady(700) || q.IsReady(1001) || q.Remove(1001) || q.Head() != 1 {
		t.Fatal("what is packed is not read")
	}
	if q.PackedChunks() != packed {
		t.Fatalf("%d chunks are packed, want %d", q.PackedChunks(), packed)
	}
}

func TestWhatWasOpenedIsPackedAgain(t *testing.T) {
	q := backlog(t, 1000, queue.Entry{})
	for seq := queue.Seq(1000); seq > 0; seq-- {
		if seq%3 > 0 && !q.Remove(seq) {
			t.Fatalf("%d was not there", seq)
		}
		wantFewOpen(t, q)
	}
	join(t, q, 1, queue.Role{})
	for want := queue.Seq(3); want <= 999; want += 3 {
		a := mustNextAfterRaise(t, q)
		if a.Seq != want {
			t.Fatalf("got %d, want %d", a.Seq, want)
		}
		q.Settle(0, a.Tag, queue.Accept)
		wantFewOpen(t, q)
	}
}

func TestAChunkIsPackedOnceNothingInItIsHeld(t *testing.T) {
	q := backlog(t, 1000, queue.Entry{})
	join(t, q, 1, queue.Role{Selects: true})
	var tags []queue.Tag
	for seq := queue.Seq(5); seq <= 1000; seq += 8 { // one in each chunk
		tags = append(tags, take(t, q, seq))
	}
	if open := q.OpenChunks(); open < len(tags) {
		t.Fatalf("%d chunks are open, although %d messages are held", open, len(tags))
	}
	for _, tag := range tags {
		q.Settle(0, tag, queue.Release)
	}
	for range 2000 {
		seq, _, _ := q.Append(queue.Entry{})
		q.Stored(seq)
	}
	wantFewOpen(t, q)
}

// take lets the selecting consumer 1 have a message, wherever it is.
func take(t *testing.T, q *queue.Queue, seq queue.Seq) queue.Tag {
	t.Helper()
	for {
		turn, ok := q.Turn(always)
		switch {
		case !ok:
			t.Fatalf("%d is not to be had", seq)
		case turn.Seq != seq:
			q.Pass(turn)
		default:
			if a, ok := q.Assign(turn); ok {
				return a.Tag
			}
			raise(q)
		}
	}
}

func TestManyChunksExpireInTheOrderOfTheirNumbers(t *testing.T) {
	q := queue.New(queue.Settings{})
	q.Divide(8, 2)
	for i := range int64(1000) { // the later, the sooner; every other one never
		seq, _, _ := q.Append(queue.Entry{Expires: i % 2 * (3000 - i)})
		q.Stored(seq)
	}
	wantFewOpen(t, q)
	if at, ok := q.Deadline(); !ok || at != 2001 {
		t.Fatalf("deadline %d %v, want 2001", at, ok)
	}
	wantSeqs(t, q.Advance(2000))
	wantSeqs(t, q.Advance(2005), 996, 998, 1000)
	if at, ok := q.Deadline(); !ok || at != 2007 {
		t.Fatalf("deadline %d %v, want 2007", at, ok)
	}
	if expired := q.Advance(2999); len(expired) != 497 || expired[0] != 2 || q.Leaving() != 500 {
		t.Fatalf("%d expired, from %d; %d are leaving", len(expired), expired[0], q.Leaving())
	}
	if at, ok := q.Deadline(); ok {
		t.Fatalf("deadline %d although nothing waits", at)
	}
}

func TestTheFirstChunksStayOpen(t *testing.T) {
	q := queue.New(queue.Settings{})
	q.Divide(8, 0)
	for range 1000 {
		seq, _, _ := q.Append(queue.Entry{})
		q.Stored(seq)
	}
	if open := q.OpenChunks(); open < 3 { // the first two and the last
		t.Fatalf("%d chunks are open", open)
	}
}

func TestLastValuesAreNotPacked(t *testing.T) {
	q := queue.New(queue.Settings{})
	q.Divide(8, 2)
	for range 2 { // what is replaced is anywhere
		for i := range 1000 {
			seq, _, _ := q.Append(queue.Entry{Key: strconv.Itoa(i * 7 % 1000)})
			q.Stored(seq)
			if n := q.PackedChunks(); n > 0 {
				t.Fatalf("%d chunks are packed", n)
			}
		}
	}
}

// TestAlmostEmptyQueuesCostLittle drains queues but for one message.
func TestAlmostEmptyQueuesCostLittle(t *testing.T) {
	const n = 100
	var queues [n]*queue.Queue
	before := int64(heap())
	for i := range queues {
		q := filled(5000, 1)
		for range 4999 {
			q.Settle(0, mustNextAfterRaise(t, q).Tag, queue.Accept)
		}
		if open := q.OpenChunks(); open != 1 {
			t.Fatalf("one message has %d chunks", open)
		}
		queues[i] = q
	}
	if kept := int64(heap()) - before; kept > n*2048 {
		t.Errorf("%d bytes are kept for each", kept/n)
	}
	runtime.KeepAlive(queues)
}

func TestFewMessagesStayInOneChunk(t *testing.T) {
	q := filled(2, 1)
	for range 100 {
		seq, _, _ := q.Append(queue.Entry{})
		q.Stored(seq)
		q.Settle(0, mustNextAfterRaise(t, q).Tag, queue.Accept)
		if open := q.OpenChunks(); open != 1 {
			t.Fatalf("%d chunks for %d messages", open, q.Len())
		}
	}
}

// TestAMessageLeftBehindCostsLittle holds one message while many others pass.
func TestAMessageLeftBehindCostsLittle(t *testing.T) {
	before := int64(heap())
	q := filled(1, 1)
	mustNext(t, q)
	for range 10_000 {
		seq, _, _ := q.Append(queue.Entry{})
		q.Stored(seq)
		q.Settle(0, mustNextAfterRaise(t, q).Tag, queue.Accept)
	}
	if kept := int64(heap()) - before; kept > 16<<10 {
		t.Errorf("%d bytes are kept for one message", kept)
	}
	runtime.KeepAlive(q)
}

// TestSparseChunksCostLittle holds few messages of many, each in a chunk of its own, and takes the others.
func TestSparseChunksCostLittle(t *testing.T) {
	const n, apart = 1_000_000, 2000
	before := int64(heap())
	q := queue.New(queue.Settings{})
	join(t, q, 1, queue.Role{})
	for range n {
		seq, _, _ := q.Append(queue.Entry{})
		q.Stored(seq)
		if a := mustNextAfterRaise(t, q); a.Seq%apart > 0 {
			q.Settle(0, a.Tag, queue.Accept)
		}
	}
	if kept := int64(heap()) - before; kept > n/apart*300 {
		t.Errorf("%d bytes are kept for %d messages", kept, n/apart)
	}
	runtime.KeepAlive(q)
}

// TestSparseChunksAmongManyCostLittle leaves one message, which is held, in each of a hundred chunks of a long backlog.
func TestSparseChunksAmongManyCostLittle(t *testing.T) {
	const chunk, sparse = 1024, 100
	before := int64(heap())
	q := filled(4 * sparse * chunk)
	join(t, q, 1, queue.Role{Selects: true})
	for i := range queue.Seq(sparse) {
		first := (i+10)*chunk + 1
		take(t, q, first)
		for seq := first + 1; seq < first+chunk; seq++ {
			q.Remove(seq)
		}
	}
	if kept := int64(heap()) - before; kept > 800<<10 {
		t.Errorf("%d bytes are kept", kept)
	}
	runtime.KeepAlive(q)
}

// TestAQueueThatIsKeptUpWithDoesNotAllocate keeps several chunks in use.
func TestAQueueThatIsKeptUpWithDoesNotAllocate(t *testing.T) {
	const window = 3000
	q := filled(window, 1)
	var tags [window]queue.Tag
	for i := range tags {
		tags[i] = mustNextAfterRaise(t, q).Tag
	}
	pass := func() {
		for i := range tags {
			q.Settle(0, tags[i], queue.Accept)
			seq, _, _ := q.Append(queue.Entry{Expires: 1 << 40})
			q.Stored(seq)
			tags[i] = mustNextAfterRaise(t, q).Tag
		}
	}
	pass()
	pass()
	if n := testing.AllocsPerRun(10, pass); n > 0 {
		t.Errorf("%v allocations while %d messages pass", n, window)
	}
}

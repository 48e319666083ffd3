package queue_test

import (
	"fmt"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// The shell's turn with one message: append, write it together with a raised lease, assign, settle.
func Example() {
	q := queue.New(queue.Settings{MaxMessages: 100})
	q.Attach(1, queue.Role{})

	seq, _, _ := q.Append(queue.Entry{Size: 256, Priority: queue.DefaultPriority})
	lease, wanted := q.LeaseWanted()
	fmt.Println("write message", seq, "and lease", q.Past().Lease[4], wanted)

	// The disk has both.
	q.LeaseStored(lease)
	q.Stored(seq)

	turn, _ := q.Turn(func(queue.ConsumerID) bool { return true })
	a, _ := q.Assign(turn)
	fmt.Println("deliver message", a.Seq, "to consumer", a.Consumer)

	first, late := q.Settle(0, a.Tag, queue.Accept), q.Settle(0, a.Tag, queue.Release)
	fmt.Println(first.Effect == queue.Removed, late.Effect == queue.None, q.Len())
	// Output:
	// write message 1 and lease 1025 true
	// deliver message 1 to consumer 1
	// true true 0
}

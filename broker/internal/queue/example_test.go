package queue_test

import (
	"fmt"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// The shell's turn with one message: append, write it together with a raised lease, assign, settle.
func Example() {
	q := queue.New(queue.Settings{MaxMessages: 100})
	q.Attach(1)

	seq, _ := q.Append(256)
	lease, wanted := q.LeaseWanted()
	fmt.Println("write message", seq, "and lease", lease, wanted)

	// The disk has both.
	q.LeaseStored(lease)
	q.Stored(seq)

	a, _ := q.Next(func(queue.ConsumerID) bool { return true })
	fmt.Println("deliver message", a.Seq, "to consumer", a.Consumer)

	first, late := q.Settle(a.Tag, queue.Accept), q.Settle(a.Tag, queue.Release)
	fmt.Println(first.Effect == queue.Removed, late.Effect == queue.None, q.Len())
	// Output:
	// write message 1 and lease 1025 true
	// deliver message 1 to consumer 1
	// true true 0
}

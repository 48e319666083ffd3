package broker

import (
	"encoding/binary"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// The history of a message is what has become of it since it was stored: how often its delivery failed (uvarint), and
// the encoded annotations that it was given back with. It is on disk, without anybody waiting for that, if the queue
// counts deliveries or there are annotations.

// remember adds to a batch that a message came back.
func (n *queueNode) remember(batch store.Batch, s queue.Settled) {
	note := n.notes[s.Seq]
	if n.isVolatile() || s.Attempts == 0 && note == nil || !n.rules.counts && note == nil {
		return
	}
	n.remembers = true
	history := binary.AppendUvarint(nil, uint64(s.Attempts))
	batch.PutHistory(n.id, uint64(s.Seq), append(history, note...))
}

// giveBack remembers messages that came back.
func (n *queueNode) giveBack(settled ...queue.Settled) {
	if n.isVolatile() || !n.rules.counts && len(n.notes) == 0 {
		return
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return // nothing is delivered any more that could be counted
	}
	for _, s := range settled {
		n.remember(batch, s)
	}
	batch.CommitLazy()
}

// dropReplaced takes off the disk what recovery found that a later message of its key takes the place of.
func (n *queueNode) dropReplaced() {
	if len(n.replaced) > 0 {
		n.drop(n.replaced)
		n.replaced = nil
	}
}

// histories are what recovery finds.
type histories map[historyKey][]byte

type historyKey struct {
	id  store.QueueID
	seq uint64
}

// restore puts a message back into its queue.
func (h histories) restore(n *queueNode, seq queue.Seq, f facts) {
	history, attempts := h[historyKey{n.id, uint64(seq)}], uint64(0)
	if len(history) > 0 {
		length := 0
		attempts, length = binary.Uvarint(history)
		n.remembers = true
		n.note(seq, string(history[max(length, 0):]))
	}
	if replaced := n.machine.Restore(seq, f.entry, int(attempts)); replaced > 0 {
		n.replaced = append(n.replaced, replaced)
	}
}

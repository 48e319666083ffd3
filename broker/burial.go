package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// burial is a message that a settlement in a transaction leaves dead. Its body is read before anything is locked, so that
// it goes to the dead-letter queue in the same write. If that is not to be, because there is no room or it was not
// foreseen, it goes after it.
type burial struct {
	from, to *queueNode
	settled  queue.Settled
	outcome  router.Outcome
	letter   router.Delivery // for to; without a message when it was not read
	due      bool            // the settlement has happened
}

// findBurials foresees which settlements will leave a message dead that goes to another queue.
func findBurials(settlements []router.Settlement) (found []burial) {
	for _, s := range settlements {
		if s.Outcome.State != router.Rejected && s.Outcome.State != router.Modified {
			continue
		}
		n := s.Settler.(*queueNode)
		n.mu.Lock()
		settled, dying := n.machine.Dying(queue.Tag(s.Tag), verdict(s.Outcome))
		to := n.rules.dead
		n.mu.Unlock()
		if dying && to != nil {
			found = append(found, burial{from: n, to: to, settled: settled, outcome: s.Outcome})
		}
	}
	return found
}

// run implements task: it reads what will be dead, then takes the transaction to the disk.
func (t *transaction) run() {
	for i := range t.dead {
		b := &t.dead[i]
		m, err := b.from.read(b.settled.Seq)
		if err != nil {
			continue // it is reported when it is to be moved by itself
		}
		d := departure{from: b.from, to: b.to, reason: reasonOf(b.outcome), text: textOf(b.outcome)}
		b.letter = d.letter(m, b.settled.Attempts)
	}
	t.commit(t.dead[0].from.broker)
}

// die notes that a settlement has left a message dead.
func (t *transaction) die(n *queueNode, s queue.Settled, o router.Outcome) {
	for i := range t.dead {
		if b := &t.dead[i]; b.from == n && b.settled == s && b.to == n.rules.dead {
			b.due = true
			return
		}
	}
	t.dead = append(t.dead, burial{from: n, to: n.rules.dead, settled: s, outcome: o, due: true})
}

// buryAll moves the dead to where there is room for them.
func (t *transaction) buryAll(batch store.Batch) {
	for i := range t.dead {
		b := &t.dead[i]
		if !b.due || b.letter.Message.IsZero() || !b.to.letters.isEmpty() || !b.to.machine.Room(1, int64(b.letter.Message.Len())) {
			continue
		}
		b.from.machine.Remove(b.settled.Seq)
		b.from.delete(batch, b.settled.Seq)
		t.writePlace(batch, place{offer: &b.letter, queue: b.to})
		b.due = false
	}
}

// buryLater moves the dead that the transaction could not take along.
func (t *transaction) buryLater() {
	for _, b := range t.dead {
		if b.due {
			b.from.mu.Lock()
			b.from.bury(b.settled, b.outcome, nil)
			b.from.mu.Unlock()
		}
	}
}

package broker

import (
	"cmp"
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// transaction is a router.Work on its way to the disk: one batch of the store over all the nodes that it concerns. They
// are locked together while it is checked and written, and each by itself when it is on disk: only then are its
// messages handed out, and its retained ones known.
type transaction struct {
	work   router.Work
	done   func(error)
	topics []topicPart // in the order of the tenants
	queues []queuePart // in the order of the queues' numbers
	places []place

	inside  bool               // the work is the broker's own: what is closed to clients is open
	leaving []leaver           // what is moved from where nobody holds it
	dead    []burial           // what settlements leave dead
	again   []*router.Delivery // what is not stored, because it was before
}

// leaver is a message that leaves its queue, where nobody holds it.
type leaver struct {
	queue *queueNode
	seq   queue.Seq
}

// topicPart is what a transaction does to the topics of one tenant.
type topicPart struct {
	node   *topics
	retain map[addressing.Address]*router.Delivery // the last of each topic name
}

// queuePart is what a transaction does to one queue.
type queuePart struct {
	node     *queueNode
	receives bool // it must have room for what follows
	messages int  // by how many more there are in the end
	bytes    int64
	storing  int         // messages that it brings to the disk
	left     []queue.Seq // what has left it
}

// place is a queue that an offered message goes to.
type place struct {
	offer *router.Delivery
	queue *queueNode
	topic *topics // through which it comes; nil for what goes to a queue
}

var (
	_ router.Transactor = (*Broker)(nil)
	_ store.Completer   = (*transaction)(nil)
)

// Commit implements router.Transactor.
func (b *Broker) Commit(w router.Work, done func(error)) {
	t := &transaction{work: w, done: done}
	if t.dead = findBurials(w.Settlements); len(t.dead) > 0 {
		b.readers.ask(t)
		return
	}
	t.commit(b)
}

// commit takes it to the disk, or says why not.
func (t *transaction) commit(b *Broker) {
	err := t.admit(b)
	if err == nil {
		err = t.begin(b.store)
	}
	if err != nil {
		for _, o := range t.work.Offers {
			o.Delivery.Settle(refused(err))
		}
		t.done(err)
	}
}

// refused is the outcome of a message that is not taken for the reason of an error.
func refused(err error) router.Outcome { return router.Reject(router.ReasonOf(err), err.Error()) }

// begin checks everything, then hands it to the store.
func (t *transaction) begin(s *store.Store) error {
	t.lock()
	defer t.unlock()
	if err := t.check(); err != nil {
		return err
	}
	batch, err := s.Begin()
	if err != nil {
		return storeError()
	}
	t.write(batch)
	batch.Commit(t, 0)
	for _, p := range t.queues {
		p.node.handOut()
	}
	return nil
}

// lock finds the nodes and locks them: the topics first, because they know their subscriptions.
func (t *transaction) lock() {
	for _, o := range t.work.Offers {
		if n, ok := o.Node.(*topics); ok {
			t.topics = append(t.topics, topicPart{node: n})
		}
	}
	slices.SortFunc(t.topics, func(a, b topicPart) int { return cmp.Compare(a.node.tenant, b.node.tenant) })
	t.topics = slices.CompactFunc(t.topics, func(a, b topicPart) bool { return a.node == b.node })
	for _, p := range t.topics {
		p.node.mu.Lock()
	}
	t.route()
	for _, p := range t.queues {
		p.node.mu.Lock()
	}
}

func (t *transaction) unlock() {
	for _, p := range t.queues {
		p.node.mu.Unlock()
	}
	for _, p := range t.topics {
		p.node.mu.Unlock()
	}
}

// route finds the queues, and where each message goes.
func (t *transaction) route() {
	var found []*queueNode
	for i := range t.work.Offers {
		d := &t.work.Offers[i].Delivery
		topic, _ := t.work.Offers[i].Node.(*topics)
		if topic != nil {
			found = topic.match(*d, found[:0])
		} else {
			found = append(found[:0], t.work.Offers[i].Node.(*queueNode))
		}
		for _, n := range found {
			t.places = append(t.places, place{d, n, topic})
			t.queues = append(t.queues, queuePart{node: n})
		}
	}
	for _, b := range t.dead {
		t.queues = append(t.queues, queuePart{node: b.to})
	}
	for _, s := range t.work.Settlements {
		t.queues = append(t.queues, queuePart{node: s.Settler.(*queueNode)})
	}
	for _, l := range t.leaving {
		t.queues = append(t.queues, queuePart{node: l.queue})
	}
	slices.SortFunc(t.queues, func(a, b queuePart) int { return cmp.Compare(a.node.id, b.node.id) })
	t.queues = slices.CompactFunc(t.queues, func(a, b queuePart) bool { return a.node == b.node })
}

// part finds what is done to a queue.
func (t *transaction) part(n *queueNode) *queuePart {
	i, _ := slices.BinarySearchFunc(t.queues, n.id, func(p queuePart, id store.QueueID) int {
		return cmp.Compare(p.node.id, id)
	})
	return &t.queues[i]
}

// check tells why the transaction cannot be done.
func (t *transaction) check() error {
	if err := t.checkSettlements(); err != nil {
		return err
	}
	for _, p := range t.places {
		if p.topic != nil || p.queue.isAgain(p.offer.Message) {
			continue
		}
		if p.queue.rules.closed && !t.inside {
			return consumeOnly()
		}
		part := t.part(p.queue)
		part.receives = true
		part.messages++
		part.bytes += int64(p.offer.Message.Len())
	}
	for _, p := range t.queues {
		if !p.receives {
			continue
		}
		if !p.node.machine.Room(p.messages, p.bytes) {
			return queueFull()
		}
		if err := p.node.room(p.messages, p.bytes); err != nil {
			return err
		}
	}
	return t.checkRetained()
}

// checkSettlements refuses one whose assignment is not current, or is ended twice.
func (t *transaction) checkSettlements() error {
	type assignment struct {
		settler router.Settler
		tag     uint64
	}
	ended := make(map[assignment]bool, len(t.work.Settlements))
	for _, s := range t.work.Settlements {
		n, a := s.Settler.(*queueNode), assignment{s.Settler, s.Tag}
		size, held := n.machine.Held(queue.Tag(s.Tag))
		if !held || ended[a] {
			return notHeld()
		}
		ended[a] = true
		if v := verdict(s.Outcome); v == queue.Accept || v == queue.Reject {
			part := t.part(n)
			part.messages--
			part.bytes -= int64(size)
		}
	}
	return nil
}

func (t *transaction) checkRetained() error {
	for i := range t.topics {
		p := &t.topics[i]
		p.retain = make(map[addressing.Address]*router.Delivery)
		for j := range t.work.Offers {
			if o := &t.work.Offers[j]; o.Node == p.node && o.Delivery.Retain {
				p.retain[o.Delivery.To] = &o.Delivery
			}
		}
		if !p.node.makeRoom(slices.Collect(maps.Values(p.retain))...) {
			return p.node.tooManyRetained()
		}
	}
	return nil
}

// write does the work in memory and adds it to a batch. What is settled goes first: it makes room.
func (t *transaction) write(batch store.Batch) {
	for _, s := range t.work.Settlements {
		n := s.Settler.(*queueNode)
		settled := n.settle(queue.Tag(s.Tag), s.Outcome)
		switch {
		case settled.Effect == queue.Dead && n.rules.dead != nil:
			t.die(n, settled, s.Outcome)
		case settled.Effect == queue.Dead:
			n.machine.Remove(settled.Seq)
			n.delete(batch, settled.Seq)
		case settled.Effect == queue.Removed:
			n.delete(batch, settled.Seq)
		default:
			n.note(settled.Seq, s.Outcome.Annotations)
			n.remember(batch, settled)
		}
	}
	for _, l := range t.leaving {
		if l.queue.machine.Remove(l.seq) {
			part := t.part(l.queue)
			part.left = append(part.left, l.seq)
		}
	}
	for _, p := range t.queues {
		p.node.deleteAll(batch, p.left)
	}
	for _, p := range t.places {
		t.writePlace(batch, p)
	}
	t.buryAll(batch)
	for _, p := range t.topics {
		for _, d := range p.retain {
			p.node.writeRetained(batch, *d)
			p.node.retained.promise(d)
		}
	}
	for _, r := range t.work.Records {
		r.(clientRecord).write(batch)
	}
}

func (t *transaction) writePlace(batch store.Batch, p place) {
	n, d := p.queue, p.queue.rules.limited(*p.offer)
	if n.retired {
		return
	}
	if n.isAgain(d.Message) {
		if p.topic == nil {
			t.again = append(t.again, p.offer)
		}
		return
	}
	entry := entryOf(d, n.rules.keyOf(d.Message))
	seq, dropped, err := n.machine.Append(entry)
	if err != nil { // a subscription that is full misses the message; for queues there is room, as check has seen
		n.counters.Dropped++
		d.Dropped()
		return
	}
	if p.topic != nil {
		d = d.Unowned() // its topic settles it
	}
	t.part(n).storing++
	n.record(d, entry)
	n.write(batch, seq, dropped, d)
}

// Committed implements store.Completer.
func (t *transaction) Committed(_ uint64, err error) {
	for _, p := range t.queues {
		if p.storing > 0 {
			p.node.written(p.storing, err)
		}
	}
	for i := range t.work.Offers {
		if n, ok := t.work.Offers[i].Node.(*topics); ok {
			n.written(&t.work.Offers[i].Delivery, err)
		}
	}
	for _, d := range t.again {
		if err != nil {
			d.Settle(storeFailed())
		} else {
			d.Settle(router.Accept())
		}
	}
	t.buryLater()
	if err != nil {
		err = storeError()
	}
	t.done(err)
}

// written ends the way to the disk of a message that was sent in a transaction.
func (t *topics) written(d *router.Delivery, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.Retain {
		t.retained.keepPromise(d, err == nil)
	}
	if err != nil {
		d.Settle(storeFailed())
		return
	}
	t.deliverLive(*d, t.live.Match(d.To, nil))
	d.Settle(router.Accept())
}

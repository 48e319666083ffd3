package store

import "errors"

// What is consumed is deleted message by message. Where that leaves little behind, Pebble is slow to see that there is
// something to gain: some deletions weigh nothing beside what they delete. So now and then all that is below the first
// message of a queue is deleted once more, as a range: of that Pebble drops whole tables, without reading them.

// footprint is what is known of the space that a queue takes.
type footprint struct {
	apart   bool   // it has, or had, bodies with records of their own
	deleted uint64 // the highest number of a message that was deleted since the store was opened, if it has
	trimmed uint64 // all below was deleted as a range
	compact uint64 // all bodies below have given back their space, or are about to
}

// trimStep is how many numbers are worth a range.
const trimStep = 4096

// footprint gives the footprint of a queue to be changed. The caller holds s.mu.
func (s *Store) footprint(id QueueID) *footprint {
	of := s.footprints[id]
	if of == nil {
		of = &footprint{}
		s.footprints[id] = of
	}
	return of
}

// trimTo deletes what is left of a queue below its head, if that is worth while.
func (b Batch) trimTo(id QueueID, head uint64) {
	if of := b.s.footprints[id]; of != nil && head < of.trimmed+trimStep || head < trimStep {
		return
	}
	b.trim(id, head)
}

func (b Batch) trim(id QueueID, head uint64) {
	of := b.s.footprint(id)
	if head <= max(of.trimmed, 1) {
		return
	}
	// From the very beginning: a table that reaches over two ranges would be in none of them.
	_ = b.changes().DeleteRange(messageKey(nil, id, 1), messageKey(nil, id, head), nil)
	if of.apart {
		_ = b.changes().DeleteRange(bodyKey(nil, id, 1), bodyKey(nil, id, head), nil)
	}
	of.trimmed = head
}

// dropFootprint deletes all messages and bodies of a queue, and its metadata.
func (b Batch) dropFootprint(id QueueID) {
	_ = b.changes().DeleteRange(metaKey(nil, id), metaKey(nil, id+1), nil)
	if of := b.s.footprints[id]; of != nil && of.apart {
		_ = b.changes().DeleteRange(bodiesKey(nil, id), bodiesKey(nil, id+1), nil)
	}
	delete(b.s.footprints, id)
	b.s.pending.deleted += dropWeight
}

// trimBodies trims the queues that have had large messages, of which few are much, and waits until that is written. It
// gives the heads of those queues: their bodies below are to be compacted away.
func (s *Store) trimBodies() (heads map[QueueID]uint64, err error) {
	heads = make(map[QueueID]uint64)
	for id, of := range s.spacious() {
		head, err := s.firstIn(id, max(of.trimmed, 1), of.deleted)
		if err != nil {
			return heads, err
		}
		b, err := s.Begin()
		if err != nil {
			return heads, err
		}
		b.trim(id, head)
		s.footprint(id).compact = head
		done := make(waiter, 1)
		b.Commit(done, 0)
		if err := <-done; err != nil {
			return heads, err
		}
		heads[id] = head
	}
	return heads, nil
}

// spacious gives the queues of which large messages may have been deleted since their bodies were compacted.
func (s *Store) spacious() map[QueueID]footprint {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make(map[QueueID]footprint)
	for id, of := range s.footprints {
		if of.apart && of.deleted >= max(of.compact, 1) {
			found[id] = *of
		}
	}
	return found
}

// firstIn gives the number of the first message of a queue between two, of which the higher one is that of a message that was
// deleted; or, if there is none, the number after them. As messages are written in the order of their numbers, no lower one
// will come.
func (s *Store) firstIn(id QueueID, from, to uint64) (seq uint64, err error) {
	it, err := s.view.Iterate(messageKey(nil, id, from), messageKey(nil, id, to+1))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.First() {
		return to + 1, it.Error()
	}
	_, seq, _ = splitQueueKey(it.Key())
	return seq, nil
}

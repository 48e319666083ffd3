package store

import (
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// A bit that is wrong on disk spoils the block of records that it is in, for Pebble gives none of them. Recovery leaps
// over such a block, and reports that it did.

// leap goes on behind what cannot be read. It is false if there is no more, or another reason not to go on.
func (r *recovery) leap(valid *bool) bool {
	cause := r.it.Error()
	if !pebble.IsCorruptionError(cause) {
		return false
	}
	seq, found := firstWhere(r.seq, func(seq uint64) bool { return r.readable(r.queue, seq) })
	if found {
		r.visitor.Corrupt(&CorruptError{
			What:  fmt.Sprintf("block with messages %d to %d of queue %d", r.seq+1, seq-1, r.queue),
			Queue: r.queue, Seq: seq - 1, Cause: cause,
		})
		*valid = r.readable(r.queue, seq) && r.it.Valid()
		return *valid
	}
	next, found := firstWhere(uint64(r.queue), func(id uint64) bool { return r.readable(QueueID(id), 0) })
	if !found {
		return false
	}
	// The block ends in the queue before the first of which the metadata can be read.
	*valid = r.begin(QueueID(next-1), nil, corrupt(metaKey(nil, QueueID(next-1)), cause))
	return *valid || r.leap(valid)
}

// readable moves to a message, or to the metadata of the queue if seq is 0, or to what comes after.
func (r *recovery) readable(id QueueID, seq uint64) bool {
	key := messageKey(r.scratch[:0], id, seq)
	if seq == 0 {
		key = key[:metaKeyLen]
	}
	r.it.SeekGE(key)
	if !pebble.IsCorruptionError(r.it.Error()) {
		return true
	}
	r.it.SeekLT([]byte{queueSpace}) // or the next seek would begin where this one has failed
	return false
}

// firstWhere finds the first number above a given one for which something holds that holds for all after it, too.
func firstWhere(above uint64, holds func(uint64) bool) (first uint64, found bool) {
	low, high := above, above // holds is false for low
	for step := uint64(1); ; step *= 2 {
		if high = low + step; high < low || step == 0 {
			high = math.MaxUint64
		}
		if holds(high) {
			break
		}
		if low = high; high == math.MaxUint64 {
			return 0, false
		}
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, true
}

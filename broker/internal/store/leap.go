package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// A bit that is wrong on disk spoils the block of records that it is in, for Pebble gives none of them; and it keeps an
// iterator from all that other tables have between the keys of the block, or above those of the last one. Recovery leaps
// over such a block, looks up what is not in it one by one, and reports that it did.

const (
	// lookUps is how many messages are looked up in vain before it is taken that there are no more.
	lookUps = 1024
	// lostNumbers is more than how many messages may lie where nothing can be read.
	lostNumbers = 1 << 32
)

// leap goes on behind what cannot be read. It is false if there is no more, or another reason not to go on.
func (r *recovery) leap(valid *bool) bool {
	cause := cmp.Or(r.it.Error(), r.spoilt)
	if !pebble.IsCorruptionError(cause) {
		return false
	}
	first := r.seq + 1
	seq, found := firstWhere(r.seq, func(seq uint64) bool { return r.readable(r.queue, seq) })
	if found {
		r.lookUp(seq)
		r.lost(fmt.Sprintf("block with messages %d to %d of queue %d", first, seq-1, r.queue), seq-1, cause)
		*valid = r.readable(r.queue, seq) && r.it.Valid()
		return *valid
	}
	if r.queue > 0 {
		r.lookUp(math.MaxUint64)
		r.lost(fmt.Sprintf("block with messages from %d of queue %d on", first, r.queue), r.seq+lostNumbers, cause)
	}
	next, found := firstWhere(uint64(r.queue), func(id uint64) bool { return r.readable(QueueID(id), 0) })
	if !found {
		return false
	}
	// The block ends in the queue before the first of which the metadata can be read. Of those before only the metadata
	// may be elsewhere.
	*valid = r.readable(QueueID(next), 0) && r.it.Valid()
	for id := r.queue + 1; id < QueueID(next); id++ {
		var key [metaKeyLen]byte
		_, value, err := getRecord(r.view, metaKey(key[:0], id), nil)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		*valid = r.begin(id, value, err)
		return *valid || r.leap(valid)
	}
	return *valid
}

// lookUp visits the messages of the queue that are looked up below a number.
func (r *recovery) lookUp(below uint64) {
	for seq, misses := r.seq+1, 0; seq < below && misses < lookUps; seq++ {
		var key [messageKeyLen]byte
		flags, value, err := getRecord(r.view, messageKey(key[:0], r.queue, seq), nil)
		if err != nil {
			misses++
			continue
		}
		r.seq, misses = seq, 0
		r.visitor.Message(r.queue, seq, flags&^flagApart, value)
	}
}

// lost reports what could not be read, up to a number that is not to be given again.
func (r *recovery) lost(what string, upTo uint64, cause error) {
	r.visitor.Corrupt(&CorruptError{What: what, Queue: r.queue, Seq: upTo, Cause: cause})
}

// readable moves to a message, or to the metadata of the queue if seq is 0, or to what comes after.
func (r *recovery) readable(id QueueID, seq uint64) bool {
	key := messageKey(r.scratch[:0], id, seq)
	if seq == 0 {
		key = key[:metaKeyLen]
	}
	r.it.SeekGE(key)
	if r.spoilt = r.it.Error(); !pebble.IsCorruptionError(r.spoilt) {
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

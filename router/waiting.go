package router

import (
	"iter"

	"github.com/manifoldmq/manifold/addressing"
)

// deliveryWeight is about what it takes to keep a message besides its bytes, so that many small ones, or empty ones, count as well.
const deliveryWeight = 128

// weight is what a message counts for where messages wait in memory, and are bounded by Limits.MaxWaiting.
func (d *Delivery) weight() int { return d.Message.Len() + deliveryWeight }

// within yields the addresses that a filter selects of those for which all has something. For a literal filter, as most are, it looks
// at that address alone: a node may have very many.
func within[V any](all map[addressing.Address]V, f addressing.Filter) iter.Seq[addressing.Address] {
	return func(yield func(addressing.Address) bool) {
		if len(all) == 0 {
			return
		}
		if a, literal := f.Literal(); literal {
			if _, ok := all[a]; ok {
				yield(a)
			}
			return
		}
		for a := range all {
			if f.Matches(a) && !yield(a) {
				return
			}
		}
	}
}

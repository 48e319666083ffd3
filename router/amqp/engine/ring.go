package engine

// ring is a first-in-first-out queue that allocates when it is first used and grows by doubling.
type ring[T any] struct {
	slots []T // length is a power of two, or 0
	head  int
	n     int
}

func (r *ring[T]) len() int { return r.n }

// at is the i-th oldest entry, valid until the next push or pop.
func (r *ring[T]) at(i int) *T { return &r.slots[(r.head+i)&(len(r.slots)-1)] }

func (r *ring[T]) push(v T) {
	if r.n == len(r.slots) {
		slots := make([]T, max(4, 2*len(r.slots)))
		k := copy(slots, r.slots[r.head:])
		copy(slots[k:], r.slots[:r.head])
		r.slots, r.head = slots, 0
	}
	r.n++
	*r.at(r.n - 1) = v
}

// keptSlots is how many slots an empty ring or ledger keeps until the connection is idle.
const keptSlots = 1024

// drop removes the newest entry and lets go of what it refers to.
func (r *ring[T]) drop() {
	var none T
	*r.at(r.n - 1) = none
	r.n--
}

// trim gives the memory of an empty ring back.
func (r *ring[T]) trim() {
	if r.n == 0 {
		*r = ring[T]{}
	}
}

// pop removes the oldest entry and lets go of what it refers to.
func (r *ring[T]) pop() {
	clear(r.slots[r.head : r.head+1])
	r.head = (r.head + 1) & (len(r.slots) - 1)
	r.n--
	if r.n == 0 && len(r.slots) > keptSlots {
		*r = ring[T]{}
	}
}

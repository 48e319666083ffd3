package topology

// frontier is a heap of what has been reached, the cheapest on top, of equals the lowest id.
type frontier []reached

// reached is a router and what a way to it costs.
type reached struct {
	router int
	cost   int64
}

func (r reached) before(other reached) bool {
	return r.cost < other.cost || r.cost == other.cost && r.router < other.router
}

func (f *frontier) push(r reached) {
	heap := append(*f, r)
	for i := len(heap) - 1; i > 0; {
		above := (i - 1) / 2
		if !heap[i].before(heap[above]) {
			break
		}
		heap[i], heap[above] = heap[above], heap[i]
		i = above
	}
	*f = heap
}

func (f *frontier) pop() reached {
	heap := *f
	top, last := heap[0], len(heap)-1
	heap[0] = heap[last]
	heap = heap[:last]
	for i := 0; ; {
		least := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(heap); below++ {
			if heap[below].before(heap[least]) {
				least = below
			}
		}
		if least == i {
			break
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
	*f = heap
	return top
}

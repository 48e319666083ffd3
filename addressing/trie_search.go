package addressing

// search collects the values of all filters of a trie that select one address. No node is visited twice, so the
// work is linear in the size of the trie, and in an ordinary one in the length of the address.
type search[T comparable] struct {
	found   []T
	visited int // nodes, the root included
}

// run searches the trie below root.
func (s *search[T]) run(root *node[T], a Address) {
	if !isHidden(string(a)) {
		s.visit(root, levelsOf(string(a)))
		return
	}
	s.visited++
	if root.children != nil {
		s.enter(root.children.literal(levelsOf(string(a)).first()), levelsOf(string(a)))
	}
}

// visit collects at n and below; a holds the levels of the address that n does not stand for.
func (s *search[T]) visit(n *node[T], a levels) {
	s.visited++
	s.found = n.rest.appendTo(s.found)
	if !a.more {
		s.found = n.exact.appendTo(s.found)
		return
	}
	if n.children != nil {
		s.enter(n.children.literal(a.first()), a)
		s.enter(n.children.wildcard, a)
	}
}

// enter visits a child if its path selects the next levels of the address.
func (s *search[T]) enter(child *node[T], a levels) {
	if child == nil {
		return
	}
	if left, ok := child.follow(a); ok {
		s.visit(child, left)
		return
	}
	s.visited++
}

// follow takes the levels off that the path of n selects.
func (n *node[T]) follow(a levels) (left levels, ok bool) {
	for path := n.levels(); ; {
		want, wanted := path.next()
		if !wanted {
			return a, true
		}
		have, had := a.next()
		if !had || want != oneLevel && want != have {
			return a, false
		}
	}
}

// best returns the values of the most specific filter that selects the address, or nil: at each level, from the
// left, a literal goes before a one-level wildcard and that before the rest. No node is visited twice.
func (n *node[T]) best(a Address) *set[T] {
	all := levelsOf(string(a))
	if !isHidden(string(a)) {
		return n.bestBelow(all)
	}
	if n.children == nil {
		return nil
	}
	return n.children.literal(all.first()).bestAfter(all)
}

// bestBelow is best for the levels of the address that n does not stand for.
func (n *node[T]) bestBelow(a levels) *set[T] {
	switch {
	case !a.more && n.exact != nil:
		return n.exact
	case !a.more || n.children == nil:
		return n.rest
	}
	if found := n.children.literal(a.first()).bestAfter(a); found != nil {
		return found
	}
	if found := n.children.wildcard.bestAfter(a); found != nil {
		return found
	}
	return n.rest
}

// bestAfter is best if the path of n, which may be nil, selects the next levels of the address.
func (n *node[T]) bestAfter(a levels) *set[T] {
	if n == nil {
		return nil
	}
	left, ok := n.follow(a)
	if !ok {
		return nil
	}
	return n.bestBelow(left)
}

// near visits the values of every filter of the trie that may overlap one of which f is what n does not stand for,
// each once. It looks at levels only: filters that are parted by a first level with '$' are visited too.
func (n *node[T]) near(f levels, visit func(*set[T])) {
	level := f.first()
	if level == restMark {
		n.each(visit)
		return
	}
	if n.rest != nil {
		visit(n.rest)
	}
	switch {
	case !f.more && n.exact != nil:
		visit(n.exact)
	case !f.more || n.children == nil:
		return
	case level == oneLevel:
		for child := range n.children.all() {
			child.nearAfter(f, visit)
		}
	default:
		n.children.literal(level).nearAfter(f, visit)
		n.children.wildcard.nearAfter(f, visit)
	}
}

// nearAfter is near if the path of n, which may be nil, overlaps the next levels of the filter.
func (n *node[T]) nearAfter(f levels, visit func(*set[T])) {
	if n == nil {
		return
	}
	for path := n.levels(); ; {
		if f.first() == restMark {
			n.each(visit)
			return
		}
		mine, ok := path.next()
		if !ok {
			n.near(f, visit)
			return
		}
		other, ok := f.next()
		if _, both := common(mine, other); !ok || !both {
			return
		}
	}
}

// each visits all values at n and below.
func (n *node[T]) each(visit func(*set[T])) {
	if n.exact != nil {
		visit(n.exact)
	}
	if n.rest != nil {
		visit(n.rest)
	}
	for child := range n.children.all() {
		child.each(visit)
	}
}

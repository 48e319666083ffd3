package addressing

// Index maps filters to values and finds the values of all filters that select an address. The zero Index is empty
// and ready to use.
//
// Literal filters cost one look-up in a hash map, however many there are. Filters with wildcards stand in a trie
// whose nodes are bounded by the number of these filters, not by their length: n of them make at most 2n nodes and
// the root, [Index.Match] visits each at most once, and only those whose levels so far select the address. Hostile
// filters can make it visit nearly all of them without a find, so whoever lets filters in should bound their number.
//
// An Index is not safe for changes by several goroutines; the caller locks. Calls of Match may run at the same time
// as long as nobody changes it.
type Index[T comparable] struct {
	literal  map[Address]set[T]
	patterns node[T]
	size     int
}

// Add puts v under f. It returns false if v is there already, for the zero Filter, which selects nothing, and for a filter
// of tokens, which only a [Space] knows.
func (x *Index[T]) Add(f Filter, v T) bool {
	if f.IsZero() || f.IsTokens() || !x.add(f, v) {
		return false
	}
	x.size++
	return true
}

func (x *Index[T]) add(f Filter, v T) bool {
	if a, ok := f.Literal(); ok {
		return x.addLiteral(a, v)
	}
	path, rest := trieKey(f)
	place := x.patterns.insert(path).place(rest)
	if *place == nil {
		*place = &set[T]{first: v}
		return true
	}
	return (*place).add(v)
}

func (x *Index[T]) addLiteral(a Address, v T) bool {
	there, ok := x.literal[a]
	if !ok {
		there = set[T]{first: v}
	} else if !there.add(v) {
		return false
	}
	if x.literal == nil {
		x.literal = make(map[Address]set[T])
	}
	x.literal[a] = there
	return true
}

// Remove takes v away from f, and drops the nodes that only they needed. Hash maps keep the size that they once had
// until they are empty or nearly so. It returns false if v is not there.
func (x *Index[T]) Remove(f Filter, v T) bool {
	if f.IsZero() || f.IsTokens() || !x.remove(f, v) {
		return false
	}
	x.size--
	return true
}

func (x *Index[T]) remove(f Filter, v T) bool {
	if a, ok := f.Literal(); ok {
		return x.removeLiteral(a, v)
	}
	path, rest := trieKey(f)
	return x.patterns.remove(path, rest, v)
}

func (x *Index[T]) removeLiteral(a Address, v T) bool {
	there, ok := x.literal[a]
	if !ok {
		return false
	}
	found, last := there.remove(v)
	switch {
	case last:
		delete(x.literal, a)
	case found:
		x.literal[a] = there
	}
	if len(x.literal) == 0 {
		x.literal = nil // a map keeps its size otherwise
	}
	return found
}

// Match appends to dst the values of all filters that select a, in no particular order, and returns it. A value
// under two such filters appears twice. Nothing but dst is allocated.
func (x *Index[T]) Match(a Address, dst []T) []T {
	if there, ok := x.literal[a]; ok {
		dst = there.appendTo(dst)
	}
	if a == "" || x.patterns.children == nil && x.patterns.rest == nil {
		return dst
	}
	s := search[T]{found: dst}
	s.run(&x.patterns, a)
	return s.found
}

// best returns a value of the most specific filter that selects a: compared level by level from the left, a literal
// goes before a one-level wildcard and that before the rest.
func (x *Index[T]) best(a Address) (v T, ok bool) {
	if there, ok := x.literal[a]; ok {
		return there.first, true
	}
	if a == "" {
		return v, false
	}
	if found := x.patterns.best(a); found != nil {
		return found.first, true
	}
	return v, false
}

// Len returns the number of pairs of filter and value.
func (x *Index[T]) Len() int { return x.size }

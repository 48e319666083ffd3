package addressing

import "strings"

// node is a node of a trie of filters. It stands for the levels on the way to it. Chains are joined: every node but
// the root has values or at least two children, so that a trie of n filters has at most 2n nodes and the root.
type node[T comparable] struct {
	path     string // the levels between the parent and this node, in canonical text; at least one, but for the root
	exact    *set[T]
	rest     *set[T] // of the filter that goes on with "#"
	children *children[T]
}

// trieKey cuts a filter into the levels that lead to its node and whether the values belong to the rest there.
func trieKey(f Filter) (path levels, rest bool) {
	if f.text == restMark {
		return levels{}, true
	}
	text, rest := strings.CutSuffix(f.text, "/"+restMark)
	return levels{text: text, more: true}, rest
}

// place returns the place for the values of a filter that ends at n.
func (n *node[T]) place(rest bool) **set[T] {
	if rest {
		return &n.rest
	}
	return &n.exact
}

// insert returns the node that the path leads to, making it if needed.
func (n *node[T]) insert(path levels) *node[T] {
	for path.more {
		child := n.child(path.first())
		if child == nil {
			child = &node[T]{path: path.text}
			n.adopt(child)
			return child
		}
		shared := sharedLevels(child.path, path.text)
		if shared < len(child.path) {
			child = n.split(child, shared)
		}
		path = path.after(shared)
		n = child
	}
	return n
}

// split puts a new node between n and its child, which takes the first bytes of the child's path.
func (n *node[T]) split(child *node[T], size int) *node[T] {
	// A copy, because a part of the text would keep a long filter in memory after its removal.
	upper := &node[T]{path: strings.Clone(child.path[:size])}
	n.adopt(upper)
	child.path = child.path[size+1:]
	upper.adopt(child)
	return upper
}

// remove takes v out of the values at the end of the path below n, and prunes the nodes that nobody needs any more.
func (n *node[T]) remove(path levels, rest bool, v T) bool {
	if !path.more {
		place := n.place(rest)
		if *place == nil {
			return false
		}
		found, last := (*place).remove(v)
		if last {
			*place = nil
		}
		return found
	}
	child := n.child(path.first())
	if child == nil {
		return false
	}
	size := len(child.path)
	if sharedLevels(child.path, path.text) != size || !child.remove(path.after(size), rest, v) {
		return false
	}
	n.tidy(child)
	return true
}

// tidy drops a child of n that holds nothing, and joins one that only leads to a single other node.
func (n *node[T]) tidy(child *node[T]) {
	if child.exact != nil || child.rest != nil {
		return
	}
	switch child.children.size() {
	case 0:
		n.drop(child)
	case 1:
		only := child.children.any()
		only.path = child.path + "/" + only.path
		n.adopt(only)
	}
}

// levels starts a walk over the path of a node that is not the root. An empty path is one empty level.
func (n *node[T]) levels() levels { return levels{text: n.path, more: true} }

// child returns the child whose path begins with the level of a filter, or nil.
func (n *node[T]) child(level string) *node[T] {
	switch {
	case n.children == nil:
		return nil
	case level == oneLevel:
		return n.children.wildcard
	}
	return n.children.literal(level)
}

// adopt makes c a child of n, in place of the one whose path begins with the same level.
func (n *node[T]) adopt(c *node[T]) {
	if n.children == nil {
		n.children = new(children[T])
	}
	level := c.levels().first()
	if level == oneLevel {
		n.children.wildcard = c
		return
	}
	n.children.put(level, c)
}

// drop takes the child c away from n.
func (n *node[T]) drop(c *node[T]) {
	level := c.levels().first()
	if level == oneLevel {
		n.children.wildcard = nil
	} else {
		n.children.take(level)
	}
	if n.children.size() == 0 {
		n.children = nil
	}
}

// first returns the leftmost level without taking it off.
func (l levels) first() string {
	level, _ := l.next()
	return level
}

// after takes off the levels that the first size bytes of the text hold.
func (l levels) after(size int) levels {
	if size == len(l.text) {
		return levels{}
	}
	return levels{text: l.text[size+1:], more: true}
}

// sharedLevels returns how many bytes the longest run of levels has with which both texts begin. Their first levels
// must be equal.
func sharedLevels(a, b string) int {
	shared, shorter := 0, min(len(a), len(b))
	for i := 0; ; i++ {
		aEnds, bEnds := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if aEnds && bEnds {
			shared = i
		}
		if i == shorter || a[i] != b[i] {
			return shared
		}
	}
}

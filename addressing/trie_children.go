package addressing

import (
	"iter"
	"slices"
	"strings"
)

// fewChildren is up to how many literal children of a node stand in a slice rather than in a map.
const fewChildren = 8

// children are the nodes below a node, told apart by the first level of their paths. A nil *children has none.
type children[T comparable] struct {
	wildcard *node[T]            // its path begins with a one-level wildcard
	few      []*node[T]          // the others
	many     map[string]*node[T] // the others once there are many; few is nil then
}

// literal returns the child whose path begins with the literal level, or nil.
func (c *children[T]) literal(level string) *node[T] {
	if c.many != nil {
		return c.many[level]
	}
	if i := c.position(level); i >= 0 {
		return c.few[i]
	}
	return nil
}

// put makes n the child for its literal first level, in place of another.
func (c *children[T]) put(level string, n *node[T]) {
	if c.many != nil {
		c.many[level] = n
		return
	}
	if i := c.position(level); i >= 0 {
		c.few[i] = n
		return
	}
	c.few = append(c.few, n)
	if len(c.few) > fewChildren {
		c.many = make(map[string]*node[T], len(c.few))
		for _, n := range c.few {
			c.many[n.levels().first()] = n
		}
		c.few = nil
	}
}

// take removes the child for a literal first level.
func (c *children[T]) take(level string) {
	if c.many == nil {
		i := c.position(level)
		c.few = slices.Delete(c.few, i, i+1)
		return
	}
	delete(c.many, level)
	if len(c.many) > fewChildren/2 {
		return
	}
	for _, n := range c.many {
		c.few = append(c.few, n)
	}
	c.many = nil
}

// position returns where in few the child for a literal first level is, or -1.
func (c *children[T]) position(level string) int {
	return slices.IndexFunc(c.few, func(n *node[T]) bool {
		return strings.HasPrefix(n.path, level) && (len(n.path) == len(level) || n.path[len(level)] == '/')
	})
}

func (c *children[T]) size() int {
	if c == nil {
		return 0
	}
	size := len(c.few) + len(c.many)
	if c.wildcard != nil {
		size++
	}
	return size
}

// any returns one of the children.
func (c *children[T]) any() *node[T] {
	for n := range c.all() {
		return n
	}
	return nil
}

// all yields the children in no particular order.
func (c *children[T]) all() iter.Seq[*node[T]] {
	return func(yield func(*node[T]) bool) {
		if c == nil || c.wildcard != nil && !yield(c.wildcard) {
			return
		}
		for _, n := range c.few {
			if !yield(n) {
				return
			}
		}
		for _, n := range c.many {
			if !yield(n) {
				return
			}
		}
	}
}

package addressing

import "slices"

// fewValues is up to how many values a crowd finds one by looking at each.
const fewValues = 16

// set holds what an Index maps one filter to: nearly always one value, sometimes a crowd.
type set[T comparable] struct {
	first T
	more  *crowd[T] // nil when first is alone
}

// add returns false if v is there already.
func (s *set[T]) add(v T) bool {
	if s.first == v {
		return false
	}
	if s.more == nil {
		s.more = new(crowd[T])
	}
	return s.more.add(v)
}

// remove takes v out. The last value stays, and last tells that it was the one to be removed.
func (s *set[T]) remove(v T) (found, last bool) {
	switch {
	case s.first == v && s.more == nil:
		return true, true
	case s.first == v:
		s.first = s.more.list[len(s.more.list)-1]
		s.more.remove(s.first)
	case s.more == nil || !s.more.remove(v):
		return false, false
	}
	if len(s.more.list) == 0 {
		s.more = nil
	}
	return true, false
}

// appendTo appends the values to dst. A nil set has none.
func (s *set[T]) appendTo(dst []T) []T {
	if s == nil {
		return dst
	}
	dst = append(dst, s.first)
	if s.more != nil {
		dst = append(dst, s.more.list...)
	}
	return dst
}

// crowd is a list without order, with the positions of its values once there are many.
type crowd[T comparable] struct {
	list []T
	at   map[T]int // nil up to fewValues
}

func (c *crowd[T]) add(v T) bool {
	if c.position(v) >= 0 {
		return false
	}
	c.list = append(c.list, v)
	if c.at != nil {
		c.at[v] = len(c.list) - 1
	} else if len(c.list) > fewValues {
		c.learn()
	}
	return true
}

func (c *crowd[T]) remove(v T) bool {
	i := c.position(v)
	if i < 0 {
		return false
	}
	end := len(c.list) - 1
	c.list[i] = c.list[end]
	if c.at != nil {
		c.at[c.list[i]] = i
		delete(c.at, v)
	}
	c.list = slices.Delete(c.list, end, end+1)
	c.shrink()
	return true
}

// position returns where v is, or -1.
func (c *crowd[T]) position(v T) int {
	if c.at == nil {
		return slices.Index(c.list, v)
	}
	if i, ok := c.at[v]; ok {
		return i
	}
	return -1
}

// shrink gives memory back once three quarters of it are unused.
func (c *crowd[T]) shrink() {
	if cap(c.list) <= 4*len(c.list)+fewValues {
		return
	}
	c.list, c.at = slices.Clone(c.list), nil
	if len(c.list) > fewValues {
		c.learn()
	}
}

// learn makes the map of positions.
func (c *crowd[T]) learn() {
	c.at = make(map[T]int, len(c.list))
	for i, v := range c.list {
		c.at[v] = i
	}
}

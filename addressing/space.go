package addressing

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Space is a set of definitions. It never changes, and any number of goroutines may use it. The definitions that it
// hands out are its own: the caller must not change them.
type Space struct {
	definitions []Definition // those with literal names first, each part in the order of the names' canonical text
	literals    int          // how many have literal names
	index       Index[int]   // positions in definitions
	tokens      tokenIndex   // likewise, of those whose names are filters of tokens
	depth       int          // the most levels of a pattern
}

// NewSpace returns the set of the definitions, of which it makes a copy. An error names the definition by its
// position, counted from 1, if it is not valid or has the name of an earlier one, or names a queue that is none.
func NewSpace(defs []Definition) (*Space, error) {
	if err := checkAll(defs); err != nil {
		return nil, err
	}
	s := &Space{definitions: slices.Clone(defs)}
	slices.SortFunc(s.definitions, inOrder)
	for i := range s.definitions {
		name := s.definitions[i].Name
		if name.IsTokens() {
			s.tokens.add(name, i)
			continue
		}
		if _, ok := name.Literal(); ok {
			s.literals++
		} else {
			s.depth = max(s.depth, strings.Count(name.text, "/")+1)
		}
		s.index.Add(name, i)
	}
	if err := s.checkLetters(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkLetters refuses dead letters and expired messages that would go where no queue is.
func (s *Space) checkLetters() error {
	for i := range s.definitions {
		d := &s.definitions[i]
		for setting, a := range map[string]Address{"deadLetter": d.Queue.DeadLetter, "expiry": d.Queue.Expiry} {
			if a == "" {
				continue
			}
			if to, ok := s.Lookup(a); !ok || to.Kind != Queue {
				return fmt.Errorf("address %.200q: %s %.200q is not declared as a queue", d.Name.String(), setting, a)
			}
		}
	}
	return nil
}

// Lookup returns the definition that a falls under; ok is false if there is none. Of several the most specific one
// wins: their names are compared level by level from the left, and a literal level goes before a one-level wildcard
// and that before the rest. Filters of tokens count where no other name does.
func (s *Space) Lookup(a Address) (d *Definition, ok bool) {
	i, ok := s.best(a)
	if !ok {
		return nil, false
	}
	return &s.definitions[i], true
}

// best gives the position of the definition that a falls under.
func (s *Space) best(a Address) (i int, ok bool) {
	if i, ok = s.index.best(a); !ok {
		i, ok = s.tokens.best(a)
	}
	return i, ok
}

// Overlapping yields the definitions that some address selected by f falls under, in the order of [Space.All]. A
// definition whose addresses within f all fall under more specific ones is left out, and so is one whose name is a filter
// of tokens, unless f is literal.
func (s *Space) Overlapping(f Filter) iter.Seq[*Definition] {
	return func(yield func(*Definition) bool) {
		for _, i := range s.overlapping(f) {
			if !yield(&s.definitions[i]) {
				return
			}
		}
	}
}

// All yields all definitions in an order that depends on their names only: the literal ones before the patterns.
func (s *Space) All() iter.Seq[*Definition] {
	return func(yield func(*Definition) bool) {
		for i := range s.definitions {
			if !yield(&s.definitions[i]) {
				return
			}
		}
	}
}

// Len returns the number of definitions.
func (s *Space) Len() int { return len(s.definitions) }

// checkAll validates definitions and refuses two of the same name.
func checkAll(defs []Definition) error {
	seen := make(map[Filter]int, len(defs))
	for i := range defs {
		if err := defs[i].Validate(); err != nil {
			return fmt.Errorf("definition %d: %w", i+1, err)
		}
		name := defs[i].Name
		if first, ok := seen[name]; ok {
			return fmt.Errorf("definitions %d and %d have the same name %.200q", first+1, i+1, name.String())
		}
		seen[name] = i
	}
	return nil
}

// inOrder compares definitions for the order of [Space.All].
func inOrder(a, b Definition) int {
	_, aLiteral := a.Name.Literal()
	_, bLiteral := b.Name.Literal()
	switch {
	case aLiteral && !bLiteral:
		return -1
	case bLiteral && !aLiteral:
		return 1
	}
	return cmp.Compare(a.Name.text, b.Name.text)
}

// overlapping returns the positions of the definitions that Overlapping yields.
func (s *Space) overlapping(f Filter) []int {
	if f.IsZero() {
		return nil
	}
	if a, ok := f.Literal(); ok {
		if i, ok := s.best(a); ok {
			return []int{i}
		}
		return nil
	}
	found := s.selected(f)
	s.index.patterns.near(levelsOf(f.text), func(v *set[int]) {
		if s.reaches(f, v.first) {
			found = append(found, v.first)
		}
	})
	slices.Sort(found)
	return found
}

// selected returns the positions of the definitions whose literal names f, a pattern, selects.
func (s *Space) selected(f Filter) (found []int) {
	if bare, ok := strings.CutSuffix(f.text, "/"+restMark); ok {
		if there, ok := s.index.literal[Address(bare)]; ok {
			found = append(found, there.first)
		}
	}
	stem := f.stem()
	names := s.definitions[:s.literals]
	from, _ := slices.BinarySearchFunc(names, stem, func(d Definition, stem string) int {
		return cmp.Compare(d.Name.text, stem)
	})
	for i := from; i < len(names) && strings.HasPrefix(names[i].Name.text, stem); i++ {
		if f.Matches(Address(names[i].Name.text)) {
			found = append(found, i)
		}
	}
	return found
}

// stem returns the literal levels before the first wildcard of f, a pattern, with the '/' after them.
func (f Filter) stem() string {
	rest := levelsOf(f.text)
	for !isWildcard(rest.first()) {
		rest.next()
	}
	return f.text[:len(f.text)-len(rest.text)]
}

// unheardOf is a level that no address contains. An address that has it wherever two filters allow any level is
// selected by a third only if that one allows any level there too.
const unheardOf = "\x00"

// reaches tells whether an address that f selects falls under the definition at position i, which is a pattern. By
// the choice of the levels that are free, one address decides for all those with as many levels. If f and the pattern
// both leave the number of levels open, longer ones are tried, until no name has that many levels.
func (s *Space) reaches(f Filter, i int) bool {
	name := s.definitions[i].Name
	if !f.Overlaps(name) {
		return false
	}
	address, size := witness(f, name)
	longest := size
	if f.open() && name.open() {
		longest = min(max(size, s.depth)+1, MaxLevels)
	}
	for ; ; size++ {
		if found, ok := s.index.best(Address(address)); ok && found == i {
			return true
		}
		if size >= longest {
			return false
		}
		address = append(address, "/"+unheardOf...)
	}
}

// open tells whether f ends with the wildcard for the rest.
func (f Filter) open() bool { return f.text == restMark || strings.HasSuffix(f.text, "/"+restMark) }

// witness returns a shortest address that f and g, which overlap, have in common, and the number of its levels.
func witness(f, g Filter) (address []byte, size int) {
	for level := range meet(f, g) {
		if size > 0 {
			address = append(address, '/')
		}
		if isWildcard(level) {
			level = unheardOf
		}
		address = append(address, level...)
		size++
	}
	return address, size
}

package network

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// listing is what a home answers who wants a list: some subscriptions, and after which one the next answer goes on; empty for
// no more.
type listing struct {
	sources []router.Source
	next    string
}

// maxListing is about how many bytes of subscriptions an answer has: it comes in one frame, over routers whose frames may be
// smaller than ours. One subscription is in it in any case.
const maxListing = 4 << 10

// nextFilter is the name of the filter that says that there is more, and after which one.
const nextFilter = "manifold:next"

// page gives those that come after one, in the order of their filters.
func page(found []router.Source, after string) listing {
	name := func(s router.Source) string {
		text, _ := s.Filter.Canonical()
		return text
	}
	found = slices.DeleteFunc(slices.Clone(found), func(s router.Source) bool { return name(s) <= after })
	slices.SortFunc(found, func(a, b router.Source) int { return cmp.Compare(name(a), name(b)) })
	size := 0
	for i, s := range found {
		set := amqp.BeginFields(nil)
		wish{source: s}.put(&set, wishFilter)
		if size += len(set.End()); i > 0 && size > maxListing {
			return listing{found[:i], name(found[i-1])}
		}
	}
	return listing{sources: found}
}

// terminus gives the source of the link by which a home answers: each subscription is a wish for it.
func (l listing) terminus(home string) *frame.Source {
	set := amqp.BeginFields(nil)
	for i, s := range l.sources {
		wish{source: s}.put(&set, wishFilter+":"+strconv.Itoa(i))
	}
	if l.next != "" {
		set.Put(amqp.AppendString(amqp.AppendSymbol(append(set.Key(nextFilter), 0), nextFilter), l.next))
	}
	return &frame.Source{Address: homeAddress(home), HasAddress: true, Filter: set.End()}
}

// readListing reads what a home has answered.
func readListing(s *frame.Source) (l listing) {
	if s == nil {
		return l
	}
	set, _ := s.Filter.Map()
	for key, filter := range set.All() {
		if name, _ := key.Text(); string(name) == nextFilter {
			_, value, _ := filter.Described()
			l.next, _ = value.Value().(string)
			continue
		}
		if w, err := parseWish(filter); err == nil {
			w.source.Lent = false
			l.sources = append(l.sources, w.source)
		}
	}
	return l
}

package network

import (
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/selector"
)

// homeRoot begins the addresses at which routers lend what they store for the network. It is of no tenant: links of clients
// do not lead there.
const homeRoot = "$home/"

// homeAddress is where a router lends.
func homeAddress(router string) string { return homeRoot + router }

// homeKey is how a router that lends is known to the others: as one with a link route for receiving.
func homeKey(router string) protocol.Key {
	return protocol.KeyOf(protocol.LinkRouteOut, homeAddress(router))
}

// isLent tells whether what a source takes from a definition is lent by another router: what only the queue itself can
// give. A subscription in memory can be anywhere, unless it is shared with clients of other routers.
func isLent(source *router.Source, def *addressing.Definition) bool {
	if def.Home != addressing.Elsewhere {
		return false
	}
	subscribes := source.Subscription != "" && (!source.Volatile || source.Shared)
	return source.Browse || source.Kept || subscribes || source.Selector != nil && def.Kind == addressing.Queue
}

// wish is what one router asks of the home of something: to be lent a receiver, to forget a subscription, or to list those of
// a name.
type wish struct {
	tenant string
	source router.Source
	forget bool
	list   bool
	after  string // list those that come after this one; empty for the first ones
}

// wishFilter is the name, and the descriptor, of the filter that says it [3.5.8].
const wishFilter = "manifold:wish"

// terminus gives the source of the link by which a home is asked.
func (w wish) terminus(home string) *frame.Source {
	set := amqp.BeginFields(nil)
	w.put(&set, wishFilter)
	return &frame.Source{
		Address: homeAddress(home), HasAddress: true, ExpiryPolicy: frame.ExpireNever, Filter: set.End(),
	}
}

// put adds the wish to a filter set under a name.
func (w wish) put(set *amqp.MapWriter, name string) {
	s := &w.source
	text, _ := s.Filter.Canonical()
	f := amqp.BeginFields(nil)
	f.String("tenant", w.tenant)
	f.String("filter", text)
	f.Uint("kind", uint32(s.Kind))
	f.String("subscription", s.Subscription)
	if s.Selector != nil {
		f.String("selector", s.Selector.String())
	}
	if except, _ := s.Except.(string); except != "" {
		f.String("except", except)
	}
	f.Int("priority", int32(s.Priority))
	f.Bool("shared", s.Shared)
	f.Bool("volatile", s.Volatile)
	f.Bool("kept", s.Kept)
	f.Bool("browse", s.Browse)
	f.Bool("identified", s.Identified)
	f.Bool("forget", w.forget)
	f.Bool("list", w.list)
	f.String("after", w.after)
	set.Put(append(amqp.AppendSymbol(append(set.Key(name), 0), wishFilter), f.End()...))
}

// readWish reads what another router asks.
func readWish(s *frame.Source) (wish, error) {
	set, _ := s.Filter.Map()
	filter, _ := set.Lookup(wishFilter)
	return parseWish(filter)
}

// parseWish reads a filter that is a wish.
func parseWish(filter amqp.RawValue) (w wish, err error) {
	_, value, _ := filter.Described()
	f, ok := value.Map()
	if !ok {
		return w, router.Errorf(router.Malformed, "the source does not say what is wanted of the home")
	}
	text := func(name string) string {
		v, _ := f.Lookup(name)
		s, _ := v.Value().(string)
		return strings.Clone(s)
	}
	flag := func(name string) bool {
		v, _ := f.Lookup(name)
		is, _ := v.Value().(bool)
		return is
	}
	w.tenant, w.forget, w.list, w.after = text("tenant"), flag("forget"), flag("list"), text("after")
	if selects := text("filter"); selects != "" {
		if w.source.Filter, err = addressing.ParseCanonical(selects); err != nil {
			return w, router.Errorf(router.Malformed, "the filter that is wanted of the home: %v", err)
		}
	} else if !w.list {
		return w, router.Errorf(router.Malformed, "nothing is selected that is wanted of the home")
	}
	if condition := text("selector"); condition != "" {
		if w.source.Selector, err = selector.Parse(condition); err != nil {
			return w, router.Errorf(router.Malformed, "the selector that is wanted of the home: %v", err)
		}
	}
	kind, _ := f.Lookup("kind")
	number, _ := kind.Value().(uint32)
	urgency, _ := f.Lookup("priority")
	priority, _ := urgency.Value().(int32)
	w.source.Kind, w.source.Priority = addressing.Kind(number), int(priority)
	w.source.Subscription, w.source.Shared = text("subscription"), flag("shared")
	w.source.Volatile, w.source.Kept = flag("volatile"), flag("kept")
	if except := text("except"); except != "" {
		w.source.Except = except
	}
	w.source.Browse, w.source.Identified, w.source.Lent = flag("browse"), flag("identified"), true
	return w, nil
}

package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/selector"
)

// terms is what a subscription keeps of the source of who made it. What is not to be received must have a name, as an
// AMQP container has, to be known again.
func terms(s router.Source) *router.Source {
	kept := &router.Source{
		Filter: s.Filter, Kind: addressing.Topic, Subscription: s.Subscription,
		Shared: s.Shared, Volatile: s.Volatile, Selector: s.Selector, Via: s.Via,
	}
	if name, ok := s.Except.(string); ok && name != "" {
		kept.Except = name
	}
	return kept
}

func sameTerms(a, b *router.Source) bool {
	return a.Shared == b.Shared && a.Except == b.Except && a.Selector.String() == b.Selector.String()
}

// describe gives the description of a durable subscription in the catalogue: its filter; and, unless there is no more
// to say, a NUL, its flags, whom it leaves out and, if they say so, on whose behalf it is, each after its length
// (uvarint), and its selector.
func describe(s *router.Source) []byte {
	d := []byte(s.Filter.String())
	except, _ := s.Except.(string)
	if !s.Shared && except == "" && s.Selector == nil && s.Via == "" {
		return d
	}
	var flags byte
	if s.Shared {
		flags |= flagShared
	}
	if s.Via != "" {
		flags |= flagVia
	}
	d = append(d, 0, flags)
	d = binary.AppendUvarint(d, uint64(len(except)))
	d = append(d, except...)
	if s.Via != "" {
		d = binary.AppendUvarint(d, uint64(len(s.Via)))
		d = append(d, s.Via...)
	}
	return append(d, s.Selector.String()...)
}

// The flags of a description.
const (
	flagShared = 1 << 0
	flagVia    = 1 << 1
)

// parseDescription reverses describe for the subscription of this name.
func parseDescription(name store.Name, d []byte) (*router.Source, error) {
	filter, more, found := bytes.Cut(d, []byte{0})
	s := &router.Source{Kind: addressing.Topic}
	var err error
	if s.Filter, err = addressing.ParseFilter(string(filter)); err != nil {
		return nil, fmt.Errorf("the filter of subscription %q: %w", name.Name, err)
	}
	s.Subscription = strings.TrimPrefix(name.Name, s.Filter.String()+"\x00")
	if !found {
		return s, nil
	}
	r := fields{rest: more}
	flags := r.byte()
	s.Shared = flags&flagShared != 0
	if except := r.text(); except != "" {
		s.Except = except
	}
	if flags&flagVia != 0 {
		s.Via = federation.Path(r.text())
	}
	if r.failed {
		return nil, fmt.Errorf("the description of subscription %q ends too soon", name.Name)
	}
	if len(r.rest) > 0 {
		if s.Selector, err = selector.Parse(string(r.rest)); err != nil {
			return nil, fmt.Errorf("the selector of subscription %q: %w", name.Name, err)
		}
	}
	return s, nil
}

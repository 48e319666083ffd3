package amqp

import (
	"errors"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

// Descriptors of filters [3.5.8]. Those of the Apache domain are in the registry of AMQP filters; the others are of the
// OASIS committee draft "AMQP Filter Expressions Version 1.0":
// https://docs.oasis-open.org/amqp/filtex/v1.0/filtex-v1.0.html
const (
	noLocalFilter               uint64 = 0x0000468C00000003
	selectorFilter              uint64 = 0x0000468C00000004
	sqlFilter                   uint64 = 0x120
	propertiesFilter            uint64 = 0x173
	applicationPropertiesFilter uint64 = 0x174
)

// filterCode gives the number of a filter's descriptor, which may be a symbol; 0 for one that is not known.
func filterCode(descriptor codec.RawValue) uint64 {
	switch d := descriptor.Value().(type) {
	case uint64:
		return d
	case codec.Symbol:
		switch d {
		case "apache.org:no-local-filter:list":
			return noLocalFilter
		case "apache.org:selector-filter:string":
			return selectorFilter
		case "amqp:sql-filter":
			return sqlFilter
		case "amqp:properties-filter":
			return propertiesFilter
		case "amqp:application-properties-filter":
			return applicationPropertiesFilter
		}
	}
	return 0
}

// filters are those of a source that are known here: a message has to pass them all.
type filters struct {
	selector *selector.Selector
	noLocal  bool
	entries  []filterEntry
}

// filterEntry is a filter as the client named and encoded it.
type filterEntry struct {
	key, value codec.RawValue
	noLocal    bool
}

// readFilters reads the filters of a source. A condition that cannot be read is an error: without it the client would
// get messages that it did not ask for.
func readFilters(set codec.RawValue) (f filters, err error) {
	entries, _ := set.Map()
	for key, value := range entries.All() {
		descriptor, content, ok := value.Described()
		if !ok {
			continue
		}
		code := filterCode(descriptor)
		if code == 0 {
			continue
		}
		condition, err := readCondition(code, content)
		if err == nil {
			f.selector, err = selector.And(f.selector, condition)
		}
		if err != nil {
			return f, router.Errorf(router.Malformed, "source filter: %v", err)
		}
		f.noLocal = f.noLocal || code == noLocalFilter
		f.entries = append(f.entries, filterEntry{key: key, value: value, noLocal: code == noLocalFilter})
	}
	return f, nil
}

// readCondition reads a filter that is a condition on messages; it is nil for no-local, which is none.
func readCondition(code uint64, content codec.RawValue) (*selector.Selector, error) {
	switch code {
	case selectorFilter, sqlFilter:
		text, ok := content.Text()
		if !ok {
			return nil, errors.New("a selector is a string")
		}
		return selector.Parse(string(text))
	case propertiesFilter:
		return selector.Properties(content)
	case applicationPropertiesFilter:
		return selector.ApplicationProperties(content)
	default:
		return nil, nil
	}
}

// applied gives the filters for the answer to an attach: only what is applied is in it [3.5.3].
func (f filters) applied(noLocal bool) codec.RawValue {
	set := codec.BeginFields(nil)
	for _, e := range f.entries {
		if noLocal || !e.noLocal {
			set.Pair(e.key, e.value)
		}
	}
	if set.Len() == 0 {
		return nil
	}
	return set.End()
}

// selectorSet gives a filter set with one selector, of a subscription that the client did not describe.
func selectorSet(s *selector.Selector) codec.RawValue {
	if s == nil {
		return nil
	}
	set := codec.BeginFields(nil)
	set.Put(codec.AppendString(codec.AppendDescriptor(set.Key("jms-selector"), selectorFilter), s.String()))
	return set.End()
}

package coap

import (
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/manifoldmq/manifold/router"
)

// topic is what a client has configured about a topic: the properties of draft-ietf-core-coap-pubsub-21 section 2.2.1, by
// the keys of its section 6. max-subscribers and observer-check are hints that this broker does not keep.
type topic struct {
	Name           string     `cbor:"0,keyasint,omitempty"`
	Data           string     `cbor:"1,keyasint,omitempty"` // the URI of the data
	ResourceType   string     `cbor:"2,keyasint,omitempty"`
	Format         *uint16    `cbor:"3,keyasint,omitempty"`
	Type           string     `cbor:"4,keyasint,omitempty"`
	Expires        *time.Time `cbor:"5,keyasint,omitempty"`
	MaxSubscribers *uint64    `cbor:"6,keyasint,omitempty"`
	ObserverCheck  *uint64    `cbor:"7,keyasint,omitempty"`
	Initialize     []byte     `cbor:"8,keyasint,omitempty"`
}

// newTopic gives a topic that nobody has configured.
func newTopic(name string) topic {
	return topic{Name: name, Data: "/ps/data/" + escapePath(name), ResourceType: rtData}
}

// with gives the topic with those of the optional properties that a client says. It must not change the others.
func (t topic) with(said topic) (topic, error) {
	if said.Name != "" && said.Name != t.Name || said.Data != "" && said.Data != t.Data ||
		said.ResourceType != "" && said.ResourceType != t.ResourceType {
		return t, router.Errorf(router.Malformed, "topic-name, topic-data and resource-type stay what they are")
	}
	if said.Format != nil {
		t.Format = said.Format
	}
	if said.Type != "" {
		t.Type = said.Type
	}
	if said.Expires != nil {
		t.Expires = said.Expires
	}
	return t, nil
}

// matches tells whether the topic has all properties that a filter has.
func (t topic) matches(filter topic) bool {
	return (filter.Name == "" || filter.Name == t.Name) && (filter.Data == "" || filter.Data == t.Data) &&
		(filter.ResourceType == "" || filter.ResourceType == t.ResourceType) &&
		(filter.Type == "" || filter.Type == t.Type) &&
		(filter.Format == nil || t.Format != nil && *filter.Format == *t.Format) &&
		(filter.Expires == nil || t.Expires != nil && filter.Expires.Equal(*t.Expires)) &&
		filter.MaxSubscribers == nil && filter.ObserverCheck == nil && filter.Initialize == nil
}

// only gives those of the topic's properties that have one of these keys.
func (t topic) only(keys []int) topic {
	all := t
	t = topic{}
	for _, key := range keys {
		switch key {
		case 0:
			t.Name = all.Name
		case 1:
			t.Data = all.Data
		case 2:
			t.ResourceType = all.ResourceType
		case 3:
			t.Format = all.Format
		case 4:
			t.Type = all.Type
		case 5:
			t.Expires = all.Expires
		}
	}
	return t
}

// encode gives the topic's representation.
func (t topic) encode() []byte {
	mode, err := cbor.EncOptions{Sort: cbor.SortCanonical, Time: cbor.TimeUnix, TimeTag: cbor.EncTagRequired}.EncMode()
	if err != nil {
		panic(err) // the options are constant
	}
	b, err := mode.Marshal(t)
	if err != nil {
		panic(err) // every topic has a representation
	}
	return b
}

// decodeCBOR reads what a client says. A property that is not known, or given twice, is a mistake.
func decodeCBOR(body []byte, into any) error {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels: 4, MaxArrayElements: 64, MaxMapPairs: 64, IndefLength: cbor.IndefLengthForbidden,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	if err := mode.Unmarshal(body, into); err != nil {
		return router.Errorf(router.Malformed, "the body: %v", err)
	}
	return nil
}

// topics are what the clients of all tenants have configured. They last as long as the process; the data is the broker's.
type topics struct {
	most int // of one tenant

	mu      sync.Mutex // guards everything below; a leaf
	tenants map[string]map[string]topic
}

func newTopics(most int) *topics {
	return &topics{most: most, tenants: make(map[string]map[string]topic)}
}

// get gives what is configured about a topic that has not expired.
func (t *topics) get(tenant, name string, now time.Time) (topic, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.tenants[tenant][name]
	return found, ok && (found.Expires == nil || now.Before(*found.Expires))
}

// put configures a topic. It is false when there are too many.
func (t *topics) put(tenant string, configured topic, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.tenants[tenant]
	if all == nil {
		all = make(map[string]topic)
		t.tenants[tenant] = all
	}
	if _, ok := all[configured.Name]; !ok && len(all) >= t.most {
		for name, old := range all {
			if old.Expires != nil && !now.Before(*old.Expires) {
				delete(all, name)
			}
		}
		if len(all) >= t.most {
			return false
		}
	}
	all[configured.Name] = configured
	return true
}

// remove forgets what is configured about a topic, and tells whether anything was.
func (t *topics) remove(tenant, name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.tenants[tenant][name]
	delete(t.tenants[tenant], name)
	return ok
}

// names are those of the configured topics that have not expired.
func (t *topics) names(tenant string, now time.Time) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for name, found := range t.tenants[tenant] {
		if found.Expires == nil || now.Before(*found.Expires) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

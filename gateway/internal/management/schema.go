package management

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Prefixes of type names: those of the Qpid Dispatch Router, and of its successor in Skupper, which are the same beside
// that. An answer has the one that its request had.
const (
	dispatchPrefix = "org.apache.qpid.dispatch."
	skupperPrefix  = "io.skupper.router."
)

// managementType is the name that the protocol itself has for what answers.
const managementType = "org.amqp.management"

// Bases of entity types, beside managementType.
const (
	anyEntity           = "entity"
	operationalEntity   = "operationalEntity"   // comes and goes by itself
	configurationEntity = "configurationEntity" // is declared
)

// entityType is a kind of things that are managed. Its name has no prefix.
type entityType struct {
	name       string
	about      string
	base       string
	operations []string // beside READ, which all have
	attributes []attribute

	list func(m Model, offset int) iter.Seq[named]
	find func(m Model, id string) (named, bool) // by name or identity

	// What changes entities; nil for what cannot happen. asked is what the request says.
	create func(ctx context.Context, m Model, asked amqp.Map) (named, error)
	update func(ctx context.Context, m Model, was named, asked amqp.Map) (named, error)
	remove func(ctx context.Context, m Model, e named) error
}

// attribute is what is known of each entity of a type.
type attribute struct {
	name   string
	kind   string // string, integer, boolean, list or map
	about  string
	create bool // CREATE may say it
	update bool // UPDATE may change it
	number bool // its text may be said as a number, as that of a port

	field []int // of the struct
}

// typeAttribute is the one that every entity has and no struct: its type.
const typeAttribute = "type"

// newType completes an entity type with the struct of its entities. Without a way to find one the list is searched.
func newType[E named](t entityType, list func(Model, int) iter.Seq[E], find func(Model, string) (E, bool)) *entityType {
	t.attributes = attributesOf(reflect.TypeFor[E]())
	t.list = func(m Model, offset int) iter.Seq[named] {
		return func(yield func(named) bool) {
			for e := range list(m, offset) {
				if !yield(e) {
					return
				}
			}
		}
	}
	t.find = t.search
	if find != nil {
		t.find = func(m Model, id string) (named, bool) { return find(m, id) }
	}
	return &t
}

// bases are the types that t extends, the nearest first.
func (t *entityType) bases() []string {
	switch t.base {
	case managementType:
		return []string{managementType, operationalEntity, anyEntity}
	case "":
		return nil
	case anyEntity:
		return []string{anyEntity}
	}
	return []string{t.base, anyEntity}
}

// is tells whether entities of t are of the type that a name without prefix means.
func (t *entityType) is(name string) bool { return t.name == name || slices.Contains(t.bases(), name) }

// search looks for an entity through the list.
func (t *entityType) search(m Model, id string) (named, bool) {
	for e := range t.list(m, 0) {
		if e.is(id) {
			return e, true
		}
	}
	return nil, false
}

// attributesOf reads the fields of a struct; those of an embedded one are its own.
func attributesOf(e reflect.Type) (all []attribute) {
	for _, f := range reflect.VisibleFields(e) {
		if f.Anonymous {
			continue
		}
		set := strings.Split(f.Tag.Get("set"), ",")
		all = append(all, attribute{
			name: cmp.Or(f.Tag.Get("attr"), lowerFirst(f.Name)), kind: kindOf(f.Type), about: f.Tag.Get("about"),
			create: slices.Contains(set, "create"), update: slices.Contains(set, "update"),
			number: slices.Contains(set, "number"), field: f.Index,
		})
	}
	return append(all, attribute{name: typeAttribute, kind: "string", about: "What it is."})
}

func lowerFirst(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToLower(runes[0])
	return string(runes)
}

// kindOf gives the word of the schema for a type of Go.
func kindOf(t reflect.Type) string {
	if t == reflect.TypeFor[amqp.RawValue]() {
		return "map"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "integer"
	case reflect.Slice:
		return "list"
	}
	panic("an attribute cannot be a " + t.String())
}

// attribute finds an attribute by its name.
func (t *entityType) attribute(name string) (a *attribute, ok bool) {
	i := slices.IndexFunc(t.attributes, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return nil, false
	}
	return &t.attributes[i], true
}

// names are the names of the attributes.
func (t *entityType) names() (all []string) {
	for i := range t.attributes {
		all = append(all, t.attributes[i].name)
	}
	return all
}

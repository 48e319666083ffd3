package management

import (
	"context"
	"errors"
	"reflect"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// changes are how entities of a type come, change and go; nil for what cannot happen.
type changes[E named] struct {
	defaults E // what CREATE does not say

	create func(context.Context, Model, E, saying) (E, error)
	update func(context.Context, Model, E, saying) (E, error)
	remove func(context.Context, Model, E) error
}

// changeable completes an entity type with how its entities change.
func changeable[E named](t *entityType, c changes[E]) *entityType {
	if c.create != nil {
		t.operations = append(t.operations, "CREATE")
		t.create = func(ctx context.Context, m Model, asked amqp.Map) (named, error) {
			e := c.defaults
			if err := t.change(reflect.ValueOf(&e).Elem(), asked, func(a *attribute) bool { return a.create }); err != nil {
				return nil, err
			}
			return c.create(ctx, m, e, sayingOf(asked))
		}
	}
	if c.update != nil {
		t.operations = append(t.operations, "UPDATE")
		t.update = func(ctx context.Context, m Model, was named, asked amqp.Map) (named, error) {
			e := was.(E)
			if err := t.change(reflect.ValueOf(&e).Elem(), asked, func(a *attribute) bool { return a.update }); err != nil {
				return nil, err
			}
			return c.update(ctx, m, e, sayingOf(asked))
		}
	}
	if c.remove != nil {
		t.operations = append(t.operations, "DELETE")
		t.remove = func(ctx context.Context, m Model, e named) error { return c.remove(ctx, m, e.(E)) }
	}
	return t
}

// saying tells whether a request says something of an attribute.
type saying func(attribute string) bool

func sayingOf(asked amqp.Map) saying {
	return func(attribute string) bool {
		value, ok := asked.Get(attribute)
		return ok && value != nil
	}
}

// create makes an entity.
func (c *call) create(ctx context.Context) (status int, body any, err error) {
	asked, err := c.described()
	if err != nil {
		return 0, nil, err
	}
	name, _ := asked.Get(typeAttribute)
	text, ok := name.(string)
	if !ok {
		return 0, nil, faultf(statusBadRequest, "no type is given")
	}
	t, err := c.find(text)
	switch {
	case err != nil:
		return 0, nil, err
	case t.create == nil:
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be created", t.name)
	}
	made, err := t.create(ctx, c.model, asked)
	if err != nil {
		return 0, nil, asConflict(err)
	}
	return statusCreated, t.entityMap(made, c.prefix()), nil
}

// asConflict has an error say, in the words that Dispatch's clients know, that there is an entity of this name already.
func asConflict(err error) error {
	if e, ok := errors.AsType[*router.Error](err); ok && e.Reason == router.Conflict {
		return faultf(statusBadRequest, "Name conflicts with an existing entity: %s", e.Text)
	}
	return err
}

// described is what CREATE says of an entity: the body, and the type and name that may be in the properties instead.
func (c *call) described() (asked amqp.Map, err error) {
	for _, property := range []struct{ name, value string }{{typeAttribute, c.target}, {"name", c.name}} {
		if property.value == "" {
			continue
		}
		if inside, _ := c.body.Get(property.name); inside != nil && inside != any(property.value) {
			return nil, faultf(statusBadRequest, "the properties and the body have different values of %q", property.name)
		}
		asked = append(asked, amqp.Entry{Key: property.name, Value: property.value})
	}
	for _, entry := range c.body {
		if key, ok := entry.Key.(string); !ok || !has(asked, key) {
			asked = append(asked, entry)
		}
	}
	return asked, nil
}

func has(m amqp.Map, key string) bool {
	_, ok := m.Get(key)
	return ok
}

// update changes an entity by what the body says.
func (c *call) update(ctx context.Context) (status int, body any, err error) {
	t, was, err := c.entity()
	if err != nil {
		return 0, nil, err
	}
	if t.update == nil {
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be updated", t.name)
	}
	is, err := t.update(ctx, c.model, was, c.differing(t, was))
	if err != nil {
		return 0, nil, err
	}
	return statusOK, t.entityMap(is, c.prefix()), nil
}

// differing is what UPDATE says that is not so already: who has read an entity may send it back as a whole.
func (c *call) differing(t *entityType, was named) (asked amqp.Map) {
	told := t.entityMap(was, c.prefix())
	for _, entry := range c.body {
		key, _ := entry.Key.(string)
		text, _ := entry.Value.(string)
		value, _ := told.Get(key)
		switch {
		case key != "" && reflect.DeepEqual(value, entry.Value):
		case key == typeAttribute && c.split(text) == t.name:
		case key == "name" && text == c.name: // by which it was found
		default:
			asked = append(asked, entry)
		}
	}
	return asked
}

func (c *call) delete(ctx context.Context) (status int, body any, err error) {
	t, e, err := c.entity()
	switch {
	case err != nil:
		return 0, nil, err
	case t.remove == nil && t.update != nil:
		return 0, nil, faultf(statusForbidden, "Forbidden: what is of the type %q goes by UPDATE, if at all", t.name)
	case t.remove == nil:
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be deleted", t.name)
	}
	return statusNoContent, amqp.Map{}, t.remove(ctx, c.model, e)
}

// change sets attributes to what is asked for, if they may be.
func (t *entityType) change(e reflect.Value, asked amqp.Map, may func(*attribute) bool) error {
	for _, entry := range asked {
		name, ok := entry.Key.(string)
		if !ok {
			return faultf(statusBadRequest, "the body has a key that is not a string")
		}
		a, ok := t.attribute(name)
		switch {
		case !ok:
			return faultf(statusBadRequest, "%q has no attribute %.100q", t.name, name)
		case a.field == nil: // its type, which has been looked at
		case !may(a):
			return faultf(statusBadRequest, "attribute %q of %q cannot be set", name, t.name)
		default:
			if err := a.assign(e, entry.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

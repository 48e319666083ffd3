package management

import (
	"context"
	"reflect"

	"github.com/manifoldmq/manifold/router/amqp"
)

// entity finds the entity that a request is for.
func (c *call) entity() (*entityType, named, error) {
	among, err := c.extending(c.target, types)
	if err != nil {
		return nil, nil, err
	}
	id := c.identity
	if id == "" {
		id = c.name
	}
	if id == "" && (c.target == "" || c.split(c.target) == managementType) {
		id = selfName
	}
	if id == "" {
		return nil, nil, faultf(statusBadRequest, "neither name nor identity is given")
	}
	for _, t := range among {
		if e, ok := t.find(c.model, id); ok {
			return t, e, nil
		}
	}
	return nil, nil, faultf(statusNotFound, "no entity %.100q", id)
}

func (c *call) read() (status int, body any, err error) {
	t, e, err := c.entity()
	if err != nil {
		return 0, nil, err
	}
	return statusOK, t.entityMap(e, c.full("")), nil
}

// saying tells whether a request says something of an attribute.
type saying func(attribute string) bool

// create makes an entity out of the body. Its type and name may be in the properties or in the body.
func (c *call) create(ctx context.Context) (status int, body any, err error) {
	asked := amqp.Map{}
	for _, property := range []struct{ name, value string }{{typeAttribute, c.target}, {"name", c.name}} {
		inside, ok := c.body.Get(property.name)
		if property.value == "" {
			continue
		}
		if ok && inside != nil && inside != any(property.value) {
			return 0, nil, faultf(statusBadRequest, "the properties and the body have different values of %q", property.name)
		}
		asked = append(asked, amqp.Entry{Key: property.name, Value: property.value})
	}
	for _, entry := range c.body {
		if key, ok := entry.Key.(string); !ok || !has(asked, key) {
			asked = append(asked, entry)
		}
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
	case !t.can("CREATE"):
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be created", t.name)
	}
	e := reflect.New(reflect.TypeFor[Declaration]()).Elem()
	if err := t.change(e, asked, func(a *attribute) bool { return a.create }); err != nil {
		return 0, nil, err
	}
	made, err := createDeclaration(ctx, c.model, e.Interface().(Declaration), sayingOf(asked))
	if err != nil {
		return 0, nil, err
	}
	return statusCreated, t.entityMap(made, c.full("")), nil
}

func has(m amqp.Map, key string) bool {
	_, ok := m.Get(key)
	return ok
}

func sayingOf(m amqp.Map) saying {
	return func(attribute string) bool {
		value, ok := m.Get(attribute)
		return ok && value != nil
	}
}

// update changes an entity by what the body says.
func (c *call) update(ctx context.Context) (status int, body any, err error) {
	t, was, err := c.entity()
	if err != nil {
		return 0, nil, err
	}
	if !t.can("UPDATE") {
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be updated", t.name)
	}
	e := reflect.New(reflect.TypeOf(was)).Elem()
	e.Set(reflect.ValueOf(was))
	told := t.entityMap(was, c.full(""))
	asked := amqp.Map{}
	for _, entry := range c.body { // who has read the entity may send it back as a whole
		if key, ok := entry.Key.(string); ok {
			if value, _ := told.Get(key); reflect.DeepEqual(value, entry.Value) {
				continue
			}
			if key == typeAttribute || key == "name" || key == "identity" {
				if text, ok := entry.Value.(string); ok && (was.is(text) || c.split(text) == t.name) {
					continue
				}
			}
		}
		asked = append(asked, entry)
	}
	if err := t.change(e, asked, func(a *attribute) bool { return a.update }); err != nil {
		return 0, nil, err
	}
	var is named
	switch changed := e.Interface().(type) {
	case Declaration:
		is, err = updateDeclaration(ctx, c.model, changed, sayingOf(asked))
	case Connection:
		is, err = updateConnection(ctx, c.model, changed, sayingOf(asked))
	}
	if err != nil {
		return 0, nil, err
	}
	return statusOK, t.entityMap(is, c.full("")), nil
}

func (c *call) delete(ctx context.Context) (status int, body any, err error) {
	t, e, err := c.entity()
	if err != nil {
		return 0, nil, err
	}
	d, ok := e.(Declaration)
	if !ok {
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be deleted", t.name)
	}
	return statusNoContent, amqp.Map{}, c.model.Withdraw(ctx, d.Name)
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

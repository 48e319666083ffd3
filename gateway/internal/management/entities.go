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
	return statusOK, t.entityMap(e, c.prefix()), nil
}

// saying tells whether a request says something of an attribute.
type saying func(attribute string) bool

func sayingOf(asked amqp.Map) saying {
	return func(attribute string) bool {
		value, ok := asked.Get(attribute)
		return ok && value != nil
	}
}

// create makes an entity. Addresses are all that can be made.
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
	case t != declarationType:
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be created", t.name)
	}
	var d Declaration
	err = t.change(reflect.ValueOf(&d).Elem(), asked, func(a *attribute) bool { return a.create })
	if err != nil {
		return 0, nil, err
	}
	made, err := createDeclaration(ctx, c.model, d, sayingOf(asked))
	if err != nil {
		return 0, nil, err
	}
	return statusCreated, t.entityMap(made, c.prefix()), nil
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
	if !t.can("UPDATE") {
		return 0, nil, faultf(statusNotImplemented, "nothing of the type %q can be updated", t.name)
	}
	asked := c.differing(t, was)
	e := reflect.New(reflect.TypeOf(was)).Elem()
	e.Set(reflect.ValueOf(was))
	if err := t.change(e, asked, func(a *attribute) bool { return a.update }); err != nil {
		return 0, nil, err
	}
	var is named
	switch changed := e.Interface().(type) {
	case Declaration:
		is, err = updateDeclaration(ctx, c.model, changed, sayingOf(asked))
	case Connection:
		is, err = updateConnection(ctx, c.model, changed)
	}
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

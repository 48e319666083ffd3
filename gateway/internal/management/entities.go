package management

import (
	"slices"
	"strconv"
)

// entity finds the entity that a request is for.
func (c *call) entity() (*entityType, named, error) {
	among, err := c.extending(c.target, types)
	if err != nil {
		return nil, nil, err
	}
	id, by := c.identity, "identity"
	if id == "" {
		id, by = c.name, "name"
	}
	if id == "" && (c.target == "" || c.split(c.target) == managementType) {
		id = selfName
	}
	if id == "" {
		return nil, nil, faultf(statusBadRequest, "No name or identity provided")
	}
	for _, t := range among {
		if e, ok := t.find(c.model, id); ok {
			return t, e, nil
		}
	}
	_, notNumber := strconv.ParseUint(id, 10, 64)
	switch {
	case by == "identity" && notNumber != nil && slices.Equal(among, []*entityType{connectionType}):
		return nil, nil, faultf(statusBadRequest, "the identity of a connection is a number, and not %.100q", id)
	case by == "identity":
		return nil, nil, faultf(statusNotFound, "Not Found: no entity with identity=%.100s", id)
	case c.target != "" && c.exists(id):
		return nil, nil, faultf(statusBadRequest, "the entity with name=%.100s is of another type than %q", id, c.target)
	}
	return nil, nil, faultf(statusNotFound, "No entity with name=%.100s", id)
}

// exists tells whether there is an entity of any type.
func (c *call) exists(id string) bool {
	for _, t := range types {
		if _, ok := t.find(c.model, id); ok {
			return true
		}
	}
	return false
}

func (c *call) read() (status int, body any, err error) {
	t, e, err := c.entity()
	if err != nil {
		return 0, nil, err
	}
	return statusOK, t.wholeMap(e, c.prefix()), nil
}

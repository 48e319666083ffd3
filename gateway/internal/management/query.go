package management

import (
	"reflect"
	"slices"

	"github.com/manifoldmq/manifold/router/amqp"
)

// query lists entities: their attributes, in the order that is asked for, row by row. An attribute that a type does
// not have is null.
func (c *call) query() (any, error) {
	among, err := c.extending(c.entityType, types)
	if err != nil {
		return nil, err
	}
	if c.entityType != "" && len(among) == 0 { // one of those that there are none of
		t, _ := c.find(c.entityType)
		among = []*entityType{t}
	}
	columns := c.attributes
	if len(columns) == 0 {
		for _, t := range among {
			for _, name := range t.names() {
				if !slices.Contains(columns, name) {
					columns = append(columns, name)
				}
			}
		}
	}
	rows, err := c.rows(among, columns)
	if err != nil {
		return nil, err
	}
	names := amqp.List{}
	for _, name := range columns {
		names = append(names, name)
	}
	return amqp.Map{{Key: "attributeNames", Value: names}, {Key: "results", Value: rows}}, nil
}

// rows gives the entities from the offset on, as many as are wanted.
func (c *call) rows(among []*entityType, columns []string) (rows amqp.List, err error) {
	rows = amqp.List{}
	room := c.room
	for _, name := range columns {
		room -= len(name) + 5
	}
	skip := c.offset
	for _, t := range among {
		offset := 0
		if len(among) == 1 {
			offset, skip = skip, 0
		}
		attributes := t.pick(columns)
		for e := range t.list(c.model, offset) {
			if skip > 0 {
				skip--
				continue
			}
			if len(rows) == c.count {
				return rows, nil
			}
			row := t.row(e, attributes, c.prefix())
			if room -= len(row); room < 0 {
				return nil, errTooLarge
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// pick finds attributes by their names; nil is one that the type does not have.
func (t *entityType) pick(names []string) []*attribute {
	picked := make([]*attribute, len(names))
	for i, name := range names {
		picked[i], _ = t.attribute(name)
	}
	return picked
}

// row gives attributes of an entity as an encoded list.
func (t *entityType) row(e named, attributes []*attribute, prefix string) amqp.RawValue {
	entity := reflect.ValueOf(e)
	values := make(amqp.List, len(attributes))
	for i, a := range attributes {
		if a != nil {
			values[i] = t.attributeValue(a, entity, prefix)
		}
	}
	row, err := amqp.AppendList(nil, values)
	if err != nil {
		panic(err) // valueOf gives what there is an encoding for
	}
	return row
}

package management

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// getTypes tells which types there are, and what each extends.
func (c *call) getTypes() (any, error) {
	return c.each(func(t *entityType) any {
		bases := amqp.List{}
		for _, base := range t.bases() {
			bases = append(bases, c.full(base))
		}
		return bases
	})
}

// getAttributes tells what is known of the entities of each type.
func (c *call) getAttributes() (any, error) {
	return c.each(func(t *entityType) any { return texts(t.names()) })
}

// getOperations tells what can be done with the entities of each type.
func (c *call) getOperations() (any, error) {
	return c.each(func(t *entityType) any { return texts(append(slices.Clone(t.operations), "READ")) })
}

// each describes the types that are asked for, which is a map by their names.
func (c *call) each(describe func(*entityType) any) (any, error) {
	among, err := c.extending(c.entityType, allTypes)
	if err != nil {
		return nil, err
	}
	m := amqp.Map{}
	for _, t := range among {
		m = append(m, amqp.Entry{Key: c.full(t.name), Value: describe(t)})
	}
	return m, nil
}

func texts(all []string) amqp.List {
	list := amqp.List{}
	for _, text := range all {
		list = append(list, text)
	}
	return list
}

// getMgmtNodes tells where the management of each router is reached; a gateway that stands alone has no list.
func (c *call) getMgmtNodes() amqp.List {
	list := amqp.List{}
	for _, n := range c.model.Nodes() {
		list = append(list, n.mgmtAddress())
	}
	return list
}

// getSchema describes everything, in the form of Dispatch's own schema.
func (c *call) getSchema() amqp.Map {
	described := amqp.Map{}
	for _, t := range allTypes {
		attributes := amqp.Map{}
		for i := range t.attributes {
			a := &t.attributes[i]
			attributes = append(attributes, amqp.Entry{Key: a.name, Value: amqp.Map{
				{Key: "type", Value: a.kind}, {Key: "description", Value: a.about},
				{Key: "create", Value: a.create}, {Key: "update", Value: a.update},
			}})
		}
		described = append(described, amqp.Entry{Key: t.name, Value: amqp.Map{
			{Key: "description", Value: t.about}, {Key: "extends", Value: t.base},
			{Key: "operations", Value: texts(t.operations)}, {Key: "attributes", Value: attributes},
		}})
	}
	return amqp.Map{
		{Key: "prefix", Value: strings.TrimSuffix(c.prefix(), ".")},
		{Key: "description", Value: "What is managed in Manifold."},
		{Key: "entityTypes", Value: described},
	}
}

// getJSONSchema is getSchema as text in JSON.
func (c *call) getJSONSchema() (any, error) {
	text, err := json.MarshalIndent(amqp.JSONValue(c.getSchema()), "", strings.Repeat(" ", min(c.indent, maxIndent)))
	return string(text), err
}

// maxIndent is how many spaces a level of JSON may have before it.
const maxIndent = 8

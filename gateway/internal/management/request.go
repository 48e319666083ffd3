package management

import (
	"math"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// request is what somebody asks, taken apart.
type request struct {
	operation string // in capitals
	target    string // the type of the entity that is meant; empty for any
	name      string
	identity  string

	entityType string   // QUERY and GET-*: of the entities that are asked about; empty for all
	attributes []string // QUERY: those that are asked for; none for all
	offset     int      // QUERY: how many entities are left out
	count      int      // QUERY: how many are wanted at most
	indent     int      // GET-JSON-SCHEMA
	limit      int      // GET-LOG: how many entries are wanted at most; 0 leaves it open

	body amqp.Map
}

// parseRequest reads the application properties and the body of a request.
func parseRequest(m amqp.Message) (q request, err error) {
	q.count = math.MaxInt
	for _, text := range []struct {
		name string
		to   *string
	}{
		{"operation", &q.operation}, {"type", &q.target}, {"entityType", &q.entityType},
		{"name", &q.name}, {"identity", &q.identity},
	} {
		if err := textProperty(m, text.name, text.to); err != nil {
			return q, err
		}
	}
	for _, number := range []struct {
		name string
		to   *int
	}{{"offset", &q.offset}, {"count", &q.count}, {"indent", &q.indent}, {"limit", &q.limit}} {
		if err := numberProperty(m, number.name, number.to); err != nil {
			return q, err
		}
	}
	q.operation = strings.ToUpper(q.operation)
	if q.operation == "" {
		return q, faultf(statusBadRequest, "no application property \"operation\"")
	}
	if q.body, err = mapBody(m); err != nil {
		return q, err
	}
	q.attributes, err = attributeNames(q.body)
	return q, err
}

// textProperty reads a property that is text, if it is there.
func textProperty(m amqp.Message, name string, to *string) error {
	value, ok := m.ApplicationProperty(name)
	if !ok || value == nil {
		return nil
	}
	switch v := value.(type) {
	case string:
		*to = v
	case amqp.Symbol:
		*to = string(v)
	default:
		return faultf(statusBadRequest, "the application property %q is not a string", name)
	}
	return nil
}

// numberProperty reads a property that is a number from 0, if it is there.
func numberProperty(m amqp.Message, name string, to *int) error {
	value, ok := m.ApplicationProperty(name)
	if !ok || value == nil {
		return nil
	}
	n, ok := integer(value)
	if !ok || n < 0 || n > math.MaxInt32 {
		return faultf(statusBadRequest, "the application property %q is not an integer from 0", name)
	}
	*to = int(n)
	return nil
}

// integer reads an integer of any type, also one that is written as text.
func integer(value any) (n int64, ok bool) {
	switch v := value.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(min(v, math.MaxInt64)), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// boolean reads a boolean, also one that is written as Dispatch's configuration has it.
func boolean(value any) (set, ok bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(v) {
		case "true", "yes", "on":
			return true, true
		case "false", "no", "off":
			return false, true
		}
	}
	return false, false
}

// mapBody reads the body, which is a map or nothing.
func mapBody(m amqp.Message) (amqp.Map, error) {
	body := m.Body()
	switch body.Kind() {
	case amqp.BodyNone:
		return nil, nil
	case amqp.BodyValue:
		switch v := body.Value().Value().(type) {
		case nil:
			return nil, nil
		case amqp.Map:
			if key, twice := v.Duplicate(); twice {
				return nil, faultf(statusBadRequest, "the body has %.100q twice", key)
			}
			return v, nil
		}
	}
	return nil, faultf(statusBadRequest, "the body is not a map")
}

// attributeNames reads which attributes a QUERY asks for.
func attributeNames(body amqp.Map) (names []string, err error) {
	value, _ := body.Get("attributeNames")
	var all []any
	switch v := value.(type) {
	case nil:
		return nil, nil
	case amqp.List:
		all = v
	case amqp.Array:
		for element := range v.All() {
			all = append(all, element)
		}
	default:
		return nil, faultf(statusBadRequest, "attributeNames is not a list")
	}
	if len(all) > maxAttributes {
		return nil, faultf(statusBadRequest, "more than %d attributeNames", maxAttributes)
	}
	for _, element := range all {
		switch name := element.(type) {
		case string:
			names = append(names, name)
		case amqp.Symbol:
			names = append(names, string(name))
		default:
			return nil, faultf(statusBadRequest, "attributeNames has something else than strings")
		}
	}
	return names, nil
}

// maxAttributes is how many attributes a QUERY may ask for: more than any entity has.
const maxAttributes = 500

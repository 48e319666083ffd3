package protocol

import (
	"math"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router/amqp"
)

// text reads a string or a symbol; ok is false for other types.
func text(value amqp.RawValue) (s string, ok bool) {
	b, ok := value.Text()
	if !ok || !utf8.Valid(b) {
		return "", false
	}
	return string(b), true
}

// integer reads a whole number of any type; ok is false for other types and for what an int64 cannot hold.
func integer(value amqp.RawValue) (n int64, ok bool) {
	switch v := value.Value().(type) {
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	default:
		return 0, false
	}
}

// texts reads a list of strings or symbols; ok is false if it is no such list, or longer than most.
func texts(value amqp.RawValue, most int) (list []string, ok bool) {
	ok = elements(value, most, func(element amqp.RawValue) bool {
		s, isText := text(element)
		list = append(list, s)
		return isText
	})
	return list, ok
}

// elements has each see the elements of a list one by one until it is false. It tells whether that was all of a list with
// at most so many elements.
func elements(value amqp.RawValue, most int, each func(amqp.RawValue) bool) bool {
	d := amqp.NewDecoder(value)
	fields := d.ReadList()
	if fields.Len() > most {
		return false
	}
	for fields.Len() > 0 {
		if !fields.Next() || !each(d.ReadRaw()) {
			return false
		}
	}
	fields.End()
	return d.Err() == nil
}

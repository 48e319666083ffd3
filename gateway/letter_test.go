package gateway

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// letters are what every sender sends to every receiver. Between them they say something in every field that a message has.
func letters() []fields {
	all256 := make([]byte, 256)
	for i := range all256 {
		all256[i] = byte(i)
	}
	past := time.UnixMilli(1_700_000_000_123).UTC()
	return []fields{
		{ // every field at once
			durable: true, priority: uint8(9), ttl: time.Hour, firstAcquirer: true,
			deliveryAnnotations: goamqp.Annotations{"x-opt-hop": "a"},
			messageAnnotations:  goamqp.Annotations{"x-opt-note": "b", "x-opt-number": int64(7)},
			messageID:           "order-1", userID: []byte("ann"), subject: "grüße", replyTo: "answers/für mich",
			correlationID: []byte("\x00\xff request 7"), contentType: "text/plain; charset=utf-8", contentEncoding: "identity",
			creationTime: past, groupID: "g 1", groupSequence: uint32(7), replyToGroupID: "g 2",
			properties: []property{{"zone", "north"}, {"größe", "±5 µm, =100%"}, {"a:b\\c", "d\ne"}, {"empty", ""}},
			dataBody:   "grün: 21,5 °C\n\"ok\"\r\n",
			footer:     goamqp.Annotations{"x-opt-sum": "c"},
		},
		{dataBody: ""}, // and none
		{textBody: "nothing but text", messageID: uint64(math.MaxUint64), correlationID: uint64(42), exactlyOnce: true},
		{textBody: "text of a type", contentType: "text/x-ini", messageID: []byte{0, 1, 0xFE}, correlationID: "ulong:no number"},
		{
			dataBody: string(all256), contentType: "application/octet-stream", priority: uint8(0),
			messageID:     goamqp.UUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8},
			correlationID: goamqp.UUID{15: 1},
			expiryTime:    time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond),
		},
		{chunkedBody: []string{"one,", "", "two"}, contentType: "text/csv"},
		{dataBody: "gr\xfcn", contentType: "text/plain; charset=iso-8859-1"},
		{dataBody: "text in UTF-8, too", contentType: `text/plain;charset="utf-8"`},
		{binaryBody: "\x00\x80\xff", deliveryTime: past.UnixMilli()},
		{dataBody: "delayed", deliveryDelay: int64(1)},
		{valueBody: inBoth{map[string]any{"n": int64(1), "s": "ü"}, `{"n":1,"s":"ü"}`}, contentType: "x-map/x"},
		{sequenceBody: inBoth{[][]any{{int64(1), "a"}, {true}}, `[1,"a",true]`}},
		{dataBody: "every simple type", properties: []property{
			{"null", nil},
			{"true", true}, {"false", false},
			{"ubyte", uint8(255)}, {"ushort", uint16(math.MaxUint16)}, {"uint", uint32(math.MaxUint32)}, {"ulong", uint64(math.MaxUint64)},
			{"byte", int8(-128)}, {"short", int16(math.MinInt16)}, {"int", int32(math.MinInt32)}, {"long", int64(math.MinInt64)},
			{"float", float32(0.1)}, {"double", 2.5e-10},
			{"at", past}, {"uuid", goamqp.UUID{0: 1}}, {"binary", []byte{0, 0xff}}, {"string", "s"}, {"symbol", goamqp.Symbol("y")},
		}},
		{dataBody: "a name twice", properties: []property{{"tag", "a"}, {"zone", "b"}, {"tag", "c"}, {"tag", "a"}}},
		{dataBody: "a type that is not ASCII", wideContentType: "text/grün"},
		{dataBody: `{"n":1}`, contentType: "application/json", cloudEvent: map[string]string{
			"id": "1", "source": "/küche/\"a\" %", "specversion": "1.0", "type": "org.example.made",
		}},
		{dataBody: `{"specversion":"1.0","id":"1","source":"/","type":"t"}`, contentType: "application/cloudevents+json"},
	}
}

// difference tells in which fields two messages differ. What is left to live may be less by a minute.
func difference(got, want fields) string {
	var text strings.Builder
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, f := range slices.Sorted(maps.Keys(all)) {
		left, isTime := got[f].(time.Duration)
		most, isWanted := want[f].(time.Duration)
		if isTime && isWanted && left < most+time.Second && left > most-time.Minute || reflect.DeepEqual(got[f], want[f]) {
			continue
		}
		fmt.Fprintf(&text, "\n%s:\n\tgot  %T %+[2]v\n\twant %T %+[3]v", f, got[f], want[f])
	}
	return text.String()
}

// orderLike puts the properties of a message in the order that their names have in another one.
func (m fields) orderLike(other fields) {
	mine, _ := m[properties].([]property)
	others, _ := other[properties].([]property)
	rank := func(p property) int {
		return slices.IndexFunc(others, func(other property) bool { return other.name == p.name })
	}
	slices.SortStableFunc(mine, func(a, b property) int { return rank(a) - rank(b) })
}

// set says something in a field, unless it is what is usual.
func set[T comparable](m fields, f field, value, usual T) {
	if value != usual {
		m[f] = value
	}
}

// addProperty says an application property, which may be an attribute of a CloudEvent.
func (m fields) addProperty(name string, value any) {
	if attribute, ok := strings.CutPrefix(name, eventPrefix); ok {
		m.addAttribute(attribute, fmt.Sprint(value))
		return
	}
	all, _ := m[properties].([]property)
	m[properties] = append(all, property{name, value})
}

func (m fields) addAttribute(name, value string) {
	if m[cloudEvent] == nil {
		m[cloudEvent] = map[string]string{}
	}
	m[cloudEvent].(map[string]string)[name] = value
}

// eventPrefix begins the name of a property that is an attribute of a CloudEvent (AMQP protocol binding 1.0.2, section
// 3.1.3.1).
const eventPrefix = "cloudEvents:"

// properties gives the application properties with the attributes of a CloudEvent among them.
func (m fields) properties() []property {
	all, _ := m[properties].([]property)
	event, _ := m[cloudEvent].(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(event)) {
		all = append(all, property{eventPrefix + name, event[name]})
	}
	return all
}

// distinct is properties without those whose name occurred before.
func (m fields) distinct() []property {
	out := make(fields)
	mapped(out, fields{properties: m.properties()}, properties)
	all, _ := out[properties].([]property)
	return all
}

// text gives a field that is a string, or nothing.
func (m fields) text(f field) string {
	s, _ := m[f].(string)
	return s
}

// body gives a body that is bytes or text.
func (m fields) body() []byte { return []byte(m.text(dataBody) + m.text(textBody)) }

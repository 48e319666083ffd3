package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// exact carries a field as it is. What is not so goes without saying.
func exact(out, in fields, f field) {
	if value, ok := in[f]; ok && value != any(false) {
		out[f] = value
	}
}

// unseen is for what is asked of the gateway and no part of the message.
func unseen(fields, fields, field) {}

// theAddress is for a message that says where it was sent to, as its sender has said no more than that.
func theAddress(out, in fields, f field) { out[f] = in[address] }

// unlessSettled is for a flag that goes without saying where the sender waits for an answer.
func unlessSettled(out, in fields, f field) {
	if in[atMostOnce] != true {
		out[f] = true
	}
}

// anyTry tells that there were earlier tries, and not how many.
func anyTry(out, in fields, f field) {
	if in[f] != nil {
		out[f] = uint32(1)
	}
}

// timeLeft tells when a message expires where there is no place but for how long it lives.
func timeLeft(out, in fields, f field) {
	if at, ok := in[f].(time.Time); ok && in[ttl] == nil {
		out[ttl] = time.Until(at)
	}
}

// octets carries an id as bytes without its type.
func octets(out, in fields, f field) {
	switch id := in[f].(type) {
	case nil:
	case []byte:
		out[f] = id
	default:
		out[f] = []byte(textOf(id))
	}
}

// mapped carries properties as AMQP does, in a map: of repeated names it has the first.
func mapped(out, in fields, f field) {
	var distinct []property
	all, _ := in[f].([]property)
	for _, p := range all {
		if !slices.ContainsFunc(distinct, func(other property) bool { return other.name == p.name }) {
			distinct = append(distinct, p)
		}
	}
	if distinct != nil {
		out[f] = distinct
	}
}

// texts carries properties as text.
func texts(out, in fields, f field) {
	mapped(out, in, f)
	convert(out, f, func(value any) any { return textOf(value) })
}

// pairs carries properties as texts in their order, and a name as often as there is.
func pairs(out, in fields, f field) {
	texts(out, in, f)
	all, _ := in[f].([]property)
	if once, _ := out[f].([]property); len(once) < len(all) {
		out[repetitions] = all
	}
}

// allPairs carries what pairs has put away.
func allPairs(out, in fields, _ field) {
	if all, ok := in[repetitions]; ok {
		out[properties] = all
	}
}

// jsonMembers carries properties as the nearest type of JSON.
func jsonMembers(out, in fields, f field) {
	mapped(out, in, f)
	convert(out, f, jsonOf)
}

// fromJSON carries properties as the types that AMQP has for those of JSON.
func fromJSON(out, in fields, f field) {
	jsonMembers(out, in, f)
	convert(out, f, func(value any) any {
		number, ok := value.(json.Number)
		switch {
		case value == nil:
			return "" // which is what a sender writes
		case !ok:
			return value
		}
		if n, err := number.Int64(); err == nil {
			return n
		}
		x, _ := number.Float64()
		return x
	})
}

func convert(out fields, f field, change func(any) any) {
	all, _ := out[f].([]property)
	all = slices.Clone(all)
	for i := range all {
		all[i].value = change(all[i].value)
	}
	if all != nil {
		out[f] = all
	}
}

// payload carries a body as bytes that say no more of themselves.
func payload(out, in fields, f field) {
	switch body := in[f].(type) {
	case nil:
	case []string:
		out[dataBody] = ""
		for _, section := range body {
			out[dataBody] = out[dataBody].(string) + section
		}
	default:
		out[dataBody] = body
	}
}

// plainText carries a body as bytes, and says that they are text if nothing else is said of them.
func plainText(out, in fields, f field) {
	payload(out, in, f)
	if in[f] != nil && out[contentType] == nil {
		out[contentType] = "text/plain; charset=utf-8"
	}
}

// native carries a body as the type that it is of.
func native(out, in fields, f field) {
	if body, ok := in[f]; ok {
		out[f] = body.(inBoth).amqp
	}
}

// inJSON carries a body as bytes of JSON that do not say so.
func inJSON(out, in fields, f field) {
	if body, ok := in[f]; ok {
		out[dataBody] = body.(inBoth).json
	}
}

// typedJSON carries a body as bytes of JSON, and says so.
func typedJSON(out, in fields, f field) {
	if inJSON(out, in, f); in[f] != nil {
		out[contentType] = "application/json"
	}
}

// textualJSON is typedJSON where text is another body than bytes.
func textualJSON(out, in fields, f field) {
	if typedJSON(out, in, f); in[f] != nil {
		out[textBody] = out[dataBody]
		delete(out, dataBody)
	}
}

// inBoth is a body that other protocols have no types for.
type inBoth struct {
	amqp any
	json string
}

// textOf writes a value of a simple AMQP type as docs/amqp.md says.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case goamqp.UUID:
		return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
	default:
		return fmt.Sprint(v)
	}
}

// jsonOf gives the nearest value of JSON, as encoding/json reads it.
func jsonOf(value any) any {
	switch value.(type) {
	case nil, bool:
		return value
	case uint8, uint16, uint32, uint64, int8, int16, int32, int64, float32, float64:
		return json.Number(textOf(value))
	default:
		return textOf(value)
	}
}

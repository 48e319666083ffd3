package gateway

// field is something that a message says, or one delivery of it.
type field string

const (
	address        field = "address"
	to             field = "to"
	atMostOnce     field = "at most once"    // its sender asks for no answer
	exactlyOnce    field = "exactly once"    // asked for by its sender
	deliveryCount  field = "delivery count"  // earlier tries
	retain         field = "retain"          // a topic is to keep it; of a delivery, that it was kept
	subscriptionID field = "subscription id" // by which a client knows what it has subscribed to

	durable       field = "durable"
	priority      field = "priority"
	ttl           field = "ttl"
	firstAcquirer field = "first acquirer"

	deliveryAnnotations field = "delivery annotations"
	messageAnnotations  field = "message annotations"
	deliveryTime        field = "delivery time"
	deliveryDelay       field = "delivery delay"

	messageID       field = "message id"
	userID          field = "user id"
	subject         field = "subject"
	replyTo         field = "reply to"
	correlationID   field = "correlation id"
	contentType     field = "content type"
	wideContentType field = "content type that is not ASCII"
	contentEncoding field = "content encoding"
	expiryTime      field = "absolute expiry time"
	creationTime    field = "creation time"
	groupID         field = "group id"
	groupSequence   field = "group sequence"
	replyToGroupID  field = "reply to group id"

	properties  field = "application properties"
	repetitions field = "application properties with repeated names"
	cloudEvent  field = "attributes of a CloudEvent"

	dataBody     field = "body: one data section"
	chunkedBody  field = "body: several data sections"
	textBody     field = "body: a string"
	binaryBody   field = "body: a binary value"
	valueBody    field = "body: another value"
	sequenceBody field = "body: sequences"

	footer field = "footer"
)

// fields is a message: what each field says. One that says nothing, or what is usual anyway, is not there.
type fields map[field]any

// property is an application property. Its value is of any simple type of AMQP, as go-amqp has them.
type property struct {
	name  string
	value any
}

// form is how a protocol writes a field: it puts into out what those make of it who read that.
type form func(out, in fields, f field)

// way is where a protocol has a field in one direction, and how it is written there.
type way struct {
	where string // for people; empty where the protocol has no place for it
	note  string // likewise
	form  form
}

// place is where a protocol has a field: in what a client sends, and in what it gets.
type place struct{ sent, got way }

// column is all that one protocol has places for.
type column struct {
	title  string
	places map[field]place
}

func both(where, note string, f form) place { return place{way{where, note, f}, way{where, note, f}} }
func sent(where, note string, f form) place { return place{sent: way{where, note, f}} }
func got(where, note string, f form) place  { return place{got: way{where, note, f}} }

// or gives a place for each direction, of which p has one.
func (p place) or(other place) place {
	if p.sent.form == nil {
		p.sent = other.sent
	}
	if p.got.form == nil {
		p.got = other.got
	}
	return p
}

// sends is what a message is that a client of the protocol sends.
func (c *column) sends(m fields) fields {
	out := make(fields)
	for _, f := range rows {
		if write := c.places[f].sent.form; write != nil {
			write(out, m, f)
		}
	}
	return out
}

// gets is what a client of the protocol hears of a message.
func (c *column) gets(m fields) fields {
	out := make(fields)
	for _, f := range rows {
		if write := c.places[f].got.form; write != nil {
			write(out, m, f)
		}
	}
	return out
}

// canSend tells whether the protocol has a place for the body of a message.
func (c *column) canSend(m fields) bool {
	for _, f := range bodies {
		if _, ok := m[f]; ok && c.places[f].sent.form == nil {
			return false
		}
	}
	return true
}

var bodies = []field{dataBody, chunkedBody, textBody, binaryBody, valueBody, sequenceBody}

// rows are the fields in the order of the tables. Those that may change what others say come after them.
var rows = []field{
	address, to, atMostOnce, exactlyOnce, retain, subscriptionID, deliveryCount,
	durable, priority, ttl, firstAcquirer,
	deliveryAnnotations, messageAnnotations, deliveryTime, deliveryDelay,
	messageID, userID, subject, replyTo, correlationID, contentType, wideContentType, contentEncoding, expiryTime, creationTime,
	groupID, groupSequence, replyToGroupID,
	properties, repetitions, cloudEvent,
	dataBody, chunkedBody, textBody, binaryBody, valueBody, sequenceBody,
	footer,
}

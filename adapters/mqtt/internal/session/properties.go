package session

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"unicode/utf8"
)

// Properties are the MQTT 5 properties that describe a message (sections 3.3.2.3 and 3.1.3.2). Absent fields are nil or
// false; an empty slice that is not nil is a property with an empty value.
type Properties struct {
	Text            bool   // Payload Format Indicator: the payload is UTF-8
	Expires         bool   // Expiry is present
	Expiry          uint32 // Message Expiry Interval in seconds
	ContentType     []byte // UTF-8
	ResponseTopic   []byte // UTF-8, without wildcards
	CorrelationData []byte
	User            UserProperties
}

// Clone copies everything that p refers to.
func (p Properties) Clone() Properties {
	p.ContentType = bytes.Clone(p.ContentType)
	p.ResponseTopic = bytes.Clone(p.ResponseTopic)
	p.CorrelationData = bytes.Clone(p.CorrelationData)
	p.User = bytes.Clone(p.User)
	return p
}

// UserProperties are name-value pairs in the order they were sent, names may repeat. They are kept as on the wire, so
// passing them on costs nothing. The zero value is an empty list.
type UserProperties []byte

// All goes through the pairs. The slices are borrowed from u.
func (u UserProperties) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		c := cursor{rest: u}
		for !c.empty() {
			c.byte()
			name, value := c.binary(), c.binary()
			if c.bad || !yield(name, value) {
				return
			}
		}
	}
}

// Append adds a pair. It reports false, and adds nothing, when a string is too long or not valid text for MQTT.
func (u *UserProperties) Append(name, value string) bool {
	if !sendableText(name) || !sendableText(value) {
		return false
	}
	*u = append(*u, propUser)
	*u = appendString(appendString(*u, name), value)
	return true
}

func sendableText(s string) bool {
	if len(s) > math.MaxUint16 || !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return true
}

// Property identifiers (section 2.2.2.2) that a client may send, and the one that only a server sends in PUBLISH.
const (
	propPayloadFormat       = 0x01
	propMessageExpiry       = 0x02
	propContentType         = 0x03
	propResponseTopic       = 0x08
	propCorrelationData     = 0x09
	propSubscriptionID      = 0x0B
	propSessionExpiry       = 0x11
	propAuthMethod          = 0x15
	propAuthData            = 0x16
	propRequestProblemInfo  = 0x17
	propWillDelay           = 0x18
	propRequestResponseInfo = 0x19
	propReasonString        = 0x1F
	propReceiveMaximum      = 0x21
	propTopicAliasMaximum   = 0x22
	propTopicAlias          = 0x23
	propUser                = 0x26
	propMaximumPacketSize   = 0x27
)

// set is a set of property identifiers, one bit each.
type set uint64

func (s set) has(id byte) bool { return id < 64 && s&(1<<id) != 0 }

// The properties that each packet of a client may carry (table 2-4). A client's PUBLISH has no subscription identifier
// [MQTT-3.3.4-6], its DISCONNECT no server reference.
const (
	messageProperties = set(1<<propPayloadFormat | 1<<propMessageExpiry | 1<<propContentType | 1<<propResponseTopic |
		1<<propCorrelationData | 1<<propUser)
	publishProperties = messageProperties | 1<<propTopicAlias
	willProperties    = messageProperties | 1<<propWillDelay
	connectProperties = set(1<<propSessionExpiry | 1<<propAuthMethod | 1<<propAuthData | 1<<propRequestProblemInfo |
		1<<propRequestResponseInfo | 1<<propReceiveMaximum | 1<<propTopicAliasMaximum | 1<<propMaximumPacketSize |
		1<<propUser)
	subscribeProperties   = set(1<<propSubscriptionID | 1<<propUser)
	unsubscribeProperties = set(1 << propUser)
	ackProperties         = set(1<<propReasonString | 1<<propUser)
	authProperties        = set(1<<propAuthMethod | 1<<propAuthData | 1<<propReasonString | 1<<propUser)
	disconnectProperties  = set(1<<propSessionExpiry | 1<<propReasonString | 1<<propUser)
)

// received is a property block as a client sent it.
type received struct {
	Properties
	seen              set
	authMethod        string
	withoutProblems   bool   // Request Problem Information is 0
	wantsResponses    bool   // Request Response Information is 1
	authData          []byte // a copy
	sessionExpiry     uint32
	maximumPacketSize uint32
	subscriptionID    uint32
	willDelay         uint32
	receiveMaximum    uint16
	topicAliasMaximum uint16
	topicAlias        uint16
	gathered          bool // User is a copy
}

// properties reads a property block strictly. An identifier that does not belong there makes the packet malformed, one
// that comes twice or has a forbidden value is a protocol error (section 2.2.2.2).
func (c *cursor) properties(allowed set, r *received) error {
	block := cursor{rest: c.take(int(c.varint()))}
	if c.bad {
		return violation(MalformedPacket, "property length")
	}
	for !block.empty() {
		start := block.rest
		id := block.byte() // all identifiers are below 0x80, so a Variable Byte Integer of one byte
		if !allowed.has(id) {
			if id == propSubscriptionID && allowed == publishProperties {
				return violation(ProtocolError, "subscription identifier in a client's PUBLISH")
			}
			return violation(MalformedPacket, "property that does not belong to this packet")
		}
		if id != propUser && r.seen.has(id) {
			return violation(ProtocolError, "property given twice")
		}
		r.seen |= 1 << id
		if err := r.value(&block, id); err != nil {
			return err
		}
		if block.bad {
			return violation(MalformedPacket, "property value")
		}
		if id == propUser {
			r.addUser(start[:len(start)-len(block.rest)])
		}
	}
	r.User = slices.Clip(r.User)
	return nil
}

// value reads the value of one property.
func (r *received) value(c *cursor, id byte) error {
	switch id {
	case propPayloadFormat:
		v := c.byte()
		r.Text = v == 1
		return zeroOrOne(v, "payload format indicator")
	case propMessageExpiry:
		r.Expires, r.Expiry = true, c.uint32()
	case propContentType:
		r.ContentType = c.text()
	case propResponseTopic:
		r.ResponseTopic = c.text()
		if hasWildcard(r.ResponseTopic) { // [MQTT-3.3.2-14]
			return violation(ProtocolError, "wildcard in response topic")
		}
	case propCorrelationData:
		r.CorrelationData = c.binary()
	case propSubscriptionID:
		r.subscriptionID = c.varint()
		if r.subscriptionID == 0 && !c.bad {
			return violation(ProtocolError, "subscription identifier 0")
		}
	case propSessionExpiry:
		r.sessionExpiry = c.uint32()
	case propReasonString:
		c.text()
	case propAuthMethod:
		r.authMethod = string(c.text())
	case propAuthData:
		r.authData = append([]byte{}, c.binary()...)
	case propRequestProblemInfo:
		v := c.byte()
		r.withoutProblems = v == 0
		return zeroOrOne(v, "request problem information")
	case propRequestResponseInfo:
		v := c.byte()
		r.wantsResponses = v == 1
		return zeroOrOne(v, "request response information")
	case propWillDelay:
		r.willDelay = c.uint32()
	case propReceiveMaximum:
		r.receiveMaximum = c.uint16()
		if r.receiveMaximum == 0 && !c.bad {
			return violation(ProtocolError, "receive maximum 0")
		}
	case propMaximumPacketSize:
		r.maximumPacketSize = c.uint32()
		if r.maximumPacketSize == 0 && !c.bad {
			return violation(ProtocolError, "maximum packet size 0")
		}
	case propTopicAliasMaximum:
		r.topicAliasMaximum = c.uint16()
	case propTopicAlias:
		r.topicAlias = c.uint16()
	case propUser:
		c.text()
		c.text()
	}
	return nil
}

func zeroOrOne(v byte, name string) error {
	if v > 1 {
		return violation(ProtocolError, name+" above 1")
	}
	return nil
}

// addUser keeps a user property. Those that follow each other on the wire, as they nearly always do, are borrowed as one
// slice; others are gathered in a copy.
func (r *received) addUser(pair []byte) {
	end := len(r.User)
	switch {
	case end == 0:
		r.User = pair
	case r.gathered:
		r.User = append(r.User, pair...)
	case cap(r.User) > end && &r.User[:end+1][end] == &pair[0]:
		r.User = r.User[:end+len(pair)]
	default:
		r.gathered = true
		r.User = append(r.User[:end:end], pair...)
	}
}

// appendProperties writes the block that propertiesSize measures.
func appendProperties(dst []byte, p *Properties, subscriptions []uint32) []byte {
	if p.Text {
		dst = append(dst, propPayloadFormat, 1)
	}
	if p.Expires {
		dst = binary.BigEndian.AppendUint32(append(dst, propMessageExpiry), p.Expiry)
	}
	if p.ContentType != nil {
		dst = appendBinary(append(dst, propContentType), p.ContentType)
	}
	if p.ResponseTopic != nil {
		dst = appendBinary(append(dst, propResponseTopic), p.ResponseTopic)
	}
	if p.CorrelationData != nil {
		dst = appendBinary(append(dst, propCorrelationData), p.CorrelationData)
	}
	for _, id := range subscriptions {
		dst = appendVarint(append(dst, propSubscriptionID), id)
	}
	return append(dst, p.User...)
}

// propertiesSize is the number of bytes that appendProperties writes.
func propertiesSize(p *Properties, subscriptions []uint32) int {
	n := len(p.User)
	if p.Text {
		n += 2
	}
	if p.Expires {
		n += 5
	}
	for _, b := range [...][]byte{p.ContentType, p.ResponseTopic, p.CorrelationData} {
		if b != nil {
			n += 3 + len(b)
		}
	}
	for _, id := range subscriptions {
		n += 1 + varintSize(id)
	}
	return n
}

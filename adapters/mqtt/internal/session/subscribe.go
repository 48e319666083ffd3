package session

import (
	"bytes"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A Subscribe asks for subscriptions (section 3.8). All slices are borrowed until the Handler returns.
type Subscribe struct {
	PacketID       uint16
	SubscriptionID uint32 // 0 without one
	Filters        []Filter
	User           UserProperties
}

// A Filter is one subscription that is asked for.
type Filter struct {
	// Refusal is not Success when the session already knows that the answer is no: the filter breaks the rules, or needs a
	// feature that is not offered. The owner creates nothing and gives this code to SubAck.
	Refusal Reason
	Group   []byte // the share name of $share/group/filter; nil without one
	Topic   []byte // the topic filter, without the share
	QoS     byte   // what may be granted: already lowered to the maximum
	// The other subscription options of MQTT 5.
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte // 0: send retained messages, 1: only to a new subscription, 2: never
}

// An Unsubscribe asks to end subscriptions (section 3.10). All slices are borrowed until the Handler returns.
type Unsubscribe struct {
	PacketID uint16
	Filters  []Filter // Refusal, Group and Topic
	User     UserProperties
}

// subscribe reads SUBSCRIBE.
func (s *Session) subscribe(body []byte) error {
	c := cursor{rest: body}
	r, id, err := s.request(&c, subscribeProperties)
	if err != nil {
		return err
	}
	var filters []Filter
	for !c.empty() {
		topic, options := c.text(), c.byte()
		if c.bad {
			return violation(MalformedPacket, "SUBSCRIBE")
		}
		if len(filters) == s.limits.MaxSubscriptionsPerPacket {
			return violation(QuotaExceeded, "too many filters in one packet")
		}
		f, err := s.filter(topic)
		if err != nil {
			return err
		}
		if err := s.options(&f, options); err != nil {
			return err
		}
		if r.subscriptionID != 0 && !s.features.SubscriptionIDs && f.Refusal == Success {
			f.Refusal = SubscriptionIDsNotSupported
		}
		filters = append(filters, f)
	}
	if len(filters) == 0 { // [MQTT-3.8.3-2]
		return violation(ProtocolError, "SUBSCRIBE without a filter")
	}
	s.requests++
	s.handler.Subscribe(Subscribe{PacketID: id, SubscriptionID: r.subscriptionID, Filters: filters, User: r.User})
	return nil
}

// unsubscribe reads UNSUBSCRIBE.
func (s *Session) unsubscribe(body []byte) error {
	c := cursor{rest: body}
	r, id, err := s.request(&c, unsubscribeProperties)
	if err != nil {
		return err
	}
	var filters []Filter
	for !c.empty() {
		topic := c.text()
		if c.bad {
			return violation(MalformedPacket, "UNSUBSCRIBE")
		}
		if len(filters) == s.limits.MaxSubscriptionsPerPacket {
			return violation(QuotaExceeded, "too many filters in one packet")
		}
		f, err := s.filter(topic)
		if err != nil {
			return err
		}
		filters = append(filters, f)
	}
	if len(filters) == 0 { // [MQTT-3.10.3-2]
		return violation(ProtocolError, "UNSUBSCRIBE without a filter")
	}
	s.requests++
	s.handler.Unsubscribe(Unsubscribe{PacketID: id, Filters: filters, User: r.User})
	return nil
}

// request reads what SUBSCRIBE and UNSUBSCRIBE start with.
func (s *Session) request(c *cursor, allowed set) (r received, id uint16, err error) {
	id = c.uint16()
	switch {
	case c.bad:
		return r, 0, violation(MalformedPacket, "packet id")
	case id == 0: // [MQTT-2.2.1-3]
		return r, 0, violation(ProtocolError, "packet id 0")
	case s.level == 5:
		err = c.properties(allowed, &r)
	}
	return r, id, err
}

// filter judges a topic filter (section 4.7.1) and takes a share apart (section 4.8.2).
func (s *Session) filter(topic []byte) (Filter, error) {
	f := Filter{Topic: topic}
	switch {
	case len(topic) == 0: // [MQTT-4.7.3-1]
		return f, violation(ProtocolError, "empty topic filter")
	case len(topic) > s.limits.MaxTopicLength:
		return f, violation(TopicFilterInvalid, "topic filter is too long")
	}
	if shared, ok := bytes.CutPrefix(topic, []byte("$share/")); ok {
		f.Group, f.Topic, _ = bytes.Cut(shared, []byte("/"))
		if !s.features.SharedSubscriptions {
			f.Refusal = SharedNotSupported
			return f, nil
		}
		if len(f.Group) == 0 || hasWildcard(f.Group) || len(f.Topic) == 0 { // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
			f.Refusal = TopicFilterInvalid
			return f, nil
		}
	}
	switch {
	case !validFilter(f.Topic):
		f.Refusal = TopicFilterInvalid
	case !s.features.Wildcards && hasWildcard(f.Topic):
		f.Refusal = WildcardsNotSupported
	}
	return f, nil
}

// validFilter reports whether each wildcard fills its level and # is the last [MQTT-4.7.1-1] [MQTT-4.7.1-2].
func validFilter(topic []byte) bool {
	for i, b := range topic {
		if b != '#' && b != '+' {
			continue
		}
		starts := i == 0 || topic[i-1] == '/'
		last := i == len(topic)-1
		if !starts || !last && (b == '#' || topic[i+1] != '/') {
			return false
		}
	}
	return true
}

// options reads the byte behind a filter (section 3.8.3.1): before MQTT 5 only the QoS.
func (s *Session) options(f *Filter, b byte) error {
	qos := b & 3
	if s.level < 5 {
		if b > 2 { // 3.1.1 [MQTT-3.8.3-4]
			return violation(MalformedPacket, "subscription options")
		}
		f.QoS = min(qos, s.limits.MaxQoS)
		return nil
	}
	f.NoLocal, f.RetainAsPublished, f.RetainHandling = b&4 != 0, b&8 != 0, b>>4&3
	switch {
	case b>>6 != 0: // [MQTT-3.8.3-5]
		return violation(MalformedPacket, "reserved subscription options")
	case qos > 2 || f.RetainHandling > 2:
		return violation(ProtocolError, "subscription options")
	case f.NoLocal && f.Group != nil: // [MQTT-3.8.3-4]
		return violation(ProtocolError, "no local on a shared subscription")
	}
	f.QoS = min(qos, s.limits.MaxQoS)
	return nil
}

// SubAck answers a SUBSCRIBE, one code per filter in their order: the granted QoS, or a refusal, which older clients are
// told as 0x80. Call it when the subscriptions are live. The text is the Reason String, if any.
func (s *Session) SubAck(packetID uint16, codes []Reason, text string) {
	p := packets.Packet{PacketID: packetID, ReasonCodes: make([]byte, len(codes))}
	p.FixedHeader.Type = packets.Suback
	for i, code := range codes {
		if code.Failed() && s.level < 5 {
			code = UnspecifiedError
		}
		p.ReasonCodes[i] = byte(code)
	}
	s.answer(&p, text)
}

// UnsubAck answers an UNSUBSCRIBE, one code per filter in their order; older clients get the packet without codes. The
// text is the Reason String, if any.
func (s *Session) UnsubAck(packetID uint16, codes []Reason, text string) {
	p := packets.Packet{PacketID: packetID, ReasonCodes: make([]byte, len(codes))}
	p.FixedHeader.Type = packets.Unsuback
	for i, code := range codes {
		p.ReasonCodes[i] = byte(code)
	}
	s.answer(&p, text)
}

func (s *Session) answer(p *packets.Packet, text string) {
	if s.state != connected || s.requests == 0 {
		return
	}
	s.requests--
	if s.terse { // [MQTT-3.1.2-29]
		text = ""
	}
	if !s.writeExplained(p, text) { // [MQTT-3.1.2-24]
		s.end(Disconnected{Reason: PacketTooLarge, By: ByServer})
	}
}

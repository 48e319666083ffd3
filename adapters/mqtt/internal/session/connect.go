package session

import (
	"bytes"
	"math"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// NeverExpires is the Session Expiry Interval of a session that is kept until somebody deletes it.
const NeverExpires = math.MaxUint32

// Connect is a client's wish to begin (section 3.1). It is a copy; the Handler may keep it.
type Connect struct {
	Version           byte   // protocol level: 3, 4 or 5
	ClientID          string // empty when the server is to choose one
	CleanStart        bool   // Clean Session before MQTT 5
	KeepAlive         uint16 // seconds; 0 is none
	HasUserName       bool
	UserName          string
	HasPassword       bool
	Password          []byte
	Will              *Will  // nil without one
	SessionExpiry     uint32 // seconds after the connection's end; before MQTT 5: 0 with Clean Session, else NeverExpires
	ReceiveMaximum    uint16 // 65,535 unless the client says otherwise
	MaximumPacketSize uint32 // of what the client takes; 0 is no limit
	TopicAliasMaximum uint16
	AuthMethod        string // of enhanced authentication; empty without
	AuthData          []byte // nil without any
	WantsResponses    bool   // it asks for Response Information
	User              UserProperties
}

// A Will is published by the owner when Disconnected says so.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Delay      uint32 // seconds
	Properties Properties
}

// Features are what a server may leave out. MQTT 5 clients are told in CONNACK, and what they ask for all the same is
// refused for every version.
type Features struct {
	Retain              bool
	Wildcards           bool // subscriptions with + or #
	SubscriptionIDs     bool
	SharedSubscriptions bool // filters of the form $share/group/filter
}

// Accept is the owner's yes to a Connect. What the Limits set is announced from there.
type Accept struct {
	SessionPresent   bool
	AssignedClientID string // when the client left it to the server
	ServerKeepAlive  uint16 // seconds; 0 keeps the client's, within Limits.MaxKeepAlive
	// OverrideExpiry makes SessionExpiry the session's expiry, in place of what the client asked for.
	OverrideExpiry bool
	SessionExpiry  uint32
	Features       Features
	// Memory is what the session remembers of the client's earlier connections, when it goes on with it.
	Memory Memory
	// AuthData is what the method of the client's enhanced authentication adds; nil for nothing.
	AuthData []byte
	// ResponseInformation is where the client may have answers sent, when it asks [3.1.2.11.6]; empty is nothing.
	ResponseInformation string
}

// connect reads CONNECT. A client whose version is known hears why it is refused, as far as its protocol can say it.
func (s *Session) connect(f frame, body []byte) error {
	c := cursor{rest: body}
	name := string(c.text())
	level := c.byte()
	if c.bad || name != "MQTT" && name != "MQIsdp" { // [MQTT-3.1.2-1]
		return violation(ProtocolError, "protocol name")
	}
	s.level = 4 // the format of a refusal; bridges announce themselves by levels above 0x80 and speak 3.1.1
	if level > 4 && level < 0x80 {
		s.level = 5
	}
	if name == "MQIsdp" && level != 3 || name == "MQTT" && level != 4 && level != 5 { // [MQTT-3.1.2-2]
		return s.refuse(violation(UnsupportedVersion, "protocol level"))
	}
	s.level = level
	if f.padded && level == 5 {
		return s.refuse(violation(MalformedPacket, "remaining length is not in its shortest form"))
	}
	request, err := s.connectRequest(&c)
	if err != nil {
		return s.refuse(err)
	}
	s.state = deciding
	s.patience = 0
	s.handler.Connect(request)
	return nil
}

// connectRequest reads what follows the protocol level. The two flag bytes decide what comes, in a fixed order.
func (s *Session) connectRequest(c *cursor) (*Connect, error) {
	flags := c.byte()
	hasWill, willQoS, willRetain := flags&0x04 != 0, flags>>3&3, flags&0x20 != 0
	hasPassword, hasUserName := flags&0x40 != 0, flags&0x80 != 0
	switch {
	case flags&1 != 0: // [MQTT-3.1.2-3]
		return nil, violation(MalformedPacket, "reserved connect flag")
	case willQoS > 2 || !hasWill && (willQoS > 0 || willRetain): // [MQTT-3.1.2-11] to [MQTT-3.1.2-15]
		return nil, violation(MalformedPacket, "will flags")
	case s.level < 5 && hasPassword && !hasUserName: // 3.1.1 [MQTT-3.1.2-22]
		return nil, violation(MalformedPacket, "password without user name")
	}
	k := &Connect{Version: s.level, CleanStart: flags&2 != 0, HasUserName: hasUserName, HasPassword: hasPassword}
	k.KeepAlive = c.uint16()
	if err := s.connectProperties(c, k); err != nil {
		return nil, err
	}
	k.ClientID = string(c.text())
	if hasWill {
		k.Will = &Will{QoS: willQoS, Retain: willRetain}
		if err := s.will(c, k.Will); err != nil {
			return nil, err
		}
	}
	if hasUserName {
		k.UserName = string(c.text())
	}
	if hasPassword {
		k.Password = bytes.Clone(c.binary())
	}
	if c.bad || !c.empty() {
		return nil, violation(MalformedPacket, "CONNECT")
	}
	if k.ClientID == "" && (s.level == 3 || s.level == 4 && !k.CleanStart) { // 3.1.1 [MQTT-3.1.3-8]
		return nil, violation(ClientIDNotValid, "empty client id without clean session")
	}
	s.hasWill, s.retainsWill, s.keepAlive = hasWill, willRetain, k.KeepAlive
	s.mortal = s.level == 5 && k.SessionExpiry == 0
	s.sessionExpiry, s.clientMaximum = k.SessionExpiry, k.MaximumPacketSize
	s.window = min(int(k.ReceiveMaximum), s.limits.MaxUnacknowledged)
	s.aliasMaximum = min(k.TopicAliasMaximum, uint16(s.limits.TopicAliasMaximum))
	return k, nil
}

// connectProperties reads the properties of CONNECT (section 3.1.2.11), or sets what older versions mean.
func (s *Session) connectProperties(c *cursor, k *Connect) error {
	k.ReceiveMaximum = math.MaxUint16
	if s.level < 5 {
		if !k.CleanStart {
			k.SessionExpiry = NeverExpires
		}
		return nil
	}
	var r received
	if err := c.properties(connectProperties, &r); err != nil {
		return err
	}
	if r.seen.has(propAuthData) && !r.seen.has(propAuthMethod) {
		return violation(ProtocolError, "authentication data without a method")
	}
	if r.seen.has(propAuthMethod) && r.authMethod == "" {
		return violation(BadAuthentication, "empty authentication method")
	}
	s.authMethod, k.AuthMethod, k.AuthData = r.authMethod, r.authMethod, r.authData
	if r.seen.has(propReceiveMaximum) {
		k.ReceiveMaximum = r.receiveMaximum
	}
	k.SessionExpiry, k.MaximumPacketSize = r.sessionExpiry, r.maximumPacketSize
	k.TopicAliasMaximum, k.User = r.topicAliasMaximum, bytes.Clone(r.User)
	s.terse, k.WantsResponses = r.withoutProblems, r.wantsResponses
	return nil
}

// will reads the will's part of the payload (sections 3.1.3.2 to 3.1.3.4).
func (s *Session) will(c *cursor, w *Will) error {
	if s.level == 5 {
		var r received
		if err := c.properties(willProperties, &r); err != nil {
			return err
		}
		w.Delay, w.Properties = r.willDelay, r.Properties.Clone()
	}
	topic := c.text()
	w.Topic, w.Payload = string(topic), bytes.Clone(c.binary())
	if c.bad {
		return violation(MalformedPacket, "will")
	}
	if len(topic) == 0 || len(topic) > s.limits.MaxTopicLength || hasWildcard(topic) {
		return violation(TopicNameInvalid, "will topic")
	}
	if w.QoS > s.limits.MaxQoS {
		if s.level == 5 { // [MQTT-3.2.2-12]
			return violation(QoSNotSupported, "will QoS above the maximum")
		}
		w.QoS = s.limits.MaxQoS // an older client can't be told, as with the QoS that SUBACK grants
	}
	return nil
}

// AcceptConnect answers CONNECT with yes. It does nothing unless the session awaits that answer.
func (s *Session) AcceptConnect(a Accept) {
	if s.state != deciding {
		return
	}
	if s.retainsWill && !a.Features.Retain { // [MQTT-3.2.2-13]
		s.RefuseConnect(Notice{Code: RetainNotSupported})
		return
	}
	s.state = connected
	s.authenticating = false
	s.features = a.Features
	asked, most := s.keepAlive, uint16(s.limits.MaxKeepAlive/time.Second)
	if s.level == 5 {
		if a.ServerKeepAlive > 0 {
			s.keepAlive = a.ServerKeepAlive
		}
		if most > 0 && (s.keepAlive == 0 || s.keepAlive > most) {
			s.keepAlive = most
		}
	}
	if a.OverrideExpiry {
		s.sessionExpiry = a.SessionExpiry
	}
	s.listen()
	s.recall(a.Memory)
	p := packets.Packet{SessionPresent: a.SessionPresent && s.level > 3, Properties: packets.Properties{
		AssignedClientID:          a.AssignedClientID,
		AuthenticationMethod:      s.authMethod,
		AuthenticationData:        a.AuthData,
		ServerKeepAlive:           s.keepAlive,
		ServerKeepAliveFlag:       s.keepAlive != asked,
		SessionExpiryInterval:     a.SessionExpiry,
		SessionExpiryIntervalFlag: a.OverrideExpiry,
		ReceiveMaximum:            uint16(s.limits.MaxInflight),
		MaximumQos:                s.limits.MaxQoS,
		MaximumQosFlag:            s.limits.MaxQoS < 2, // section 3.2.2.3.4
		MaximumPacketSize:         uint32(s.limits.MaxPacketSize),
		TopicAliasMaximum:         uint16(s.limits.TopicAliasMaximum),
		RetainAvailableFlag:       true,
		RetainAvailable:           bit(a.Features.Retain),
		WildcardSubAvailableFlag:  true,
		WildcardSubAvailable:      bit(a.Features.Wildcards),
		SubIDAvailableFlag:        true,
		SubIDAvailable:            bit(a.Features.SubscriptionIDs),
		SharedSubAvailableFlag:    true,
		SharedSubAvailable:        bit(a.Features.SharedSubscriptions),
		ResponseInfo:              a.ResponseInformation,
	}}
	p.FixedHeader.Type = packets.Connack
	p.Mods.AllowResponseInfo = true // the owner gives some only to a client that asks [MQTT-3.1.2-28]
	if !s.write(&p) {               // [MQTT-3.1.2-24]
		s.end(Disconnected{Reason: PacketTooLarge, By: ByServer})
		return
	}
	s.releaseAgain()
}

// RefuseConnect answers CONNECT with no and ends the session. MQTT 3.1.1 clients get the return code that is nearest.
func (s *Session) RefuseConnect(n Notice) {
	if s.state == deciding || s.state == challenging {
		s.refuseWith(n)
		s.end(Disconnected{Reason: n.Code, By: ByServer})
	}
}

// refuse writes the CONNACK for a CONNECT that is wrong, when the client's version has a code for it: MQTT 5 for everything,
// 3.1.1 for the version and the client id. Everything else is closed without a word [3.1.1 MQTT-3.1.4-1].
func (s *Session) refuse(err error) error {
	v := err.(*Violation)
	if s.level == 5 || v.Reason == UnsupportedVersion || v.Reason == ClientIDNotValid {
		s.refuseWith(Notice{Code: v.Reason}) // how much the client takes is not known yet
	}
	return err
}

func (s *Session) refuseWith(n Notice) {
	p := packets.Packet{ReasonCode: byte(n.Code)}
	p.FixedHeader.Type = packets.Connack
	if s.level < 5 {
		p.ReasonCode = n.Code.returnCode()
	}
	s.writeNotice(&p, n)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

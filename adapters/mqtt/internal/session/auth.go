package session

import "github.com/mochi-mqtt/server/v2/packets"

// Enhanced authentication (section 4.12): CONNECT names a method, and data goes back and forth in AUTH packets until the
// owner lets the client in. A connected client may do the same again.

// Auth is what a client says in AUTH (section 3.15). It is a copy; the Handler may keep it.
type Auth struct {
	Again bool   // it begins to authenticate anew; else it answers a Challenge
	Data  []byte // nil without any
}

// auth reads AUTH.
func (s *Session) auth(body []byte) error {
	c, code := cursor{rest: body}, Success
	var r received
	if len(body) > 0 {
		code = Reason(c.byte())
		if err := c.properties(authProperties, &r); err != nil {
			return err
		}
	}
	answers := code == ContinueAuthentication && s.challenged
	begins := code == Reauthenticate && s.state == connected && !s.authenticating
	switch {
	case c.bad || !c.empty():
		return violation(MalformedPacket, "AUTH")
	case s.authMethod == "" || r.authMethod != s.authMethod: // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
		return violation(ProtocolError, "AUTH with another method than CONNECT")
	case !answers && !begins:
		return violation(ProtocolError, "AUTH at this time")
	}
	s.challenged, s.authenticating = false, true
	if s.state == challenging {
		s.state = deciding
		s.patience = 0
	}
	s.handler.Auth(Auth{Again: begins, Data: r.authData})
	return nil
}

// Challenge asks the client for more, in answer to a Connect with a method or to an Auth.
func (s *Session) Challenge(data []byte) {
	if s.state == deciding {
		s.state = challenging
		s.patience = s.limits.ConnectTimeout
	}
	s.challenged = true
	s.writeAuth(ContinueAuthentication, data)
}

// Authenticated tells a connected client that it has shown again who it is. A client that has not is told by Disconnect.
func (s *Session) Authenticated(data []byte) {
	s.authenticating = false
	s.writeAuth(Success, data)
}

func (s *Session) writeAuth(code Reason, data []byte) {
	if s.state == ended || s.authMethod == "" {
		return
	}
	p := packets.Packet{ReasonCode: byte(code), Properties: packets.Properties{
		AuthenticationMethod: s.authMethod, AuthenticationData: data,
	}}
	p.FixedHeader.Type = packets.Auth
	if !s.write(&p) { // [MQTT-3.1.2-24]
		s.end(Disconnected{Reason: PacketTooLarge, By: ByServer})
	}
}

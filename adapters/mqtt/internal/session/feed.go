package session

import "time"

const (
	// maxBacklog is how much more than one packet may be kept while the session is not Ready: what one read of the
	// transport and the kernel's buffers may still bring.
	maxBacklog = 64 << 10
	// maxUnflushed is how many bytes of control packets may wait for Flush before reading stops, so that a client that
	// asks without reading the answers can't fill memory.
	maxUnflushed = 64 << 10
	// keptBuffer is the largest buffer that a session keeps between packets, until its client is idle.
	keptBuffer = 1 << 10
)

// Feed takes bytes of the client, borrowed until it returns, and calls the Handler for every packet they complete. What is
// incomplete, or has to wait because the session is not Ready, is copied and kept; a transport that reads at most 64 KiB at
// a time and asks Ready before each read stays within that bound. Feed(now, nil) goes on with what waits.
//
// An error is a *Violation of the client: the session has ended, the answer waits in Flush. Bytes after the end are ignored.
func (s *Session) Feed(now time.Time, p []byte) error {
	if s.state == ended {
		return nil
	}
	s.deaf = false // unless it still is, which parse finds out
	if err := s.parse(p); err != nil {
		return s.fail(err)
	}
	if len(p) > 0 && s.state != fresh {
		s.since = now
	}
	return nil
}

// parse handles all whole packets in what was kept followed by p, straight from p where it can.
func (s *Session) parse(p []byte) error {
	for len(s.in) > 0 {
		used, want, err := s.packets(s.in)
		if err != nil || s.state == ended {
			return err
		}
		s.in = s.in[:copy(s.in, s.in[used:])]
		if len(s.in) == 0 {
			break
		}
		if want == 0 || len(p) == 0 {
			return s.keep(p)
		}
		n := min(want, len(p))
		s.in = append(s.in, p[:n]...)
		p = p[n:]
	}
	used, _, err := s.packets(p)
	if err != nil || s.state == ended {
		return err
	}
	return s.keep(p[used:])
}

// keep copies p behind what is already kept.
func (s *Session) keep(p []byte) error {
	if len(s.in)+len(p) > s.packetLimit()+maxBacklog {
		return violation(QuotaExceeded, "more bytes than the session can keep while it is not ready")
	}
	s.in = append(s.in, p...)
	if len(s.in) == 0 && cap(s.in) > keptBuffer {
		s.in = nil
	}
	s.deaf = s.deaf || !s.Ready()
	return nil
}

// packets handles the whole packets at the start of b. It tells how many bytes it used and how many more it wants at
// least to finish the next packet: 0 when that is not what keeps it from going on.
func (s *Session) packets(b []byte) (used, want int, err error) {
	for used < len(b) {
		if s.stalled() {
			s.deaf = true
			return used, 0, nil
		}
		f, err := s.frame(b[used:])
		if err != nil {
			return used, 0, err
		}
		if have := len(b) - used; have < f.size {
			return used, f.size - have, nil
		}
		body := b[used+f.header : used+f.size : used+f.size]
		if f.kind() == publishPacket {
			full, err := s.publish(f, body)
			if err != nil {
				return used, 0, err
			}
			if full {
				s.deaf = true
				return used, 0, nil
			}
		} else if err := s.control(f, body); err != nil {
			return used, 0, err
		}
		used += f.size
		if s.state == ended {
			return used, 0, nil
		}
	}
	return used, 0, nil
}

// Packet types (section 2.1.2).
const (
	connectPacket     = 1
	connackPacket     = 2
	publishPacket     = 3
	pubackPacket      = 4
	pubrecPacket      = 5
	pubrelPacket      = 6
	pubcompPacket     = 7
	subscribePacket   = 8
	subackPacket      = 9
	unsubscribePacket = 10
	unsubackPacket    = 11
	pingreqPacket     = 12
	pingrespPacket    = 13
	disconnectPacket  = 14
	authPacket        = 15
)

// frame is the fixed header of a packet (section 2.1). While the header is incomplete, size is one byte more than there is.
type frame struct {
	first  byte // type and flags
	padded bool // the remaining length is longer than it need be
	header int  // bytes of the fixed header
	size   int  // bytes of the whole packet
}

func (f frame) kind() byte  { return f.first >> 4 }
func (f frame) flags() byte { return f.first & 0x0F }

// frame reads the fixed header at the start of b, which is not empty, and refuses what need not be read further.
func (s *Session) frame(b []byte) (frame, error) {
	f := frame{first: b[0], size: len(b) + 1}
	if err := s.expected(f); err != nil {
		return f, err
	}
	remaining, n, shortest := varint(b[1:])
	if n < 0 {
		return f, violation(MalformedPacket, "remaining length")
	}
	if n == 0 {
		return f, nil
	}
	f.padded, f.header, f.size = !shortest, 1+n, 1+n+int(remaining)
	if f.padded && s.level == 5 { // [MQTT-1.5.5-1]; 3.1.1 has no such rule
		return f, violation(MalformedPacket, "remaining length is not in its shortest form")
	}
	if f.size > s.packetLimit() {
		return f, violation(PacketTooLarge, "larger than the maximum packet size")
	}
	return f, nil
}

// packetLimit stays low until the owner has let the client in.
func (s *Session) packetLimit() int {
	if s.state < connected {
		return s.limits.MaxPacketSizeBeforeConnect
	}
	return s.limits.MaxPacketSize
}

// expected judges a packet by its first byte: CONNECT comes first and only once [MQTT-3.1.0-1] [MQTT-3.1.0-2], and reserved
// flags are as the specification has them [MQTT-2.1.3-1].
func (s *Session) expected(f frame) error {
	kind := f.kind()
	switch {
	case s.state == fresh && kind != connectPacket:
		return violation(ProtocolError, "packet before CONNECT")
	case s.state == challenging && kind != authPacket && kind != disconnectPacket:
		return violation(ProtocolError, "packet before the end of the authentication")
	case s.state != fresh && kind == connectPacket:
		return violation(ProtocolError, "second CONNECT")
	case kind == 0 || kind == authPacket && s.level < 5:
		return violation(MalformedPacket, "reserved packet type")
	}
	switch kind {
	case publishPacket:
		return nil
	case subscribePacket, unsubscribePacket, pubrelPacket:
		if f.flags() != 2 {
			return violation(MalformedPacket, "reserved flags")
		}
	default:
		if f.flags() != 0 {
			return violation(MalformedPacket, "reserved flags")
		}
	}
	return nil
}

// control handles every packet but PUBLISH.
func (s *Session) control(f frame, body []byte) error {
	switch f.kind() {
	case connectPacket:
		return s.connect(f, body)
	case pubackPacket:
		return s.puback(body)
	case pubrecPacket:
		return s.pubrec(body)
	case pubrelPacket:
		return s.pubrel(body)
	case pubcompPacket:
		return s.pubcomp(body)
	case subscribePacket:
		return s.subscribe(body)
	case unsubscribePacket:
		return s.unsubscribe(body)
	case pingreqPacket:
		return s.pingreq(body)
	case disconnectPacket:
		return s.disconnect(body)
	case authPacket:
		return s.auth(body)
	default:
		return violation(ProtocolError, "packet that only a server sends")
	}
}

// stalled reports whether packets have to wait: for the owner's word, or for room in the output.
func (s *Session) stalled() bool {
	return s.state == ended || s.state == deciding || s.held || len(s.out) >= maxUnflushed || s.requests >= s.limits.MaxRequests
}

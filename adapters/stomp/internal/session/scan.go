package session

import (
	"bytes"
	"strconv"

	"github.com/go-stomp/stomp/v3/frame"
)

// scan is how far a frame has been looked at. It goes on where it stopped when more of the frame has come.
type scan struct {
	command  string
	pos      int // octets that need not be looked at again
	line     int // where the current line starts
	headers  int
	body     int  // where the body starts; 0 before that is known
	length   int  // of the body, if measured
	measured bool // there is a content-length
}

// maxCommand is more than the longest command has.
const maxCommand = 16

// scanFrame finds the end of the frame at the start of b. It refuses a frame that will be beyond a limit as soon as that
// shows, and one whose head could not be read. size is 0 while there is no end.
func (s *Session) scanFrame(b []byte) (size int, refusal *Refusal) {
	c := &s.scan
	for c.body == 0 {
		i := bytes.IndexByte(b[c.pos:], '\n')
		if i < 0 {
			c.pos = len(b)
			return 0, s.boundHead(c.pos - c.line)
		}
		line := b[c.line : c.pos+i]
		c.pos += i + 1
		refusal := s.boundHead(len(line))
		if refusal == nil {
			refusal = s.scanLine(bytes.TrimSuffix(line, []byte{'\r'}))
		}
		if refusal != nil {
			return 0, refusal
		}
		c.line = c.pos
	}
	return s.scanBody(b)
}

// boundHead bounds the head of the frame and its current line, of which there are n octets.
func (s *Session) boundHead(n int) *Refusal {
	switch c := &s.scan; {
	case c.command == "" && n > maxCommand:
		return refuse(Malformed, "this is no command of STOMP")
	case n > s.limits.MaxHeaderLine:
		return refuse(TooLarge, "a header has more than %d octets (stomp.maxHeaderLine)", s.limits.MaxHeaderLine)
	case s.state == fresh && c.pos > s.limits.MaxHeaderBytesBeforeConnect:
		return refuse(TooLarge, "the headers have more than %d octets (stomp.maxHeaderBytesBeforeConnect)",
			s.limits.MaxHeaderBytesBeforeConnect)
	case c.pos > s.limits.MaxHeaderBytes:
		return refuse(TooLarge, "the headers have more than %d octets (stomp.maxHeaderBytes)", s.limits.MaxHeaderBytes)
	}
	return nil
}

// scanLine looks at a line of the head.
func (s *Session) scanLine(line []byte) *Refusal {
	c := &s.scan
	if c.command == "" {
		c.command = string(line)
		return s.expected(c.command)
	}
	if len(line) == 0 {
		c.body = c.pos
		return nil
	}
	if c.headers++; c.headers > s.limits.MaxHeaders {
		return refuse(Quota, "the frame has more than %d headers (stomp.maxHeaders)", s.limits.MaxHeaders)
	}
	name, value, ok := bytes.Cut(line, []byte{':'})
	switch {
	case !ok || len(name) == 0:
		return refuse(Malformed, "a header is not name:value")
	case bytes.IndexByte(line, 0) >= 0:
		return refuse(Malformed, "a frame ends within its headers")
	case string(name) == frame.ContentLength && !c.measured:
		return s.measure(value)
	}
	return s.version.checkHeader(line)
}

// expected judges a frame by its command: CONNECT comes first and only once.
func (s *Session) expected(command string) *Refusal {
	switch command {
	case frame.CONNECT, frame.STOMP:
		if s.state != fresh {
			return refuse(Malformed, "a second CONNECT")
		}
		return nil
	case frame.SEND, frame.SUBSCRIBE, frame.UNSUBSCRIBE, frame.ACK, frame.BEGIN, frame.COMMIT, frame.ABORT, frame.DISCONNECT:
	case frame.NACK:
		if s.version == V10 {
			return refuse(Malformed, "STOMP 1.0 has no NACK")
		}
	default:
		return refuse(Malformed, "this is no command of a STOMP client")
	}
	if s.state == fresh {
		return refuse(Malformed, "a frame before CONNECT")
	}
	return nil
}

// measure reads a content-length. The first one counts, as with all headers.
func (s *Session) measure(value []byte) *Refusal {
	n, err := strconv.ParseUint(string(value), 10, 32)
	if err != nil {
		return refuse(Malformed, "content-length is no number of octets")
	}
	s.scan.length, s.scan.measured = int(n), true
	return s.boundBody(int(n))
}

// boundBody bounds the body. Only SEND may have one (STOMP 1.2, "Body").
func (s *Session) boundBody(n int) *Refusal {
	switch {
	case n > 0 && s.scan.command != frame.SEND:
		return refuse(Malformed, "%s has no body", s.scan.command)
	case n > s.limits.MaxBody:
		return refuse(TooLarge, "the body has more than %d octets (stomp.maxBody)", s.limits.MaxBody)
	}
	return nil
}

// scanBody finds the end of the body: the NUL after its length or, without one, the first.
func (s *Session) scanBody(b []byte) (size int, refusal *Refusal) {
	c := &s.scan
	if c.measured {
		end := c.body + c.length
		switch {
		case len(b) <= end:
			return 0, nil
		case b[end] != 0:
			return 0, refuse(Malformed, "no NUL follows the body of content-length octets")
		}
		return end + 1, nil
	}
	i := bytes.IndexByte(b[c.pos:], 0)
	if i < 0 {
		c.pos = len(b)
		return 0, s.boundBody(c.pos - c.body)
	}
	end := c.pos + i
	return end + 1, s.boundBody(end - c.body)
}

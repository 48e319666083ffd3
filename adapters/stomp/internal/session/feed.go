package session

import (
	"bytes"
	"io"
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

const (
	// maxBacklog is how much more than one frame may be kept while the session is not Ready: what one read of the
	// transport and the kernel's buffers may still bring.
	maxBacklog = 64 << 10
	// maxUnflushed is how many octets may wait for Flush before reading stops, so that a client that asks without
	// reading the answers cannot fill memory.
	maxUnflushed = 64 << 10
	// keptBuffer is the largest buffer that a session keeps between frames.
	keptBuffer = 1 << 10
)

// Feed takes bytes of the client, borrowed until it returns, and calls the Handler for every frame they complete. What is
// incomplete, or has to wait because the session is not Ready, is copied and kept; a transport that reads at most 64 KiB
// at a time and asks Ready before each read stays within that bound. Feed(now, nil) goes on with what waits.
//
// A frame that breaks a rule makes the session leave with an ERROR. Bytes after that are ignored.
func (s *Session) Feed(now time.Time, p []byte) {
	if s.state >= leaving {
		return
	}
	if len(p) > 0 || s.beats.deaf {
		s.beats.heard = now
	}
	if len(s.in)+len(p) > s.limits.MaxHeaderBytes+s.limits.MaxBody+maxBacklog {
		s.violate(now, refuse(Quota, "more octets than the session can keep while it is not ready"))
		return
	}
	b := p
	if len(s.in) > 0 {
		s.in = append(s.in, p...)
		b = s.in
	}
	used, refusal := s.frames(now, b)
	if refusal != nil {
		s.violate(now, refusal)
	}
	if used > 0 || len(s.in) == 0 || s.state >= leaving {
		s.keep(b[used:])
	}
	s.beats.deaf = s.stalled()
}

// keep copies what has not been parsed.
func (s *Session) keep(rest []byte) {
	if s.state >= leaving || len(rest) == 0 && cap(s.in) > keptBuffer {
		s.in = nil
		return
	}
	s.in = append(s.in[:0], rest...)
}

// stalled reports whether frames have to wait: for the owner, its answers, or for room in the output.
func (s *Session) stalled() bool {
	return s.held || s.state == deciding || s.state >= leaving || len(s.out) >= maxUnflushed ||
		len(s.requests) >= s.limits.MaxInflight || s.inflight >= s.limits.MaxInflightBytes
}

// frames handles the whole frames at the start of b, and the ends of lines between them, which are heart-beats. It tells
// how many octets it used.
func (s *Session) frames(now time.Time, b []byte) (used int, refusal *Refusal) {
	for used < len(b) && !s.stalled() {
		n, refusal := s.endOfLine(b[used:])
		if n == 0 && refusal == nil {
			n, refusal = s.frame(now, b[used:])
		}
		if n == 0 || refusal != nil {
			return used, refusal
		}
		used += n
	}
	return used, nil
}

// endOfLine gives the length of an end of line at the start of b where a frame could start: LF or, since STOMP 1.2,
// CR LF.
func (s *Session) endOfLine(b []byte) (n int, refusal *Refusal) {
	switch {
	case s.scan.pos > 0 || b[0] != '\n' && b[0] != '\r':
		return 0, nil
	case b[0] == '\n':
		return 1, nil
	case len(b) == 1:
		return 0, nil
	case b[1] == '\n':
		return 2, nil
	}
	return 0, refuse(Malformed, "a carriage return without a line feed")
}

// frame handles the frame at the start of b. n is 0 while that is not whole. A frame that was read and is wrong ends the
// session here; the refusal is of one that cannot be read.
func (s *Session) frame(now time.Time, b []byte) (n int, refusal *Refusal) {
	if len(b) == 1 && b[0] == '\r' {
		return 0, nil
	}
	n, refusal = s.scanFrame(b)
	if n == 0 || refusal != nil {
		return 0, refusal
	}
	f, err := s.decode(b[:n])
	s.scan = scan{}
	if err != nil {
		return 0, refuse(Malformed, "%v", err)
	}
	if refusal := s.handle(now, f); refusal != nil {
		s.leave(now, f.Header.Get(frame.Receipt), refusal)
	}
	return n, nil
}

// decode reads a frame that is whole and within bounds. Where a backslash is no escape it is doubled, as the codec takes
// it for one.
func (s *Session) decode(raw []byte) (*frame.Frame, error) {
	head := raw[:s.scan.body]
	if !s.version.escapes() && bytes.IndexByte(head, '\\') >= 0 {
		raw = append(bytes.ReplaceAll(head, []byte(`\`), []byte(`\\`)), raw[s.scan.body:]...)
	}
	if s.codec == nil {
		s.codec = frame.NewReaderSize(&s.whole, codecBuffer)
	}
	s.whole.rest = raw
	defer func() { s.whole.rest = nil }()
	return s.codec.Read()
}

// codecBuffer is the codec's buffer: about the size of a header. Longer lines are gathered, bodies are read without it.
const codecBuffer = 128

// whole is one frame that the codec reads. It ends with the frame, so that the codec never reads ahead.
type whole struct{ rest []byte }

// Read implements io.Reader.
func (w *whole) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Flush appends what is to be written: answers, then messages that the Handler has for the client.
func (s *Session) Flush(dst []byte) []byte {
	control := s.out
	s.out = append(dst, control...)
	if s.state == connected {
		s.handler.Fill()
	}
	written := s.out
	if s.out = control[:0]; cap(control) > keptBuffer {
		s.out = nil
	}
	s.beats.spoke = s.beats.spoke || len(written) > len(dst)
	return written
}

package amqp

import (
	"encoding/binary"
	"unicode/utf8"
)

// BodyScanner checks what follows the head of a message while it comes in, as [ParseMessage] does with a whole message, and
// keeps next to nothing of it. It knows the bodies that may be large: data [3.2.6], and a value [3.2.8] that is a
// binary or a string. Any other has to be checked whole. The zero BodyScanner is ready.
type BodyScanner struct {
	latest uint64 // descriptor of the section that was begun last, 0 before the first
	left   uint64 // octets of its value that are still to come
	text   bool   // its value is a string
	rune   []byte // beginning of a character of that string
	start  []byte // beginning of the next section, or all there is of a footer
	offset int
}

const (
	maxSectionStart = 64       // octets up to the value of a section, with the longest descriptor
	maxFooter       = 64 << 10 // octets of a footer, which is kept until it is all there
)

// Scan checks the next octets, which it does not keep. The error is a [*DecodeError]; after one the scanner is of no use.
func (s *BodyScanner) Scan(p []byte) error {
	for len(p) > 0 {
		n, reason := 1, ""
		if s.left > 0 {
			n = int(min(s.left, uint64(len(p))))
			s.left -= uint64(n)
			reason = s.scanValue(p[:n])
		} else {
			s.start = append(s.start, p[0])
			reason = s.scanStart()
		}
		if reason != "" {
			return &DecodeError{Offset: s.offset, Reason: reason}
		}
		s.offset += n
		p = p[n:]
	}
	return nil
}

// Complete tells whether the message may end here.
func (s *BodyScanner) Complete() bool { return s.latest != 0 && s.left == 0 && len(s.start) == 0 }

// scanStart looks at the beginning of a section as far as it is there. It gives what is wrong with it, or "".
func (s *BodyScanner) scanStart() (reason string) {
	d := NewDecoder(s.start)
	descriptor := d.ReadDescriptor()
	if d.err != nil || len(s.start) < d.off+2 {
		if len(s.start) < maxSectionStart {
			return ""
		}
		return "section is unknown"
	}
	if reason := misplaced(max(s.latest, DescriptorApplicationProperties), descriptor); reason != "" {
		return reason
	}
	c := Code(s.start[d.off])
	if c.wide() && len(s.start) < d.off+5 {
		return ""
	}
	left := uint64(s.start[d.off+1])
	if c.wide() {
		left = uint64(binary.BigEndian.Uint32(s.start[d.off+1:]))
	}
	switch {
	case descriptor == DescriptorFooter:
		if left > maxFooter {
			return "footer is too large for a message that is checked in pieces"
		}
		return s.scanFooter()
	case c.isBinary() && descriptor != DescriptorSequence, c.isString() && descriptor == DescriptorValue:
		s.latest, s.left, s.text, s.start = descriptor, left, c.isString(), s.start[:0]
		return ""
	}
	return "body cannot be checked in pieces"
}

// scanFooter checks the footer once it is all there.
func (s *BodyScanner) scanFooter() (reason string) {
	d := NewDecoder(s.start)
	descriptor := d.ReadDescriptor()
	if c := d.Peek(); !c.isMap() {
		return "footer is no map"
	}
	if encodedLen(s.start[d.off:], MaxDepth) < 0 {
		return ""
	}
	d.checkSection(descriptor)
	if d.err != nil {
		return "footer is not valid"
	}
	s.latest, s.start = descriptor, s.start[:0]
	return ""
}

// scanValue checks octets of the latest section's value, of which left are still to come.
func (s *BodyScanner) scanValue(p []byte) (reason string) {
	if !s.text {
		return ""
	}
	for len(s.rune) > 0 && len(p) > 0 {
		s.rune = append(s.rune, p[0])
		p = p[1:]
		if utf8.FullRune(s.rune) {
			if !utf8.Valid(s.rune) {
				return "string is not valid UTF-8"
			}
			s.rune = s.rune[:0]
		}
	}
	cut := len(p)
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if utf8.RuneStart(p[len(p)-i]) {
			if !utf8.FullRune(p[len(p)-i:]) {
				cut = len(p) - i
			}
			break
		}
	}
	s.rune = append(s.rune, p[cut:]...)
	if !utf8.Valid(p[:cut]) || s.left == 0 && len(s.rune) > 0 {
		return "string is not valid UTF-8"
	}
	return ""
}

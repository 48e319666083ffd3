package dtls

import (
	"crypto/cipher"
	"encoding/binary"
	"slices"
)

// The kinds of records (RFC 5246 section 6.2.1, RFC 9146 section 4).
const (
	kindChangeCipherSpec byte = 20
	kindAlert            byte = 21
	kindHandshake        byte = 22
	kindData             byte = 23
	kindConnectionID     byte = 25
)

const (
	versionMajor      = 0xFE
	version12    byte = 0xFD // DTLS 1.2, as the minor part
	version10    byte = 0xFF // DTLS 1.0, which a first ClientHello and HelloVerifyRequest may carry
)

const (
	recordHeader = 13
	explicit     = 8            // octets of the nonce that travel with the record (RFC 5288 section 3)
	maxSequence  = 1<<48 - 1    // of an epoch
	maxPlaintext = 1 << 14      // RFC 6347 section 4.3.1
	maxRecord    = 1<<14 + 2048 // encrypted
)

// connectionID is ours of a session; the zero value is none.
type connectionID [8]byte

// record is one record of a datagram (RFC 6347 section 4.3.1).
type record struct {
	kind     byte
	epoch    uint16
	sequence uint64
	id       connectionID
	body     []byte // a part of the datagram
}

// nextRecord takes the first record off a datagram.
func nextRecord(p []byte) (r record, rest []byte, ok bool) {
	if len(p) < recordHeader || p[1] != versionMajor || p[2] != version12 && p[2] != version10 {
		return record{}, nil, false
	}
	r.kind = p[0]
	r.epoch = binary.BigEndian.Uint16(p[3:])
	r.sequence = binary.BigEndian.Uint64(p[3:]) & maxSequence
	header := recordHeader
	if r.kind == kindConnectionID {
		header += len(r.id)
		if len(p) < header {
			return record{}, nil, false
		}
		copy(r.id[:], p[11:])
	}
	length := int(binary.BigEndian.Uint16(p[header-2:]))
	if length > maxRecord || length > len(p)-header {
		return record{}, nil, false
	}
	r.body = p[header : header+length]
	return r, p[header+length:], true
}

// appendRecord appends a record that is not encrypted.
func appendRecord(dst []byte, kind, version byte, sequence uint64, body []byte) []byte {
	dst = append(dst, kind, versionMajor, version)
	dst = binary.BigEndian.AppendUint64(dst, sequence)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)))
	return append(dst, body...)
}

// protection encrypts one direction of a session. All cipher suites here are built alike: a nonce of 4 secret octets
// and 8 that travel (RFC 5288, RFC 6655).
type protection struct {
	aead    cipher.AEAD
	salt    [4]byte
	scratch *scratch
}

// scratch is where nonces and additional data are made. The sessions of a server share it, as it has one owner at a
// time.
type scratch struct {
	nonce [12]byte
	extra [maxExtra]byte
}

// epochBits is the epoch of everything that is encrypted, above a sequence number. There is no renegotiation.
const epochBits = 1 << 48

// seal appends an encrypted record. id is the peer's connection id; empty for none.
func (p *protection) seal(dst []byte, kind byte, sequence uint64, id, content []byte) []byte {
	number := epochBits | sequence
	inner := len(content)
	outer := kind
	if len(id) > 0 {
		outer, inner = kindConnectionID, inner+1 // the true kind is encrypted too (RFC 9146 section 4)
	}
	dst = slices.Grow(dst, recordHeader+len(id)+explicit+inner+p.aead.Overhead())
	dst = append(dst, outer, versionMajor, version12)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = append(dst, id...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(explicit+inner+p.aead.Overhead()))
	dst = binary.BigEndian.AppendUint64(dst, number)
	start := len(dst)
	dst = append(dst, content...)
	if len(id) > 0 {
		dst = append(dst, kind)
	}
	extra := additional(p.scratch.extra[:0], outer, number, id, inner)
	sealed := p.aead.Seal(dst[start:start], p.nonce(number), dst[start:], extra)
	return dst[:start+len(sealed)]
}

// open decrypts a record in place, and gives its true kind.
func (p *protection) open(r record) (kind byte, content []byte, ok bool) {
	inner := len(r.body) - explicit - p.aead.Overhead()
	if inner < 0 || inner > maxPlaintext+1 {
		return 0, nil, false
	}
	var id []byte
	if r.kind == kindConnectionID {
		id = r.id[:]
	}
	extra := additional(p.scratch.extra[:0], r.kind, uint64(r.epoch)<<48|r.sequence, id, inner)
	nonce := p.nonce(binary.BigEndian.Uint64(r.body))
	body := r.body[explicit:]
	content, err := p.aead.Open(body[:0], nonce, body, extra)
	if err != nil {
		return 0, nil, false
	}
	if r.kind != kindConnectionID {
		return r.kind, content, true
	}
	// Zeros may pad the content; the last octet that is none is its kind.
	for n := len(content) - 1; n >= 0; n-- {
		if content[n] != 0 {
			return content[n], content[:n], true
		}
	}
	return 0, nil, false
}

func (p *protection) nonce(travelling uint64) []byte {
	n := p.scratch.nonce[:]
	copy(n, p.salt[:])
	binary.BigEndian.PutUint64(n[len(p.salt):], travelling)
	return n
}

// maxExtra is how long the additional data is at most: with a connection id of 255 octets.
const maxExtra = 8 + 1 + 1 + 1 + 2 + 8 + 255 + 2

// additional appends what is authentic along with the content (RFC 5246 section 6.2.3.3, RFC 9146 section 5.3).
func additional(dst []byte, kind byte, number uint64, id []byte, length int) []byte {
	if len(id) == 0 {
		dst = binary.BigEndian.AppendUint64(dst, number)
		dst = append(dst, kind, versionMajor, version12)
		return binary.BigEndian.AppendUint16(dst, uint16(length))
	}
	dst = append(dst, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
	dst = append(dst, kindConnectionID, byte(len(id)), kindConnectionID, versionMajor, version12)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = append(dst, id...)
	return binary.BigEndian.AppendUint16(dst, uint16(length))
}

// window remembers which records have been taken (RFC 6347 section 4.1.2.6).
type window struct {
	next uint64 // one above the highest
	seen uint64 // bit n is the record next-1-n
}

// fresh tells whether a record may be taken.
func (w *window) fresh(sequence uint64) bool {
	if sequence >= w.next {
		return true
	}
	back := w.next - 1 - sequence
	return back < 64 && w.seen&(1<<back) == 0
}

// take notes an authentic record, and tells whether it is the newest.
func (w *window) take(sequence uint64) (newest bool) {
	if sequence < w.next {
		w.seen |= 1 << (w.next - 1 - sequence)
		return false
	}
	w.seen = w.seen<<(sequence+1-w.next) | 1
	w.next = sequence + 1
	return true
}

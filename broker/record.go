package broker

import (
	"encoding/binary"
	"errors"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// A stored delivery is: when it expires and, if it says so in the flags, when it is due (uvarints, Unix milliseconds),
// the length of its address (uvarint), the address, and the encoded message. What is a matter of yes or no stands in the
// record's flags, too. In a queue its facts go before it, see facts.go.
const (
	flagRetain  = 1 << 0
	flagSettled = 1 << 1
	flagDue     = 1 << 2
	flagKey     = 1 << 3 // before schema 4: the time it came and its key go before it
	flagFacts   = 1 << 4 // its facts go before its address and the message
)

var errRecord = errors.New("the stored delivery cannot be read")

func flagsOf(d router.Delivery) (flags byte) {
	if d.Retain {
		flags |= flagRetain
	}
	if d.Settled || d.Unasked {
		flags |= flagSettled
	}
	if d.Due > 0 {
		flags |= flagDue
	}
	return flags
}

func appendRecord(dst []byte, d router.Delivery) []byte {
	dst = binary.AppendUvarint(dst, uint64(max(d.Expires, 0)))
	if d.Due > 0 {
		dst = binary.AppendUvarint(dst, uint64(d.Due))
	}
	dst = binary.AppendUvarint(dst, uint64(len(d.To)))
	dst = append(dst, d.To...)
	return append(dst, d.Message.Bytes()...)
}

// parseRecord reverses appendRecord. It copies what it keeps of value, whose checksum the store has checked.
func parseRecord(flags byte, value []byte) (router.Delivery, error) {
	r := fields{rest: value}
	expires, due := r.number(), uint64(0)
	if flags&flagDue != 0 {
		due = r.number()
	}
	to := r.text()
	if r.failed {
		return router.Delivery{}, errRecord
	}
	return router.Delivery{
		Message: amqp.Trusted(append([]byte(nil), r.rest...)),
		To:      addressing.Address(to),
		Expires: int64(expires),
		Due:     int64(due),
		Retain:  flags&flagRetain != 0,
		Settled: flags&flagSettled != 0,
	}, nil
}

// fields reads the parts of a record one after the other.
type fields struct {
	rest   []byte
	failed bool
}

func (r *fields) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *fields) byte() byte {
	if len(r.rest) == 0 {
		r.failed = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *fields) text() string {
	length := r.number()
	if r.failed || length > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	text := string(r.rest[:length])
	r.rest = r.rest[length:]
	return text
}

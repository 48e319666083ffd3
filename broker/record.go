package broker

import (
	"encoding/binary"
	"errors"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// A stored delivery is: when it expires and, if it says so in the flags, when it is due (uvarints, Unix milliseconds),
// the length of its address (uvarint), the address, and the encoded message. What is a matter of yes or no stands in the
// record's flags, too.
const (
	flagRetain  = 1 << 0
	flagSettled = 1 << 1
	flagDue     = 1 << 2
)

var errRecord = errors.New("the stored delivery cannot be read")

func flagsOf(d router.Delivery) (flags byte) {
	if d.Retain {
		flags |= flagRetain
	}
	if d.Settled {
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
	expires, n := binary.Uvarint(value)
	if n <= 0 {
		return router.Delivery{}, errRecord
	}
	value = value[n:]
	var due uint64
	if flags&flagDue != 0 {
		if due, n = binary.Uvarint(value); n <= 0 {
			return router.Delivery{}, errRecord
		}
		value = value[n:]
	}
	length, n := binary.Uvarint(value)
	if n <= 0 || length > uint64(len(value)-n) {
		return router.Delivery{}, errRecord
	}
	value = value[n:]
	m := amqp.Trusted(append([]byte(nil), value[length:]...))
	return router.Delivery{
		Message: m,
		To:      addressing.Address(value[:length]),
		Expires: int64(expires),
		Due:     int64(due),
		Retain:  flags&flagRetain != 0,
		Settled: flags&flagSettled != 0,
	}, nil
}

// entryOf gives what a queue has to know of a delivery, its message group included if that is asked for.
func entryOf(d router.Delivery, groups bool) queue.Entry {
	e := queue.Entry{
		Size: d.Message.Len(), Priority: queue.DefaultPriority, Expires: d.Expires, Due: d.Due,
	}
	if h, err := d.Message.Header(); err == nil {
		e.Priority = h.Priority
	}
	if groups {
		group, _ := d.Message.Property(amqp.PropertyGroupID).Text()
		e.Group = string(group)
	}
	return e
}

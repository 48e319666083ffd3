package broker

import (
	"encoding/binary"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// facts are what a queue knows of a message without looking into it, and all that recovery reads of it. On disk they are:
// when it came, when it expires and when it is due (uvarints, Unix milliseconds), its priority (a byte), its size (uvarint),
// its group and its last-value key, each after its length (uvarint). With its address, likewise, they are the head of its
// record, and the message is the body.
type facts struct {
	since int64 // 0 when it is not known
	entry queue.Entry
}

// appendHead adds what goes before a message that is stored for a queue.
func (f facts) appendHead(dst []byte, to addressing.Address) []byte {
	dst = binary.AppendUvarint(dst, uint64(f.since))
	dst = binary.AppendUvarint(dst, uint64(max(f.entry.Expires, 0)))
	dst = binary.AppendUvarint(dst, uint64(max(f.entry.Due, 0)))
	dst = append(dst, f.entry.Priority)
	dst = binary.AppendUvarint(dst, uint64(f.entry.Size))
	for _, text := range [...]string{f.entry.Group, f.entry.Key, string(to)} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	return dst
}

func readFacts(r *fields) (f facts) {
	f.since = int64(r.number())
	f.entry.Expires, f.entry.Due = int64(r.number()), int64(r.number())
	f.entry.Priority = r.byte()
	f.entry.Size = int(r.number())
	f.entry.Group, f.entry.Key = r.text(), r.text()
	return f
}

// parseFacts gives the facts of a message from its head, or from the whole of it, which it is to be when an older version
// has written it.
func parseFacts(flags byte, value []byte) (facts, error) {
	if flags&flagFacts == 0 {
		return parseOldFacts(flags, value)
	}
	r := fields{rest: value}
	f := readFacts(&r)
	if r.failed {
		return facts{}, errRecord
	}
	return f, nil
}

// parseOldFacts finds them in a message that was stored before schema 4.
func parseOldFacts(flags byte, value []byte) (facts, error) {
	since, key, value, err := cutKey(flags, value)
	if err != nil {
		return facts{}, err
	}
	d, err := parseRecord(flags, value)
	if err != nil {
		return facts{}, err
	}
	return facts{since, entryOf(d, key)}, nil
}

// cutKey takes off what went before a delivery until schema 4.
func cutKey(flags byte, value []byte) (since int64, key string, rest []byte, err error) {
	if flags&flagKey == 0 {
		return 0, "", value, nil
	}
	r := fields{rest: value}
	since, key = int64(r.number()), r.text()
	if r.failed {
		return 0, "", nil, errRecord
	}
	return since, key, r.rest, nil
}

// parseStored gives the delivery that a queue has stored. It copies what it keeps of value.
func parseStored(flags byte, value []byte) (router.Delivery, error) {
	if flags&flagFacts == 0 {
		_, _, value, err := cutKey(flags, value)
		if err != nil {
			return router.Delivery{}, err
		}
		return parseRecord(flags, value)
	}
	r := fields{rest: value}
	f, to := readFacts(&r), r.text()
	if r.failed || len(r.rest) != f.entry.Size {
		return router.Delivery{}, errRecord
	}
	return router.Delivery{
		Message: amqp.Trusted(append([]byte(nil), r.rest...)),
		To:      addressing.Address(to),
		Expires: f.entry.Expires,
		Due:     f.entry.Due,
		Retain:  flags&flagRetain != 0,
		Settled: flags&flagSettled != 0,
	}, nil
}

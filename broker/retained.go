package broker

import (
	"math"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// retained holds one message per topic name. It is kept in memory, within limits, and mirrored in the store.
type retained struct {
	messages map[addressing.Address]router.Delivery
	promised map[addressing.Address]*router.Delivery // to be put when they are on disk
	bytes    int64
	earliest int64 // Unix ms; none of the messages expires before; 0 when none does at all
	maxCount int   // where the tenant's plan says nothing
	maxBytes int64 // likewise

	allowance *tenancy.Allowance // which knows of so many messages and bytes
	told      int
	toldBytes int64
}

func newRetained(maxCount int, maxBytes int64, allowance *tenancy.Allowance) retained {
	return retained{
		messages: make(map[addressing.Address]router.Delivery),
		promised: make(map[addressing.Address]*router.Delivery),
		maxCount: maxCount, maxBytes: maxBytes, allowance: allowance,
	}
}

// isEmpty tells whether a retained message is one that takes the retained message away: MQTT 5 [3.3.1.3].
func isEmpty(d router.Delivery) bool {
	payload, _, ok := d.Message.Body().Payload()
	return ok && len(payload) == 0
}

// fits tells whether the limits allow what these would change: how many messages there are, and their bytes.
func (r *retained) fits(ds ...*router.Delivery) bool {
	count, bytes := len(r.messages), r.bytes
	for _, d := range ds {
		old, replaces := r.messages[d.To]
		if isEmpty(*d) {
			continue
		}
		bytes += int64(d.Message.Len()) - int64(old.Message.Len())
		if !replaces {
			count++
		}
	}
	return count <= max(r.mostCount(), len(r.messages)) && bytes <= max(r.mostBytes(), r.bytes)
}

func (r *retained) mostCount() int {
	if most := r.allowance.Most(tenancy.MaxRetained); most > 0 {
		return int(min(most, math.MaxInt))
	}
	return r.maxCount
}

func (r *retained) mostBytes() int64 {
	if most := r.allowance.Most(tenancy.MaxRetainedBytes); most > 0 {
		return most
	}
	return r.maxBytes
}

// tell tells the tenant's allowance what has changed.
func (r *retained) tell() {
	r.allowance.Use(tenancy.MaxRetained, int64(len(r.messages)-r.told))
	r.allowance.Use(tenancy.MaxRetainedBytes, r.bytes-r.toldBytes)
	r.told, r.toldBytes = len(r.messages), r.bytes
}

// put replaces the message of a topic name, or takes it away, and overrules what was promised for it.
func (r *retained) put(d router.Delivery) {
	defer r.tell()
	delete(r.promised, d.To)
	r.bytes -= int64(r.messages[d.To].Message.Len())
	if isEmpty(d) {
		delete(r.messages, d.To)
		return
	}
	r.bytes += int64(d.Message.Len())
	d.Author = "" // which is not known any more after a restart: it is for everybody
	r.messages[d.To] = d.Unowned()
	r.expectEnd(d)
}

// expectEnd notes when a message expires.
func (r *retained) expectEnd(d router.Delivery) {
	if d.Expires > 0 && (r.earliest == 0 || d.Expires < r.earliest) {
		r.earliest = d.Expires
	}
}

// expire takes those away whose time is over, except where another one is promised, and gives their topic names.
func (r *retained) expire(at int64) (gone []addressing.Address) {
	if r.earliest == 0 || at < r.earliest {
		return nil
	}
	defer r.tell()
	r.earliest = 0
	for a, d := range r.messages {
		if _, replaced := r.promised[a]; !replaced && hasExpiredBy(at, d) {
			r.bytes -= int64(d.Message.Len())
			delete(r.messages, a)
			gone = append(gone, a)
		} else {
			r.expectEnd(d)
		}
	}
	return gone
}

func hasExpiredBy(at int64, d router.Delivery) bool { return d.Expires > 0 && d.Expires <= at }

// tooManyRetained refuses a message for which fits is false.
func (t *topics) tooManyRetained() error {
	for _, l := range []tenancy.Limit{tenancy.MaxRetained, tenancy.MaxRetainedBytes} {
		if err := t.allowance.Room(l, 1); err != nil {
			return err
		}
	}
	return router.Errorf(router.Quota, "too many retained messages (maxRetained, maxRetainedBytes)")
}

// promise says that a message will be put when it is on disk. A later one for the same topic name overrules it.
func (r *retained) promise(d *router.Delivery) { r.promised[d.To] = d }

// keepPromise puts a message that was promised, or forgets it if it did not reach the disk.
func (r *retained) keepPromise(d *router.Delivery, onDisk bool) {
	switch {
	case r.promised[d.To] != d:
	case onDisk:
		r.put(*d)
	default:
		delete(r.promised, d.To)
	}
}

func (r *retained) get(at int64, a addressing.Address) (router.Delivery, bool) {
	d, ok := r.messages[a]
	return d, ok && !hasExpiredBy(at, d)
}

// match gives the topic names with a retained message that a filter selects.
func (r *retained) match(f addressing.Filter) []addressing.Address {
	if a, literal := f.Literal(); literal {
		if _, ok := r.messages[a]; ok {
			return []addressing.Address{a}
		}
		return nil
	}
	var names []addressing.Address
	for a := range r.messages {
		if f.Matches(a) {
			names = append(names, a)
		}
	}
	return names
}

// makeRoom is fits after those have left that have expired.
func (t *topics) makeRoom(ds ...*router.Delivery) bool {
	if t.retained.fits(ds...) {
		return true
	}
	t.forget(t.retained.expire(now()))
	return t.retained.fits(ds...)
}

// forget takes retained messages off the disk, some time.
func (t *topics) forget(names []addressing.Address) {
	if len(names) == 0 {
		return
	}
	batch, err := t.broker.store.Begin()
	if err != nil {
		return // they expire again when the process is started again
	}
	for _, a := range names {
		batch.DeleteRetained(t.tenant, string(a))
	}
	batch.CommitLazy()
}

// recoverRetained loads a tenant's retained messages. What cannot be read is reported and left on disk.
func (t *topics) recoverRetained() {
	var expired []addressing.Address
	at := now()
	err := t.broker.store.EachRetained(t.tenant, "", func(topic string, flags byte, value []byte) error {
		d, err := parseRecord(flags, value)
		if err != nil {
			return &store.CorruptError{What: "retained message of " + topic, Cause: err}
		}
		switch {
		case hasExpiredBy(at, d):
			expired = append(expired, addressing.Address(topic))
		case t.retained.fits(&d):
			t.retained.put(d)
		}
		return nil
	})
	if err != nil {
		t.broker.setAside("retained messages cannot be read and are set aside", err, "tenant", t.tenant)
	}
	t.forget(expired)
}

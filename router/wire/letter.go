package wire

import (
	"math"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// Read gives a message, or its head, as a delivery: with what its header and properties say of its time and of earlier
// tries. The properties are for who wants to know more of it.
func Read(m amqp.Message, now func() time.Time) (d router.Delivery, p amqp.Properties, err error) {
	header, err := m.Header()
	if err != nil {
		return d, p, err
	}
	p, err = m.Properties()
	if err != nil {
		return d, p, err
	}
	d.Message, d.Attempts = m, header.DeliveryCount
	d.Expires = int64(max(p.AbsoluteExpiryTime, 0)) // [3.2.4]
	if header.TTL > 0 {                             // [3.2.1]
		d.Expires = now().UnixMilli() + int64(header.TTL)
	}
	return d, p, nil
}

// Write gives the message of a delivery to be sent: as it is, or with a header that tells of earlier tries, of the time that
// is left and, if the receiver is to keep it on disk, of that. wanted is false for one that has expired by now.
func Write(d *router.Delivery, now func() time.Time, durable bool) (m amqp.Message, wanted bool) {
	if d.Attempts == 0 && d.Expires == 0 && !durable {
		return d.Message, true
	}
	left := int64(0)
	if d.Expires > 0 {
		if left = d.Expires - now().UnixMilli(); left <= 0 {
			return amqp.Message{}, false
		}
	}
	was, err := d.Message.Header()
	if err != nil {
		return d.Message, true
	}
	is := was
	is.DeliveryCount = d.Attempts
	is.Durable = was.Durable || durable
	if left > 0 && was.TTL > 0 { // otherwise it expires by its properties, if at all
		is.TTL = uint32(min(left, math.MaxUint32))
	}
	if is == was {
		return d.Message, true
	}
	return d.Message.WithHeader(is), true
}

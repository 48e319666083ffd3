package network

import (
	"math"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// read gives a message of a broker, or its head, as a delivery: with what its header and properties say of its time and
// of earlier tries.
func read(m amqp.Message, now time.Time) (d router.Delivery, err error) {
	header, err := m.Header()
	if err != nil {
		return d, err
	}
	properties, err := m.Properties()
	if err != nil {
		return d, err
	}
	d = router.Delivery{Message: m, Attempts: header.DeliveryCount, Expires: int64(max(properties.AbsoluteExpiryTime, 0))}
	if header.TTL > 0 { // [3.2.1]
		d.Expires = now.UnixMilli() + int64(header.TTL)
	}
	return d, nil
}

// write gives the bytes of a delivery: the message as it is, or with a header that tells of earlier tries, of the time that
// is left and, if it is to be kept on disk, of that. wanted is false for a message that has expired.
func write(d *router.Delivery, now time.Time, durable bool) (payload []byte, wanted bool) {
	left := d.Expires - now.UnixMilli()
	if d.Expires > 0 && left <= 0 {
		return nil, false
	}
	was, err := d.Message.Header()
	is := was
	is.DeliveryCount = d.Attempts
	is.Durable = was.Durable || durable
	if d.Expires > 0 && was.TTL > 0 {
		is.TTL = uint32(min(left, math.MaxUint32))
	}
	if err != nil || is == was {
		return d.Message.Bytes(), true
	}
	return d.Message.WithHeader(is).Bytes(), true
}

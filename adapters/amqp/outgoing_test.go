package amqp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
)

// TestHeaderIsWrittenAnewOnlyWhenItHasToBe [3.2.1].
func TestHeaderIsWrittenAnewOnlyWhenItHasToBe(t *testing.T) {
	body := codec.AppendValueString(nil, "body")
	plain := codec.Trusted(body)
	lasting := codec.Trusted(codec.AppendValueString(codec.Header{TTL: 5000}.Append(nil), "body"))
	synctest.Test(t, func(t *testing.T) {
		soon, past := time.Now().Add(2*time.Second).UnixMilli(), time.Now().UnixMilli()
		for name, c := range map[string]struct {
			delivery router.Delivery
			wanted   bool
			header   codec.Header
			bytes    int // more than without a header
		}{
			"first":                            {router.Delivery{Message: plain}, true, codec.Header{}, 0},
			"again":                            {router.Delivery{Message: plain, Attempts: 2}, true, codec.Header{DeliveryCount: 2}, 1},
			"its time to live runs":            {router.Delivery{Message: lasting, Expires: soon}, true, codec.Header{TTL: 2000}, 1},
			"its time to live is over":         {router.Delivery{Message: lasting, Expires: past}, false, codec.Header{}, 0},
			"it expires by its properties":     {router.Delivery{Message: plain, Expires: soon}, true, codec.Header{}, 0},
			"it has expired by its properties": {router.Delivery{Message: plain, Expires: past}, false, codec.Header{}, 0},
		} {
			payload, wanted := encode(&c.delivery)
			if wanted != c.wanted {
				t.Errorf("%s: wanted is %v", name, wanted)
				continue
			}
			if !wanted {
				continue
			}
			header, err := codec.Trusted(payload).Header()
			if c.header.Priority = header.Priority; header != c.header || err != nil || (len(payload) > len(body)) != (c.bytes > 0) {
				t.Errorf("%s: header is %+v (%v) of %d octets", name, header, err, len(payload)-len(body))
			}
		}
	})
}

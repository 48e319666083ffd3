package amqp

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
)

// TestHeaderIsWrittenAnewOnlyWhenItHasToBe checks what is sent of a message whose header counts [3.2.1].
func TestHeaderIsWrittenAnewOnlyWhenItHasToBe(t *testing.T) {
	with := func(h codec.Header) codec.Message {
		return codec.Trusted(codec.AppendValueString(h.Append(nil), "body"))
	}
	plain, lasting := codec.Trusted(codec.AppendValueString(nil, "body")), with(codec.Header{Priority: 4, TTL: 5000})
	synctest.Test(t, func(t *testing.T) {
		soon, past := time.Now().UnixMilli()+2000, time.Now().UnixMilli()
		for name, c := range map[string]struct {
			delivery router.Delivery
			want     codec.Message // zero for a message that has expired
		}{
			"first attempt":          {router.Delivery{Message: plain}, plain},
			"third attempt":          {router.Delivery{Message: plain, Attempts: 2}, with(codec.Header{Priority: 4, DeliveryCount: 2})},
			"time to live runs":      {router.Delivery{Message: lasting, Expires: soon}, with(codec.Header{Priority: 4, TTL: 2000})},
			"time to live is over":   {router.Delivery{Message: lasting, Expires: past}, codec.Message{}},
			"expiry time is to come": {router.Delivery{Message: plain, Expires: soon}, plain},
			"expiry time is over":    {router.Delivery{Message: plain, Expires: past}, codec.Message{}},
		} {
			payload, wanted := encode(&c.delivery)
			if wanted == c.want.IsZero() || !bytes.Equal(payload, c.want.Bytes()) {
				t.Errorf("%s: %x (%v), want %x", name, payload, wanted, c.want.Bytes())
			}
		}
	})
}

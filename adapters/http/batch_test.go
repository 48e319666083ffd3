package http

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// FuzzBatch checks that no body makes trouble, in whichever form it is read, and that what is taken has an AMQP form.
func FuzzBatch(f *testing.F) {
	const boundary = "b"
	forms := []string{typeJSON, typeEventBatch, typeMultipart}
	for i, seed := range []string{
		`[{"body":"1","properties":{"a":1}},{"bodyBase64":"/w==","ttl":0.5}]`,
		`[{"specversion":"1.0","id":"1","source":"/","type":"t","data":{}}]`,
		"--b\r\nManifold-Subject: s\r\nCe-Id: 1\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--",
	} {
		f.Add(uint8(i), []byte(seed))
		f.Add(uint8(i), []byte(seed[:len(seed)/2]))
	}
	f.Fuzz(func(t *testing.T, form uint8, body []byte) {
		const most = 10
		all, err := readBatch(body, forms[int(form)%len(forms)], boundary, "a", most)
		if err != nil {
			if reason := router.ReasonOf(err); reason != router.Malformed && reason != router.TooLarge {
				t.Errorf("%v: %v", reason, err)
			}
			return
		}
		if len(all) > most {
			t.Errorf("%d messages", len(all))
		}
		for i := range all {
			if _, err := all[i].letter.delivery(all[i].body, false, time.Time{}); err != nil && router.ReasonOf(err) != router.Malformed {
				t.Error(err)
			}
		}
	})
}

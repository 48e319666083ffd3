package datagram

import (
	"testing"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

func TestOnlyRequestsNeedASession(t *testing.T) {
	for _, c := range []struct {
		name, datagram, answer string
		request                bool
	}{
		{"request", "40 01 00 01", "", true},
		{"request that is not confirmable", "50 01 00 01", "", true},
		{"ping", "40 00 00 02", "70 00 00 02", false},
		{"malformed", "49 01 00 03 01", "70 00 00 03", false},
		{"malformed and not confirmable", "59 01 00 03 01", "", false},
		{"response", "40 45 00 04", "70 00 00 04", false},
		{"acknowledgement", "60 00 00 05", "", false},
		{"reset", "70 00 00 06", "", false},
		{"other version", "80 01 00 07", "", false},
		{"nothing", "", "", false},
	} {
		answer, request := Stray(nil, transporttest.Hex(t, c.datagram))
		if string(answer) != string(transporttest.Hex(t, c.answer)) || request != c.request {
			t.Errorf("%s: answer %x, request %v", c.name, answer, request)
		}
	}
}

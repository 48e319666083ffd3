package stomp

import (
	"reflect"
	"testing"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

func TestIDsKeepTheirType(t *testing.T) {
	for _, id := range []any{
		"order 7", "binary:", "string:x", "urn:x", uint64(1<<64 - 1), amqp.UUID{1, 2, 15: 3}, []byte{0, 255, ':'},
	} {
		got, err := parseID("correlation-id", idText(id))
		if err != nil || !reflect.DeepEqual(got, id) {
			t.Errorf("%#v became %q, and that %#v (%v)", id, idText(id), got, err)
		}
	}
}

func TestBrokenIDsAreRefused(t *testing.T) {
	for _, text := range []string{"ulong:-1", "ulong:x", "uuid:12", "binary:*", "uuid:" + "0123456789abcdef0123456789abcdef"} {
		if id, err := parseID("correlation-id", text); router.ReasonOf(err) != router.Malformed {
			t.Errorf("%q became %#v (%v)", text, id, err)
		}
	}
}

package gateway

import (
	"testing"
	"time"

	stomp "github.com/go-stomp/stomp/v3"

	adapter "github.com/manifoldmq/manifold/adapters/stomp"
	"github.com/manifoldmq/manifold/gateway/config"
)

func TestSTOMPDefaultsAreThoseOfTheDoor(t *testing.T) {
	c := config.Default()
	if got, want := stompLimits(&c.STOMP), adapter.DefaultLimits(); got != want {
		t.Errorf("the configuration's defaults give\n%+v\nthe door has\n%+v", got, want)
	}
	if err := stompLimits(&c.STOMP).Validate(); err != nil {
		t.Error(err)
	}
}

// dialSTOMP connects a client of go-stomp until the test ends. It may miss that it has unsubscribed, and is not to wait
// long then.
func dialSTOMP(t *testing.T, address string, options ...func(*stomp.Conn) error) *stomp.Conn {
	t.Helper()
	options = append(options, stomp.ConnOpt.UnsubscribeReceiptTimeout(100*time.Millisecond))
	conn, err := stomp.Dial("tcp", address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.MustDisconnect() })
	return conn
}

package gateway

import (
	"testing"

	stomp "github.com/go-stomp/stomp/v3"
	"github.com/go-stomp/stomp/v3/frame"

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

// dialSTOMP connects a client of go-stomp until the test ends.
func dialSTOMP(t *testing.T, address string, options ...func(*stomp.Conn) error) *stomp.Conn {
	t.Helper()
	conn, err := stomp.Dial("tcp", address, append(options, quietly)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.MustDisconnect() })
	return conn
}

// unsubscribe ends a subscription and returns when the door has said that it has ended, which closes its channel: go-stomp's
// own wait for that can miss it.
func unsubscribe(s *stomp.Subscription, options ...func(*frame.Frame) error) error {
	go s.Unsubscribe(options...)
	for m := range s.C {
		if m.Err != nil {
			return m.Err
		}
	}
	return nil
}

// quietly has a client log nothing: what goes wrong, its methods tell.
func quietly(c *stomp.Conn) error { return stomp.ConnOpt.Logger(noLog{})(c) }

// noLog is a log of go-stomp that nobody reads.
type noLog struct{}

func (noLog) Debugf(string, ...any)   {}
func (noLog) Infof(string, ...any)    {}
func (noLog) Warningf(string, ...any) {}
func (noLog) Errorf(string, ...any)   {}
func (noLog) Debug(string)            {}
func (noLog) Info(string)             {}
func (noLog) Warning(string)          {}
func (noLog) Error(string)            {}

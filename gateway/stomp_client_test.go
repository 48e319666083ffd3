package gateway

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"
	"time"

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

// stompSender sends with receipts, each message over a connection of its own: a no ends one.
type stompSender struct {
	t       *testing.T
	address string
}

func (s stompSender) send(to string, l letter) <-chan error {
	conn, told := dialSTOMP(s.t, s.address), make(chan error, 1)
	go func() { told <- conn.Send(to, l.contentType, l.payload, l.stompHeader, stomp.SendOpt.Receipt) }()
	return told
}

// roundTrip takes another connection: this client does nothing else while it waits for a receipt.
func (s stompSender) roundTrip() error { return dialSTOMP(s.t, s.address).Begin().AbortWithReceipt() }

// stompHeader writes all but the payload and its type as docs/stomp.md has it.
func (l letter) stompHeader(f *frame.Frame) error {
	if l.replyTo != "" {
		f.Header.Add("reply-to", l.replyTo)
	}
	if l.correlation != "" {
		f.Header.Add("correlation-id", "binary:"+base64.RawURLEncoding.EncodeToString([]byte(l.correlation)))
	}
	if l.seconds > 0 {
		expires := time.Now().Add(time.Duration(l.seconds) * time.Second)
		f.Header.Add("expires", strconv.FormatInt(expires.UnixMilli(), 10))
	}
	for _, p := range l.distinct() {
		f.Header.Add(p.name, p.value)
	}
	return nil
}

// stompReceiver acknowledges each message by itself.
type stompReceiver struct {
	conn         *stomp.Conn
	subscription *stomp.Subscription
	message      *stomp.Message
}

func newSTOMPReceiver(t *testing.T, address, from string) *stompReceiver {
	t.Helper()
	r := &stompReceiver{conn: dialSTOMP(t, address)}
	var err error
	if r.subscription, err = r.conn.Subscribe(from, stomp.AckClientIndividual); err != nil {
		t.Fatal(err)
	}
	if err := r.roundTrip(); err != nil { // the subscription is live
		t.Fatal(err)
	}
	return r
}

func (r *stompReceiver) roundTrip() error { return r.conn.Begin().AbortWithReceipt() }

func (r *stompReceiver) next() <-chan arrival {
	came := make(chan arrival, 1)
	go func() {
		m, err := r.subscription.Read()
		if err != nil {
			came <- arrival{letter{payload: fmt.Append(nil, err)}, ""}
			return
		}
		r.message = m
		came <- readSTOMP(m)
	}()
	return came
}

// readSTOMP reads a message as docs/stomp.md has it.
func readSTOMP(m *stomp.Message) arrival {
	l := letter{payload: m.Body}
	if l.payload == nil {
		l.payload = []byte{}
	}
	for i := range m.Header.Len() {
		switch name, value := m.Header.GetAt(i); name {
		case "content-type":
			l.contentType = value
		case "reply-to":
			l.replyTo = value
		case "correlation-id":
			l.correlation = readCorrelation(value)
		case "expires":
			ms, _ := strconv.ParseInt(value, 10, 64)
			l.seconds = readSeconds(fmt.Sprint(time.Until(time.UnixMilli(ms)).Seconds()))
		case "destination", "subscription", "message-id", "ack", "content-length", "persistent", "priority":
		default:
			l.properties = append(l.properties, property{name, value})
		}
	}
	return arrival{l, m.Destination}
}

func (r *stompReceiver) settle() error {
	if err := r.conn.Ack(r.message); err != nil {
		return err
	}
	return r.roundTrip()
}

func (r *stompReceiver) leave() error { return r.conn.Disconnect() }

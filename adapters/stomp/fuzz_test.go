package stomp

import (
	"strings"
	"testing"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/router"
)

// FuzzMapping: whatever headers a client sends (here set apart by NUL), its message is refused as malformed, or comes to
// a subscriber with the same body and with every header that has no meaning of its own.
func FuzzMapping(f *testing.F) {
	for _, headers := range [][]string{
		{"content-type", "text/plain", "color", "red", "color", "blue"},
		{"correlation-id", "uuid:" + strings.Repeat("ab", 20)},
		{"amqp-message-id", "ulong:7", "reply-to", "/queue/answers", "priority", "9", "persistent", "true"},
		{"expires", "9223372036854775807", "timestamp", "-1"},
		{"JMSXGroupID", "g", "type", "t", "retain", "true", "subscription", "s"},
	} {
		f.Add(strings.Join(headers, "\x00"), []byte("body"))
	}
	f.Fuzz(func(t *testing.T, headers string, body []byte) {
		if strings.Contains(headers, "/temp-") {
			return // makes an address, for which there has to be a router
		}
		words := strings.Split(headers, "\x00")
		sent := frame.NewHeader(words[:len(words)&^1]...)
		d, err := new(conn).encode("alerts/a", sent, body, time.Now())
		if err != nil {
			if router.ReasonOf(err) != router.Malformed {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		d.To = "alerts/a"
		got, gotBody, ok := decode(&subscription{}, &d)
		if !ok || string(gotBody) != string(body) {
			t.Fatalf("body %q came as %q (%v)", body, gotBody, ok)
		}
		received := frame.NewHeader(got...)
		for i := range sent.Len() {
			name, value := sent.GetAt(i)
			if _, has := meanings[name]; has || repeated(sent, i) {
				continue
			}
			if got, ok := received.Contains(name); !ok || got != value {
				t.Errorf("header %q: %q came as %q (%v)", name, value, got, ok)
			}
		}
	})
}

// meanings are the headers that are more than words that a client has for another.
var meanings = map[string]struct{}{
	frame.Destination: {}, frame.ContentLength: {}, frame.Receipt: {}, frame.Transaction: {}, frame.Subscription: {},
	frame.MessageId: {}, frame.Ack: {}, headerRedelivered: {}, headerRetained: {},
	headerContentType: {}, headerContentEncoding: {}, headerPersistent: {}, headerExpires: {}, headerPriority: {},
	headerCorrelationID: {}, headerReplyTo: {}, headerType: {}, headerGroup: {}, headerTimestamp: {},
	headerMessageID: {}, headerRetain: {}, headerDelay: {}, headerTime: {},
}

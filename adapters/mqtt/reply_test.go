package mqtt

import (
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestAnswersFindTheClientThatAsks by the topic that it was told in Response Information.
func TestAnswersFindTheClientThatAsks(t *testing.T) {
	asking := func(p *packets.Packet) { p.Properties.RequestResponseInfo = 1 }
	for prefix, want := range map[string]string{"": "", "nowhere": "", "alerts/replies": "alerts/replies/a%2Fb%2B"} {
		runWith(t, func(c *Config) { c.Limits.ResponseTopics = prefix }, func(h *house) {
			c, ack := h.attempt(5, "a/b+", asking)
			topic := ack.Properties.ResponseInfo
			if topic != want {
				t.Errorf("responseTopics %q: Response Information %q, want %q", prefix, topic, want)
			}
			if _, ack := h.attempt(5, "other"); ack.Properties.ResponseInfo != "" {
				t.Errorf("a client that did not ask was told %q", ack.Properties.ResponseInfo)
			}
			if topic == "" {
				return
			}
			if got := c.subscribe(topic+"/#", 1); got != 1 {
				t.Fatalf("SUBACK %#x", got)
			}
			worker := h.connect(5, "worker")
			worker.subscribe("commands/sum", 1)
			c.publish("commands/sum", "1+1", 1, 1, func(p *packets.Packet) { p.Properties.ResponseTopic = topic + "/7" })
			request := worker.receive(packets.Publish)
			worker.ack(request.PacketID)
			worker.publish(request.Properties.ResponseTopic, "2", 0, 0)
			c.receive(packets.Puback)
			if got := c.receive(packets.Publish); got.TopicName != topic+"/7" || string(got.Payload) != "2" {
				t.Errorf("the answer is %q at %s", got.Payload, got.TopicName)
			}
		})
	}
}

// TestTopicsForAnswersAreOneLevel, whatever a client calls itself.
func TestTopicsForAnswersAreOneLevel(t *testing.T) {
	seen := make(map[string]bool)
	for _, id := range []string{"a", "a/b", "a b", "+", "#", "%2B", "ü", "a%2Fb"} {
		level := asLevel(id)
		if strings.ContainsAny(level, "/+#") || seen[level] {
			t.Errorf("%q becomes %q", id, level)
		}
		seen[level] = true
	}
}

package http

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// conversation is a batch of lines under way.
type conversation struct {
	t       *testing.T
	lines   *io.PipeWriter
	answers *bufio.Scanner
	body    io.Closer
}

func (d *door) converse(t *testing.T, client *nethttp.Client, path string, headers ...string) *conversation {
	t.Helper()
	body, lines := io.Pipe()
	request, err := nethttp.NewRequestWithContext(context.Background(), "POST", "http://door"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeLines)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	return &conversation{t, lines, bufio.NewScanner(response.Body), response.Body}
}

func (c *conversation) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.lines, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// hear expects the next line of the answer.
func (c *conversation) hear(line, status int, detail string) {
	c.t.Helper()
	if !c.answers.Scan() {
		c.t.Fatalf("the answer ended: %v", c.answers.Err())
	}
	var r result
	if err := json.Unmarshal(c.answers.Bytes(), &r); err != nil {
		c.t.Fatal(err)
	}
	if r.Line != line || r.Status != status || !strings.Contains(r.Detail, detail) {
		c.t.Errorf("heard %s, want status %d of line %d with %q", c.answers.Bytes(), status, line, detail)
	}
}

// ends expects the end of the answer.
func (c *conversation) ends() {
	c.t.Helper()
	if c.answers.Scan() || c.answers.Err() != nil {
		c.t.Errorf("heard %q, %v at the end", c.answers.Text(), c.answers.Err())
	}
	c.lines.Close()
	c.body.Close()
}

func TestEachLineIsAnsweredWhileMoreCome(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		inBubble(t, Limits{MaxBody: 1000, StreamWindow: 2}, func(t *testing.T, d *door) {
			client := d.newClient(http2)
			defer client.CloseIdleConnections()
			c := d.converse(t, client, batchPath, "Idempotency-Key: k")
			c.say(`{"body":"1"}`)
			c.hear(1, 201, "")
			c.say(``)
			c.say(`{"boddy":"2"}`)
			c.hear(3, 400, "boddy")
			c.say(`{"body":"3","messageId":"own"}`)
			c.hear(4, 201, "")
			io.WriteString(c.lines, `{"body":"without a line feed"}`)
			c.lines.Close()
			c.hear(5, 201, "")
			c.ends()
			c = d.converse(t, client, batchPath)
			for line := 1; line <= 5; line++ { // none of which is on its way
				c.say(`{"ttl":0}`)
				c.hear(line, 400, "ttl")
			}
			c.lines.Close()
			c.ends()
			var ids []string
			for _, e := range d.received(t, 3) {
				ids = append(ids, e.MessageID)
			}
			if got := strings.Join(ids, " "); got != "k/1 own k/5" {
				t.Errorf("ids %s", got)
			}
			c = d.converse(t, client, batchPath+"?ack=none")
			c.say(`{}`)
			c.hear(1, 202, "")
			go c.lines.Write([]byte(strings.Repeat("x", 2000)))
			c.hear(2, 413, "http.maxBody")
			c.ends()
		})
	}
}

func TestLinesAreNotReadBeyondWhatIsUnderWay(t *testing.T) {
	inBubble(t, Limits{StreamWindow: 2, OutcomeTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		consumer, r := d.consume("acme", "cmd/a")
		defer r.Close()
		c := d.converse(t, d.client, "/v1/acme/cmd/a/messages/batch")
		go io.WriteString(c.lines, strings.Repeat("{}\n", 5))
		held := []router.Delivery{<-consumer, <-consumer}
		pass(4 * time.Second)
		if len(consumer) > 0 {
			t.Error("a third message was sent while two were under way")
		}
		held[1].Settle(router.Accept())
		c.hear(2, 201, "")
		<-consumer
		// Nobody settles the first and the third: the batch ends, and says what it does not know.
		c.hear(4, 504, "http.streamWindow")
		c.hear(1, 504, "not known")
		c.hear(3, 504, "not known")
		c.ends()
	})
}

func TestSilentLinesAreGivenUp(t *testing.T) {
	inBubble(t, Limits{IdleTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		c := d.converse(t, d.client, batchPath)
		pass(4 * time.Second)
		c.say(`{}`)
		c.hear(1, 201, "")
		began := time.Now()
		c.hear(2, 408, "http.idleTimeout")
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("after %v", took)
		}
		c.ends()
	})
}

func TestDrainEndsLines(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		c := d.converse(t, d.client, batchPath)
		c.say(`{}`)
		c.hear(1, 201, "")
		d.stop()
		c.hear(2, 503, "stopping")
		c.ends()
	})
}

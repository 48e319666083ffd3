package http

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

const asEnvelope = "Content-Type: application/vnd.manifold+json"

// sent sends a message and gives it as a receiver has it.
func (d *door) sent(t *testing.T, body string, headers ...string) envelope {
	t.Helper()
	d.do(201, "POST", "/v1/acme/jobs/a/messages", body, headers...)
	return d.received(t, 1)[0]
}

// received gives the next n messages of acme's jobs.
func (d *door) received(t *testing.T, n int) []envelope {
	t.Helper()
	a := d.do(200, "DELETE", head+"?max=100", "")
	var got []envelope
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got) != n {
		t.Fatalf("%v, want %d messages: %s", err, n, a.body)
	}
	return got
}

func TestEnvelopeIsSentAsItIsReceived(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		e := d.sent(t, `{"messageId":"ulong:7","correlationId":"c","replyTo":"r","subject":"s","groupId":"g","contentType":"text/x",
			"contentEncoding":"br","ttl":60.5,"priority":0,"properties":{"a":"b","n":-5,"x":0.5,"y":true},"body":"grüß"}`, asEnvelope)
		got := string(encodeJSON(e))
		const want = `{"address":"jobs/a","messageId":"ulong:7","correlationId":"c","replyTo":"r","subject":"s","groupId":"g",` +
			`"contentType":"text/x","contentEncoding":"br","ttl":60.5,"priority":0,` +
			`"properties":{"a":"b","n":-5,"x":0.5,"y":true},"body":"grüß"}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for body, want := range map[string]string{
			`{}`:                    `{"address":"jobs/a","body":""}`,
			`{"body":{"n": 1}}`:     `{"address":"jobs/a","contentType":"application/json","body":"{\"n\": 1}"}`,
			`{"bodyBase64":"/w=="}`: `{"address":"jobs/a","bodyBase64":"/w=="}`,
		} {
			if got := string(encodeJSON(d.sent(t, body, asEnvelope))); got != want {
				t.Errorf("%s: got %s, want %s", body, got, want)
			}
		}
	})
}

func TestEnvelopeIsRefused(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for body, detail := range map[string]string{
			``:                              "EOF",
			`[]`:                            "JSON",
			`{} {}`:                         "more follows",
			`{"boddy":""}`:                  "boddy",
			`{"address":"jobs/b"}`:          "address",
			`{"body":"","bodyBase64":""}`:   "one of the two",
			`{"messageId":"ulong:x"}`:       "messageId",
			`{"correlationId":"uuid:x"}`:    "correlationId",
			`{"ttl":0}`:                     "ttl",
			`{"delay":1e30}`:                "delay",
			`{"priority":10}`:               "priority",
			`{"contentType":"é"}`:           "contentType",
			`{"contentEncoding":"é"}`:       "contentEncoding",
			`{"properties":{"a":[1]}}`:      `"a"`,
			`{"properties":{"a":1e999}}`:    `"a"`,
			`{"bodyBase64":"not base64!!"}`: "JSON",
		} {
			p := d.do(400, "POST", "/v1/acme/jobs/a/messages", body, asEnvelope).problem(t)
			if !strings.Contains(p.Detail, detail) {
				t.Errorf("%s: %q, want %q in it", body, p.Detail, detail)
			}
		}
		d.do(400, "POST", "/v1/acme/jobs/a/messages", `{}`, asEnvelope, "Manifold-Subject: s")
	})
}

func TestCloudEventKeepsItsAttributes(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		headers := []string{
			"Ce-Specversion: 1.0", "Ce-Id: 1-%22", "Ce-Source: /a", "Ce-Type: t", "Ce-Subject: Euro%20%E2%82%AC",
			"Ce-Anextension: 5", "Content-Type: text/plain",
		}
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "data", headers...)
		a := d.do(200, "DELETE", head, "")
		for _, h := range headers {
			if name, want, _ := strings.Cut(h, ": "); a.Header.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, a.Header.Get(name), want)
			}
		}
		e := d.sent(t, "", append(headers[1:], `Ce-Specversion: "1\.0"`)...)
		want := map[string]any{
			"cloudEvents:specversion": "1.0", "cloudEvents:id": `1-"`, "cloudEvents:source": "/a", "cloudEvents:type": "t",
			"cloudEvents:subject": "Euro €", "cloudEvents:anextension": "5",
		}
		if !reflect.DeepEqual(e.Properties, want) {
			t.Errorf("%v", e.Properties)
		}
		if e := d.sent(t, `{"specversion":"1.0"}`, "Content-Type: application/cloudevents+json"); *e.Body != `{"specversion":"1.0"}` {
			t.Errorf("a structured event became %+v", e)
		}
	})
}

func TestIdempotencyKeyIsTheMessageID(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for key, want := range map[string]string{`"8e03978e"`: "8e03978e", "bare": "bare", "a%20b": "a b", "ulong:7": "string:ulong:7"} {
			if e := d.sent(t, "", "Idempotency-Key: "+key); e.MessageID != want {
				t.Errorf("%s: message id %q", key, e.MessageID)
			}
		}
		if e := d.sent(t, "{}", asEnvelope, "Idempotency-Key: k"); e.MessageID != "k" {
			t.Errorf("message id %q", e.MessageID)
		}
	})
}

func TestDelayReachesTheQueue(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "", "Manifold-Delay: 1.5")
		if got, want := d.jobs().ready[0].Due, time.Now().UnixMilli()+1500; got != want {
			t.Errorf("due at %d, want %d", got, want)
		}
	})
}

const batchPath = "/v1/acme/jobs/a/messages/batch"

func TestBatchOfEachFormIsSentInOrder(t *testing.T) {
	const event = `{"specversion":"1.0","id":"%d","source":"/s","type":"t"}`
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for _, c := range []struct{ contentType, body, first, second string }{
			{
				"application/json", `[{"body":"1"}, {"body":"2","subject":"s"}]`,
				`{"address":"jobs/a","messageId":"k/1","body":"1"}`,
				`{"address":"jobs/a","messageId":"k/2","subject":"s","body":"2"}`,
			},
			{
				"application/cloudevents-batch+json; charset=utf-8", fmt.Sprintf("["+event+","+event+"]", 1, 2),
				`{"address":"jobs/a","messageId":"k/1","contentType":"application/cloudevents+json",` +
					`"body":"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"}`,
				`{"address":"jobs/a","messageId":"k/2","contentType":"application/cloudevents+json",` +
					`"body":"{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/s\",\"type\":\"t\"}"}`,
			},
			{
				`multipart/mixed; boundary="b:b"`, "--b:b\r\n\r\n1\r\n--b:b\r\nContent-Type: image/png\r\n" +
					"Manifold-Message-Id: own\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\xff\r\n--b:b--\r\n",
				`{"address":"jobs/a","messageId":"k/1","body":"1"}`,
				`{"address":"jobs/a","messageId":"own","contentType":"image/png","bodyBase64":"AP8="}`,
			},
		} {
			d.do(201, "POST", batchPath, c.body, "Content-Type: "+c.contentType, "Idempotency-Key: k")
			for i, e := range d.received(t, 2) {
				if got, want := string(encodeJSON(e)), []string{c.first, c.second}[i]; got != want {
					t.Errorf("%s:\ngot  %s\nwant %s", c.contentType, got, want)
				}
			}
			d.do(202, "POST", batchPath+"?ack=none", c.body, "Content-Type: "+c.contentType)
			d.received(t, 2)
		}
	})
}

func TestBatchIsRefusedAsAWhole(t *testing.T) {
	inBubble(t, Limits{MaxBatch: 2}, func(t *testing.T, d *door) {
		const multipart = "multipart/mixed; boundary=b"
		for _, c := range []struct {
			status                    int
			contentType, body, detail string
		}{
			{415, "", "[]", "application/x-ndjson"},
			{415, "text/plain", "[]", "application/cloudevents-batch+json"},
			{415, "multipart/mixed", "", "multipart/mixed"},
			{400, "application/json", "{}", "array"},
			{400, "application/json", "[{}", "cannot be read"},
			{400, "application/json", "[{}] x", "follows"},
			{400, "application/json", `[{}, {"colour":1}]`, "message 2"},
			{413, "application/json", "[{},{},{}]", "http.maxBatch"},
			{400, "application/cloudevents-batch+json", `[{"id":"1","source":"/","type":"t"}]`, "message 1: a CloudEvent needs the attribute specversion"},
			{400, "application/cloudevents-batch+json", `[1]`, "cannot be read"},
			{400, multipart, "--b\r\n\r\n1", "cannot be read"},
			{400, multipart, "--b\r\nManifold-Colour: red\r\n\r\n1\r\n--b--", "message 1: header Manifold-Colour"},
			{413, multipart, strings.Repeat("--b\r\n\r\n1\r\n", 3) + "--b--", "http.maxBatch"},
		} {
			headers := []string{"Content-Type: " + c.contentType}
			if c.contentType == "" {
				headers = nil
			}
			p := d.do(c.status, "POST", batchPath, c.body, headers...).problem(t)
			if !strings.Contains(p.Detail, c.detail) {
				t.Errorf("%s: %q, want %q in it", c.body, p.Detail, c.detail)
			}
		}
		d.do(501, "POST", "/v1/acme/cmd/a/messages/batch", `[{"delay":1}]`, "Content-Type: application/json")
		d.do(204, "POST", head+"?timeout=0", "")
	})
}

func TestBatchTellsOfEachMessage(t *testing.T) {
	inBubble(t, Limits{OutcomeTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		c, r := d.consume("acme", "cmd/a")
		defer r.Close()
		settled := make(chan struct{})
		go func() {
			defer close(settled)
			(<-c).Settle(router.Accept())
			(<-c).Settle(router.Reject(router.Quota, "full"))
			<-c // and never settled
		}()
		a := d.do(429, "POST", "/v1/acme/cmd/a/messages/batch", `[{},{},{}]`, "Content-Type: application/json")
		<-settled
		var got []int
		for _, r := range a.problem(t).Results {
			got = append(got, r.Status)
		}
		if !reflect.DeepEqual(got, []int{201, 429, 504}) || a.Header.Get("Retry-After") == "" {
			t.Error(a.body)
		}
	})
}

//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestMutatedRequestsHarmNobody has clients send what was HTTP/1.1, HTTP/2, JSON or an order over WebSocket before it was damaged.
func TestMutatedRequestsHarmNobody(t *testing.T) {
	g := startMutated(t)
	door := g.doors["http"]
	g.harmsNobody(t, []way{
		{"requests", func(m mutator) error {
			return m.pour(door, m.spoil(httpMutator{m}.request(), m.some(3, httpMutator{m}.request)))
		}},
		{"bodies", func(m mutator) error { return m.pour(door, httpMutator{m}.spoiltBody()) }},
		{"streams that are gone on with", func(m mutator) error { return httpMutator{m}.resume(door) }},
		{"orders over WebSocket", func(m mutator) error {
			return m.pour(door, m.spoil(webSocketHello("/v1/default/socket", ""), m.some(8, httpMutator{m}.order)))
		}},
		{"HTTP/2", func(m mutator) error { return m.pour(door, newHTTP2Mutator(m).conversation()) }},
		{"floods of HTTP/2", func(m mutator) error { return m.pour(door, newHTTP2Mutator(m).flood()) }},
	}, map[string]func() (pair, error){
		"through a queue over HTTP/1.1": func() (pair, error) { return openHTTPPair(door, "undisturbed/http1", false) },
		"through a queue over HTTP/2":   func() (pair, error) { return openHTTPPair(door, "undisturbed/http2", true) },
		"to an event stream":            func() (pair, error) { return openWatchedPair(door, "telemetry/undisturbed") },
		"over WebSocket":                func() (pair, error) { return openSocketPair(t.Context(), door, "undisturbed/socket") },
	})
}

// request is one of all that a client may ask for.
type request struct {
	method, path, kind string // of its body
	body               []byte
}

// httpMutator makes requests, most of them valid.
type httpMutator struct{ mutator }

// any is one of all requests that have an end.
func (m httpMutator) any() request {
	address := pick(m.mutator, "telemetry/mutated", "jobs", "commands/a", "alerts", "nowhere", "telemetry%2Fmutated", "jobs/../x",
		"telemetry/%23", "telemetry/mutated::mine", "telemetry/*/x")
	messages := "/v1/default/" + address + "/messages"
	lock := fmt.Sprintf("%s/%d/AAAAAAAAAAAAAAAAAAAAAA", messages, m.IntN(3))
	switch m.IntN(11) {
	case 0, 1:
		return request{"POST", messages + pick(m.mutator, "", "?ack=none"), "text/plain", []byte("mutated")}
	case 2, 3:
		return m.inJSON(messages)
	case 4:
		return request{"POST", messages + "/head?timeout=0&lock=1&max=" + pick(m.mutator, "1", "5", "1000", "-1"), "", nil}
	case 5:
		return request{"DELETE", messages + "/head?timeout=0.1&selector=a%3D1", "", nil}
	case 6:
		return request{pick(m.mutator, "DELETE", "PUT", "POST", "GET"), lock + pick(m.mutator, "", "/reject?reason=x", "/renew?lock=1"), "", nil}
	case 7:
		return request{"POST", messages + "/settle", "application/json", fmt.Appendf(nil,
			`[{"location":%q,"outcome":"accepted"},{"location":"/v1/x","outcome":"rejected","reason":"r"}]`, lock)}
	case 8:
		method := pick(m.mutator, "PUT", "GET", "DELETE", "OPTIONS")
		return request{method, "/v1/default/telemetry/mutated::mine/subscription", "", nil}
	case 9:
		path := pick(m.mutator, "/telemetry", "/event?hono-ttd=0", "/command/res/1?hono-cmd-status=200", "/t")
		return request{"POST", path, "application/json", []byte(`{"temp":5}`)}
	default:
		path := pick(m.mutator, messages, "/openapi.json", "/try/", "/", "/v1/default/"+address+"/requests?timeout=0.1", "*", "")
		return request{pick(m.mutator, "GET", "HEAD", "POST", "BREW"), path, "", []byte("x")}
	}
}

// inJSON is a request whose body has a structure: JSON, CloudEvents, lines or parts.
func (m httpMutator) inJSON(messages string) request {
	const event = `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data":{"a":[1,2]}}`
	const draft = `{"subject":"s","ttl":60,"priority":7,"delay":0.1,"groupId":"g","properties":{"a":1,"b":"x","c":null},"body":{"n":1}}`
	const parts = "--b\r\nContent-Type: text/plain\r\nManifold-Subject: s\r\n\r\none\r\n--b\r\nManifold-TTL: 5\r\n\r\ntwo\r\n--b--\r\n"
	return pick(m.mutator,
		request{"POST", messages, "application/vnd.manifold+json", []byte(draft)},
		request{"POST", messages, "application/cloudevents+json", []byte(event)},
		request{"POST", messages + "/batch", "application/cloudevents-batch+json", []byte("[" + event + "," + event + "]")},
		request{"POST", messages + "/batch", "application/json", []byte("[" + draft + "," + draft + "]")},
		request{"POST", messages + "/batch", "application/x-ndjson", []byte(draft + "\n\n" + draft + "\r\n")},
		request{"POST", messages + "/batch", "multipart/mixed; boundary=b", []byte(parts)})
}

// fields are the headers of a request beside those that say how long it is.
func (m httpMutator) fields(r request) (fields []string) {
	may := func(name string, values ...string) {
		if m.IntN(6) == 0 {
			fields = append(fields, name, pick(m.mutator, values...))
		}
	}
	if r.kind != "" {
		fields = append(fields, "content-type", r.kind)
	}
	may("idempotency-key", "k")
	may("manifold-property", "a=b, c=%2C", "=")
	may("manifold-ttl", "1", "1e309", "-1")
	may("manifold-retain", "true")
	may("ce-id", "1", "%")
	may("accept", "application/x-ndjson", "text/event-stream", "application/json;q=0.1, */*;q=x")
	may("accept-encoding", "gzip")
	may("authorization", "Basic eDp5", "Basic !", "Bearer x.y.z")
	may("origin", "http://elsewhere.example")
	may("expect", "100-continue")
	may("last-event-id", "AAAAAAAAAAAAAAAAAAAAAA.7", ".")
	may("connection", "close", "upgrade")
	return fields
}

// request writes a request of HTTP/1.1, whose body comes as one piece or in chunks.
func (m httpMutator) request() []byte { return m.encode(m.any()) }

func (m httpMutator) encode(r request) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", r.method, r.path)
	fields := m.fields(r)
	for i := 0; i < len(fields); i += 2 {
		b = fmt.Appendf(b, "%s: %s\r\n", fields[i], fields[i+1])
	}
	if m.IntN(3) > 0 {
		b = fmt.Appendf(b, "Content-Length: %d\r\n\r\n", len(r.body)+m.IntN(20)/19)
		return append(b, r.body...)
	}
	b = append(b, "Transfer-Encoding: chunked\r\n\r\n"...)
	for body := r.body; len(body) > 0; {
		n := 1 + m.IntN(len(body))
		b = fmt.Appendf(b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return append(b, "0\r\n\r\n"...)
}

// spoiltBody is a few requests of which only the bodies are damaged.
func (m httpMutator) spoiltBody() []byte {
	return m.some(5, func() []byte {
		r := m.inJSON("/v1/default/" + pick(m.mutator, "telemetry/mutated", "jobs", "alerts") + "/messages")
		r.body = m.damage(r.body)
		return m.encode(r)
	})
}

// resume opens an event stream of a queue, has it break, and comes back with what may be the id of the last event.
func (m httpMutator) resume(door string) error {
	const queue = "/v1/default/jobs/"
	nc, err := net.Dial("tcp", door)
	if err != nil {
		return err
	}
	defer nc.Close()
	hello := m.encode(request{"POST", queue + "messages", "", []byte("streamed")})
	hello = append(hello, m.encode(request{"GET", queue + "stream", "", nil})...)
	if _, err := nc.Write(hello); err != nil {
		return nil
	}
	// Another client may have taken the message: then nothing comes.
	if err := nc.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return err
	}
	said, _ := io.ReadAll(nc)
	nc.Close()
	id := "AAAAAAAAAAAAAAAAAAAAAA.1"
	if at := bytes.LastIndex(said, []byte("\nid: ")); at >= 0 {
		id, _, _ = strings.Cut(string(said[at+len("\nid: "):]), "\n")
	}
	if m.IntN(2) == 0 {
		id = string(m.damage([]byte(id)))
	}
	return m.pour(door, fmt.Appendf(nil, "GET %sstream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s\r\n\r\n", queue, id))
}

// order is a message over WebSocket, as it is or damaged.
func (m httpMutator) order() []byte {
	n := m.IntN(3)
	address := pick(m.mutator, "telemetry/mutated", "jobs", "commands/a", "alerts", "telemetry/#", "telemetry/mutated::mine", "nowhere")
	order := fmt.Sprintf(pick(m.mutator,
		`{"op":"connect","id":%d,"user":%q,"password":"x"}`,
		`{"op":"send","id":%d,"address":%q,"message":{"body":"21.5","properties":{"a":1}}}`,
		`{"op":"send","id":%d,"address":%q,"message":{"bodyBase64":"/w==","ttl":0.5}}`,
		`{"op":"subscribe","id":%d,"subscription":1,"address":%q,"credit":3,"settle":true}`,
		`{"op":"subscribe","id":%d,"subscription":2,"address":%q,"selector":"a = 1","retained":false}`,
		`{"op":"credit","id":%d,"subscription":1,"credit":1000000,"address":%q}`,
		`{"op":"settle","id":%d,"delivery":1,"outcome":"accepted","reason":%q}`,
		`{"op":"settle","id":%d,"delivery":2,"outcome":"rejected","reason":%q}`,
		`{"op":"unsubscribe","id":%d,"subscription":1,"address":%q}`), n, address)
	text := []byte(order)
	if m.IntN(3) == 0 {
		text = m.damage(text)
	}
	const textFrame, ping = 1, 9
	return appendWebSocketFrame(nil, pick[byte](m.mutator, textFrame, textFrame, textFrame, ping), m.IntN(8) > 0, text)
}

package isolation

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Paths in which a name stands as it is, and escaped once or twice.
var httpParty = party{"HTTP", []deed{
	{"head", func(v *visit) func() {
		v.each(func(path string) { v.http().ask("DELETE", path+"/messages/head?timeout=0", "", v.mark()) })
		return nil
	}, "jobs"},
	{"browse", func(v *visit) func() {
		v.each(func(path string) { v.http().ask("GET", path+"/messages", "", "") })
		return nil
	}, "dead"},
	{"stream", func(v *visit) func() {
		var all []*httpConn
		v.each(func(path string) { all = append(all, v.http().stream(path+"/stream")) })
		return func() {
			until := time.Now().Add(silence)
			for _, c := range all {
				c.listen(until)
			}
		}
	}, "telemetry/x"},
	{"durable subscription", func(v *visit) func() {
		subscription := "/v1/" + v.seat.tenant + "/telemetry/%23::" + url.PathEscape(v.name)
		v.http().ask("PUT", subscription+"/subscription", "", "")
		return func() { v.http().ask("DELETE", subscription+"/messages/head?timeout=0", "", "") }
	}, "reports"},
	{"post", func(v *visit) func() {
		v.each(func(path string) { v.http().ask("POST", path+"/messages", "", v.mark()) })
		return nil
	}, "jobs"},
	{"request", func(v *visit) func() {
		v.each(func(path string) { v.http().ask("POST", path+"/requests?timeout=0", "", v.mark()) })
		return nil
	}, ""},
	{"reply to", func(v *visit) func() {
		v.http().ask("POST", "/v1/"+v.seat.tenant+"/jobs/messages",
			"Manifold-Reply-To: "+url.PathEscape(v.name)+"\r\n", v.mark())
		return nil
	}, ""},
	{"path", func(v *visit) func() {
		for _, path := range []string{"/" + strings.TrimPrefix(v.name, "/"), "/v1/" + v.name} {
			for _, end := range []string{"", "/messages", "/stream", "/messages/head"} {
				v.http().ask("GET", raw(path+end), "", "")
				v.http().ask("POST", raw(path+end), "", v.mark())
			}
		}
		return nil
	}, ""},
}}

// each gives the paths in which the name may stand.
func (v *visit) each(f func(path string)) {
	once := url.PathEscape(v.name)
	for _, spelt := range []string{once, strings.ReplaceAll(once, "%2F", "/"), raw(v.name), url.PathEscape(once)} {
		f("/v1/" + v.seat.tenant + "/" + spelt)
	}
}

// raw is a name as it may stand in a request line, where blanks and line ends would end it.
func raw(name string) string {
	return strings.NewReplacer(" ", "%20", "\r", "%0D", "\n", "%0A", "\x00", "%00").Replace(name)
}

// httpConn is a connection of HTTP/1.1 that sends requests as they are.
type httpConn struct {
	net.Conn
	v    *visit
	from *bufio.Reader
}

func (v *visit) http() *httpConn {
	conn := v.dial("tcp", "http")
	return &httpConn{conn, v, bufio.NewReader(conn)}
}

func (c *httpConn) send(method, path, header, body string) {
	host := c.v.seat.host
	if host == "" {
		host = "localhost"
	}
	if c.v.seat.user != "" {
		header += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(c.v.seat.user+":"+c.v.seat.password)) + "\r\n"
	}
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s",
		method, path, host, len(body), header, body)
}

// ask makes a request and reads the answer, of a stream only how it begins.
func (c *httpConn) ask(method, path, header, body string) {
	c.send(method, path, header, body)
	answer, err := http.ReadResponse(c.from, &http.Request{Method: method})
	if err != nil {
		return
	}
	if answer.ContentLength < 0 {
		c.listen(time.Now().Add(20 * time.Millisecond))
		return
	}
	io.Copy(io.Discard, answer.Body)
}

func (c *httpConn) stream(path string) *httpConn {
	c.send("GET", path, "Accept: text/event-stream\r\n", "")
	if answer, err := http.ReadResponse(c.from, &http.Request{Method: "GET"}); err != nil || answer.StatusCode != http.StatusOK {
		c.Close()
	}
	return c
}

// listen reads what comes until a time, or until the secret has come.
func (c *httpConn) listen(until time.Time) {
	defer c.Close()
	c.SetReadDeadline(until)
	for p := make([]byte, 4<<10); !c.v.tap.has(secret); {
		if _, err := c.from.Read(p); err != nil {
			return
		}
	}
}

var socketParty = party{"WebSocket", []deed{
	{"subscribe", func(v *visit) func() {
		c := v.socket()
		c.order(map[string]any{"op": "subscribe", "id": 1, "subscription": 1, "address": v.name})
		return c.roundTrip
	}, "telemetry/x"},
	{"browse", func(v *visit) func() {
		c := v.socket()
		c.order(map[string]any{"op": "subscribe", "id": 1, "subscription": 1, "address": v.name, "browse": true})
		c.roundTrip()
		return nil
	}, ""},
	{"send", func(v *visit) func() {
		v.socket().order(map[string]any{"op": "send", "id": 1, "address": v.name, "message": map[string]any{"body": v.mark()}})
		return nil
	}, "jobs"},
}}

// socketConn speaks the JSON protocol; nil when it was not let in.
type socketConn struct {
	ctx  context.Context
	conn *websocket.Conn
}

func (v *visit) socket() *socketConn {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return v.dial("tcp", "http"), nil
	}}
	header := make(http.Header)
	if v.seat.user != "" {
		r := http.Request{Header: header}
		r.SetBasicAuth(v.seat.user, v.seat.password)
	}
	conn, _, err := websocket.Dial(v.ctx, "ws://"+v.world.doors["http"]+"/v1/"+url.PathEscape(v.seat.tenant)+"/socket",
		&websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport}, HTTPHeader: header, Host: v.seat.host,
			Subprotocols: []string{"manifold.v1"},
		})
	if err != nil {
		return nil
	}
	v.t.Cleanup(func() { conn.CloseNow() })
	return &socketConn{v.ctx, conn}
}

// order gives an order and waits for its answer.
func (c *socketConn) order(o map[string]any) {
	if c == nil {
		return
	}
	text, err := json.Marshal(o)
	if err != nil || c.conn.Write(c.ctx, websocket.MessageText, text) != nil {
		return
	}
	for {
		_, text, err := c.conn.Read(c.ctx)
		var answer struct {
			ID int `json:"id"`
		}
		if err != nil || json.Unmarshal(text, &answer) == nil && answer.ID == o["id"] {
			return
		}
	}
}

func (c *socketConn) roundTrip() {
	for i := range 2 {
		c.order(map[string]any{"op": "unsubscribe", "id": 10 + i, "subscription": 99})
	}
}

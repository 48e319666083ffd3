package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"time"
)

// errLineClosed is why a line ends that we have closed.
var errLineClosed = errors.New("the driver closed the connection")

// httpLine is what one publisher, subscriber or idler says to an HTTP server: requests on one connection of HTTP/2, or
// on as many of HTTP/1.1 as there are requests at a time. The client is net/http's. It costs the driver about as much as
// a server, which has to be read beside the figures; but a request costs any server so much that it does not spoil them.
type httpLine struct {
	door   httpDoor
	client *nethttp.Transport
	live   context.Context // of all requests; its cause is why the line has ended
	end    context.CancelCauseFunc
}

// httpDoor is where requests go.
type httpDoor struct {
	protocol           Protocol // HTTP or HTTP2
	address            string
	tenant             string
	username, password string
	source             net.Addr // nil lets the kernel choose
	atOnce             int      // requests at a time
}

func newHTTPLine(d httpDoor) httpLine {
	live, end := context.WithCancelCause(context.Background())
	protocols := new(nethttp.Protocols)
	protocols.SetHTTP1(d.protocol == HTTP)
	protocols.SetUnencryptedHTTP2(d.protocol == HTTP2)
	return httpLine{door: d, live: live, end: end, client: &nethttp.Transport{
		DialContext:         d.dial,
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConnsPerHost: d.atOnce,
	}}
}

func (d *httpDoor) dial(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := dial(ctx, address, d.source)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// at gives the URL of an endpoint of an address or filter, such as "stream?data=raw".
func (d *httpDoor) at(address, endpoint string) string {
	return "http://" + d.address + "/v1/" + url.PathEscape(d.tenant) + "/" + url.PathEscape(address) + "/" + endpoint
}

// request gives a request with a body of octets, or none.
func (l *httpLine) request(method, target string, body []byte) (*nethttp.Request, error) {
	r, err := nethttp.NewRequestWithContext(l.live, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header["Content-Type"] = []string{"application/octet-stream"}
	}
	if l.door.username != "" {
		r.SetBasicAuth(l.door.username, l.door.password)
	}
	return r, nil
}

// ask sends a request and gives the answer, whose body the caller closes.
func (l *httpLine) ask(method, target string, body []byte) (*nethttp.Response, error) {
	r, err := l.request(method, target, body)
	if err != nil {
		return nil, err
	}
	return l.client.RoundTrip(r)
}

// handshake has do return in time and before ctx ends, or ends the line.
func (l *httpLine) handshake(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, l.close)()
	if err := do(); err != nil {
		return cmp.Or(context.Cause(ctx), broken(err))
	}
	return nil
}

// probe asks what may be done with a resource: who gets an answer is connected, and let in.
func (l *httpLine) probe(target string) error {
	res, err := l.ask(nethttp.MethodOptions, target, nil)
	if err != nil {
		return err
	}
	defer discard(res)
	if res.StatusCode/100 != 2 {
		return problemOf(res)
	}
	return nil
}

// problemOf tells what an answer is that nobody wanted, with the detail of its problem document (RFC 9457, section 3.1).
func problemOf(res *nethttp.Response) error {
	const most = 4 << 10
	var problem struct{ Detail string }
	_ = json.NewDecoder(io.LimitReader(res.Body, most)).Decode(&problem) // what is no problem document has no detail
	detail := ""
	if problem.Detail != "" {
		detail = ": " + problem.Detail
	}
	return fmt.Errorf("%s %s: %s%s", res.Request.Method, res.Request.URL.EscapedPath(), res.Status, detail)
}

// discard reads an answer to its end, so that its connection can be used again.
func discard(res *nethttp.Response) {
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

// farewell implements line; HTTP has none.
func (l *httpLine) farewell() {}

// close implements line.
func (l *httpLine) close() {
	l.end(errLineClosed)
	l.client.CloseIdleConnections()
}

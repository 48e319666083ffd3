package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/options/config"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	"github.com/plgd-dev/go-coap/v3/tcp"
	"github.com/plgd-dev/go-coap/v3/udp"
	"github.com/plgd-dev/go-coap/v3/udp/client"
)

// dialCoAP connects a client of go-coap until the test ends: over TCP to a door of that, over UDP to others, with more
// options. It has as many requests under way as it is asked for.
func dialCoAP(t *testing.T, doors map[string]string, door string, more ...udp.Option) mux.Conn {
	t.Helper()
	all, allHere := options.WithLimitClientParallelRequest(0), options.WithLimitClientEndpointParallelRequest(0)
	ended := make(chan struct{})
	repeat := options.WithPeriodicRunner(periodic.New(ended, 100*time.Millisecond)) // looks for what was not acknowledged
	var conn mux.Conn
	var err error
	if door == "coap+tcp" {
		conn, err = tcp.Dial(doors[door], all, allHere, repeat)
	} else {
		more = append(more, all, allHere, repeat, options.WithTransmission(8, 2*time.Second, 4))
		conn, err = udp.Dial(doors[door], more...)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		close(ended)
	})
	return conn
}

// afterNotification has f called when a notification has been handled and acknowledged.
func afterNotification(f func()) udp.Option {
	return options.WithProcessReceivedMessageFunc(
		func(m *pool.Message, c *client.Conn, handle config.HandlerFunc[*client.Conn]) {
			isOne := m.HasOption(message.Observe)
			c.ProcessReceivedMessageWithHandler(m, handle)
			if isOne {
				f()
			}
		})
}

// coapRequest begins a request. A path is levels with "/" between, which may be empty.
func coapRequest(ctx context.Context, conn mux.Conn, code codes.Code, path string) (*pool.Message, error) {
	token, err := message.GetToken()
	if err != nil {
		return nil, err
	}
	request := conn.AcquireMessage(ctx)
	request.SetCode(code)
	request.SetToken(token)
	for level := range strings.SplitSeq(path, "/") {
		request.AddOptionString(message.URIPath, level)
	}
	return request, nil
}

// doCoAP makes a request and checks the code of its answer. If it is asked to prove its address, it does, which go-coap
// leaves to it (RFC 9175 section 2.3).
func doCoAP(conn mux.Conn, request *pool.Message, want codes.Code) (*pool.Message, error) {
	const echo message.OptionID = 252
	answer, err := conn.Do(request)
	if err == nil && answer.HasOption(echo) {
		value, _ := answer.GetOptionBytes(echo)
		request.SetOptionBytes(echo, value)
		request.SetMessageID(message.GetMID())
		answer, err = conn.Do(request)
	}
	if err != nil {
		return nil, err
	}
	if answer.Code() != want {
		text, err := answer.ReadBody()
		return nil, errors.Join(fmt.Errorf("%v %q", answer.Code(), text), err)
	}
	return answer, nil
}

// endObservation takes back a request to observe, whatever the answer says of the address.
func endObservation(conn mux.Conn, request *pool.Message) error {
	request.SetObserve(1)
	request.SetMessageID(message.GetMID())
	_, err := conn.Do(request)
	return err
}

// locationOf gives an answer's Location-Path.
func locationOf(answer *pool.Message) string {
	var levels []string
	for _, o := range answer.Options() {
		if o.ID == message.LocationPath {
			levels = append(levels, string(o.Value))
		}
	}
	return strings.Join(levels, "/")
}

// coapUser makes requests, within the tenant that their Uri-Host names.
type coapUser struct {
	ctx    context.Context
	t      *testing.T
	conn   mux.Conn
	tenant string      // empty for no Uri-Host
	came   chan string // notifications
}

func (u *coapUser) request(method codes.Code, path, body string, queries ...string) *pool.Message {
	u.t.Helper()
	request, err := coapRequest(u.ctx, u.conn, method, path)
	if err != nil {
		u.t.Fatal(err)
	}
	if u.tenant != "" {
		request.SetOptionString(message.URIHost, u.tenant+".gateway.example")
	}
	for _, q := range queries {
		request.AddQuery(q)
	}
	if body != "" {
		request.SetBody(strings.NewReader(body))
	}
	return request
}

// do makes a request and gives the text of its answer, too.
func (u *coapUser) do(request *pool.Message) (answer *pool.Message, text string) {
	u.t.Helper()
	answer, err := u.conn.Do(request)
	if err != nil {
		u.t.Fatal(err)
	}
	body, err := answer.ReadBody()
	if err != nil {
		u.t.Fatal(err)
	}
	return answer, string(body)
}

// ask makes a request and checks the code of its answer.
func (u *coapUser) ask(want, method codes.Code, path, body string, queries ...string) (location, text string) {
	u.t.Helper()
	answer, text := u.do(u.request(method, path, body, queries...))
	if answer.Code() != want {
		u.t.Fatalf("%v %s at %q is answered %v %q, want %v", method, path, u.tenant, answer.Code(), text, want)
	}
	return locationOf(answer), text
}

// observe has what comes at a path told, but for what has no body.
func (u *coapUser) observe(path string) {
	u.t.Helper()
	request := u.request(codes.GET, path, "")
	request.SetObserve(0)
	_, err := u.conn.DoObserve(request, func(notification *pool.Message) {
		text, err := notification.ReadBody()
		if err != nil {
			text = []byte(err.Error())
		}
		if len(text) > 0 {
			u.came <- string(text)
		}
	})
	if err != nil {
		u.t.Fatalf("observing %s at %q: %v", path, u.tenant, err)
	}
}

// expect waits for a notification and wants it to be this one.
func (u *coapUser) expect(text string) {
	u.t.Helper()
	select {
	case got := <-u.came:
		if got != text {
			u.t.Errorf("heard %q at %q, want %q", got, u.tenant, text)
		}
	case <-u.ctx.Done():
		u.t.Fatalf("%q is not heard at %q", text, u.tenant)
	}
}

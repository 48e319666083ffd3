package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/paho"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
)

// lodger is a client of one protocol, the user sensor whose password is "a". What it is told is one word of its protocol:
// a condition, a code, a status; empty if all is well.
type lodger interface {
	enter() (told string)        // comes in, and stays
	send(to, body string) string // waits for the outcome
	receive(from string) string  // makes a link
	awaitEnd() string            // waits until it is sent away
}

// lodging is where a lodger is.
type lodging struct {
	ctx   context.Context
	t     *testing.T
	doors map[string]string
}

func (p *lodging) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

var lodgers = []struct {
	protocol string
	come     func(*lodging) lodger
	// What it is told when it is refused for a quota, as too large, as denied, and when its user is gone.
	quota, tooLarge, denied, gone string
	full                          string // when it comes in and there are too many
	paced                         bool   // it is held back and not refused when it is too fast
}{
	{"AMQP", func(p *lodging) lodger { return &amqpLodger{lodging: p} },
		"amqp:resource-limit-exceeded", "amqp:link:message-size-exceeded", "amqp:unauthorized-access", "amqp:unauthorized-access", "amqp:resource-limit-exceeded", true},
	{"MQTT", func(p *lodging) lodger { return &mqttLodger{lodging: p} }, "0x97", "0x97", "0x87", "0x87", "0x97", true},
	{"STOMP", func(p *lodging) lodger { return &stompLodger{lodging: p} }, "quota", "too large", "denied", "unauthenticated", "quota", true},
	{"HTTP", func(p *lodging) lodger { return &httpLodger{lodging: p} }, "429", "413", "403", "end", "429", false},
	{"WebSocket", func(p *lodging) lodger { return &socketLodger{lodging: p} }, "429", "413", "1008", "1008", "1008", false},
	{"CoAP", func(p *lodging) lodger { return &coapLodger{lodging: p} },
		codes.TooManyRequests.String(), codes.RequestEntityTooLarge.String(), codes.Forbidden.String(), codes.Unauthorized.String(),
		codes.TooManyRequests.String(), false},
}

type amqpLodger struct {
	*lodging
	client *amqpClient
}

func (l *amqpLodger) enter() string {
	client, err := connectAMQP(l.ctx, l.doors["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("sensor", "a")})
	if err != nil {
		return conditionOf(err)
	}
	l.t.Cleanup(func() { client.conn.Close() })
	l.client = client
	return ""
}

// conditionOf gives the condition that the other side ended something with.
func conditionOf(err error) string {
	if e, ok := errors.AsType[*goamqp.ConnError](err); ok && e.RemoteErr != nil {
		return string(e.RemoteErr.Condition)
	}
	if e, ok := errors.AsType[*goamqp.LinkError](err); ok && e.RemoteErr != nil {
		return string(e.RemoteErr.Condition)
	}
	if e, ok := errors.AsType[*goamqp.Error](err); ok {
		return string(e.Condition)
	}
	return fmt.Sprint(err)
}

func (l *amqpLodger) send(to, body string) string {
	link, err := l.client.session.NewSender(l.ctx, to, nil)
	if err == nil {
		defer link.Close(l.ctx)
		err = sendAMQP(l.ctx, link, goamqp.NewMessage([]byte(body)))
	}
	if err != nil && strings.Contains(err.Error(), "max message size") { // go-amqp has heard of it in the attach
		return "amqp:link:message-size-exceeded"
	}
	if err != nil {
		return conditionOf(err)
	}
	return ""
}

func (l *amqpLodger) receive(from string) string {
	if _, err := l.client.session.NewReceiver(l.ctx, from, nil); err != nil {
		return conditionOf(err)
	}
	return ""
}

func (l *amqpLodger) awaitEnd() string {
	select {
	case <-l.client.conn.Done():
		return conditionOf(l.client.conn.Err())
	case <-l.ctx.Done():
		return "nothing"
	}
}

type mqttLodger struct {
	*lodging
	client *paho.Client
	ended  chan string
}

func (l *mqttLodger) enter() string {
	conn, err := new(net.Dialer).DialContext(l.ctx, "tcp", l.doors["mqtt"])
	l.must(err)
	l.t.Cleanup(func() { conn.Close() })
	l.ended = make(chan string, 1)
	l.client = paho.NewClient(paho.ClientConfig{Conn: conn, OnServerDisconnect: func(d *paho.Disconnect) {
		l.ended <- fmt.Sprintf("%#x", d.ReasonCode)
	}})
	answer, err := l.client.Connect(l.ctx, &paho.Connect{
		CleanStart: true, Username: "sensor", UsernameFlag: true, Password: []byte("a"), PasswordFlag: true,
	})
	if err != nil && answer != nil {
		return fmt.Sprintf("%#x", answer.ReasonCode)
	}
	l.must(err)
	return ""
}

func (l *mqttLodger) send(to, body string) string {
	answer, err := l.client.Publish(l.ctx, &paho.Publish{Topic: to, QoS: 1, Payload: []byte(body)})
	if answer != nil && answer.ReasonCode >= 0x80 {
		return fmt.Sprintf("%#x", answer.ReasonCode)
	}
	l.must(err)
	return ""
}

func (l *mqttLodger) receive(from string) string {
	answer, err := l.client.Subscribe(l.ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: from, QoS: 1}}})
	if answer != nil && answer.Reasons[0] >= 0x80 {
		return fmt.Sprintf("%#x", answer.Reasons[0])
	}
	l.must(err)
	return ""
}

func (l *mqttLodger) awaitEnd() string {
	select {
	case word := <-l.ended:
		return word
	case <-l.ctx.Done():
		return "nothing"
	}
}

type stompLodger struct {
	*lodging
	conn  net.Conn
	lines *bufio.Reader
	links int
}

func (l *stompLodger) enter() string {
	conn, err := new(net.Dialer).DialContext(l.ctx, "tcp", l.doors["stomp"])
	l.must(err)
	l.t.Cleanup(func() { conn.Close() })
	deadline, _ := l.ctx.Deadline()
	l.must(conn.SetDeadline(deadline))
	l.conn, l.lines = conn, bufio.NewReader(conn)
	return l.ask("CONNECT\naccept-version:1.2\nhost:default\nlogin:sensor\npasscode:a\n\n")
}

// ask says something and gives the header message of the ERROR that answers it, if one does.
func (l *stompLodger) ask(frame string) string {
	_, err := io.WriteString(l.conn, frame+"\x00")
	l.must(err)
	return l.hear()
}

func (l *stompLodger) hear() string {
	text, err := l.lines.ReadString(0)
	l.must(err)
	if !strings.HasPrefix(strings.TrimSpace(text), "ERROR") {
		return ""
	}
	_, rest, _ := strings.Cut(text, "\nmessage:")
	word, _, _ := strings.Cut(rest, "\n")
	return word
}

func (l *stompLodger) send(to, body string) string {
	return l.ask("SEND\ndestination:" + to + "\nreceipt:1\n\n" + body)
}

func (l *stompLodger) receive(from string) string {
	l.links++
	return l.ask(fmt.Sprintf("SUBSCRIBE\nid:%d\ndestination:%s\nreceipt:1\n\n", l.links, from))
}

func (l *stompLodger) awaitEnd() string { return l.hear() }

// httpLodger stays by a stream of events.
type httpLodger struct {
	*lodging
	stays io.ReadCloser
}

func (l *httpLodger) do(method, path, body string) (told string, answer *http.Response) {
	request, err := http.NewRequestWithContext(l.ctx, method, "http://"+l.doors["http"]+"/v1/default/"+path, strings.NewReader(body))
	l.must(err)
	request.SetBasicAuth("sensor", "a")
	answer, err = http.DefaultTransport.RoundTrip(request)
	l.must(err)
	if answer.StatusCode >= 300 {
		answer.Body.Close()
		return fmt.Sprint(answer.StatusCode), nil
	}
	l.t.Cleanup(func() { answer.Body.Close() })
	return "", answer
}

func (l *httpLodger) enter() string {
	told, answer := l.do(http.MethodGet, "news%2Fhttp/stream", "")
	if told == "" {
		l.stays = answer.Body
	}
	return told
}

func (l *httpLodger) send(to, body string) string {
	told, _ := l.do(http.MethodPost, to+"/messages", body)
	return told
}

func (l *httpLodger) receive(from string) string {
	told, _ := l.do(http.MethodGet, from+"/stream", "")
	return told
}

func (l *httpLodger) awaitEnd() string {
	if _, err := io.Copy(io.Discard, l.stays); err != nil {
		return err.Error()
	}
	return "end"
}

type socketLodger struct {
	*lodging
	conn   *websocket.Conn
	orders uint64
}

func (l *socketLodger) enter() string {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth("sensor", "a")
	var err error
	l.conn, _, err = websocket.Dial(l.ctx, "ws://"+l.doors["http"]+"/v1/default/socket", &websocket.DialOptions{HTTPHeader: r.Header})
	l.must(err)
	l.t.Cleanup(func() { l.conn.CloseNow() })
	if told := l.give(order{Op: "unsubscribe", Subscription: 99}); told != "404" { // the first order lets it in
		return told
	}
	return ""
}

// give gives an order, and tells the status of the answer if it is not of success, or of the end of the connection.
func (l *socketLodger) give(o order) string {
	l.orders++
	o.ID = l.orders
	l.must(l.conn.Write(l.ctx, websocket.MessageText, marshal(o)))
	_, text, err := l.conn.Read(l.ctx)
	if err != nil {
		return fmt.Sprintf("%d", websocket.CloseStatus(err))
	}
	var n notice
	l.must(json.Unmarshal(text, &n))
	if n.Status >= 300 {
		return fmt.Sprint(n.Status)
	}
	return ""
}

func (l *socketLodger) send(to, body string) string {
	return l.give(order{Op: "send", Address: to, Message: new(draftOf(fields{dataBody: body}))})
}

func (l *socketLodger) receive(from string) string {
	return l.give(order{Op: "subscribe", Address: from, Subscription: l.orders + 1})
}

func (l *socketLodger) awaitEnd() string {
	_, _, err := l.conn.Read(l.ctx)
	return fmt.Sprintf("%d", websocket.CloseStatus(err))
}

// coapLodger stays by an observation.
type coapLodger struct {
	*lodging
	user  *coapUser
	ended chan string
}

func (l *coapLodger) enter() string {
	if l.user == nil {
		l.user = &coapUser{ctx: l.ctx, t: l.t, conn: dialCoAP(l.t, l.doors, "coap")}
	}
	l.ended = make(chan string, 1)
	return l.observe("news/coap")
}

// ask makes a request and gives the code of an answer that is no success.
func (l *coapLodger) ask(method codes.Code, path, body string) string {
	request := l.user.request(method, path, body, "user=sensor", "password=a")
	answer, err := doCoAPAny(l.user, request)
	l.must(err)
	if answer.Code() >= codes.BadRequest {
		return answer.Code().String()
	}
	return ""
}

// doCoAPAny is doCoAP whatever the answer.
func doCoAPAny(u *coapUser, request *pool.Message) (*pool.Message, error) {
	const echo message.OptionID = 252
	answer, err := u.conn.Do(request)
	if err == nil && answer.HasOption(echo) {
		value, _ := answer.GetOptionBytes(echo)
		request.SetOptionBytes(echo, value)
		request.SetMessageID(message.GetMID())
		answer, err = u.conn.Do(request)
	}
	return answer, err
}

func (l *coapLodger) observe(address string) string {
	l.ask(codes.GET, "a/"+address, "") // proves the address
	request := l.user.request(codes.GET, "a/"+address, "", "user=sensor", "password=a")
	request.SetObserve(0)
	first, begun := make(chan codes.Code, 1), false
	_, err := l.user.conn.DoObserve(request, func(m *pool.Message) {
		if !begun {
			begun = true
			first <- m.Code()
		} else if m.Code() >= codes.BadRequest {
			l.ended <- m.Code().String()
		}
	})
	if err != nil { // go-coap takes a refusal for an error
		return l.ask(codes.POST, "a/news/none", "x")
	}
	if code := <-first; code >= codes.BadRequest {
		return code.String()
	}
	return ""
}

func (l *coapLodger) send(to, body string) string { return l.ask(codes.POST, "a/"+to, body) }

func (l *coapLodger) receive(from string) string { return l.observe(from) }

func (l *coapLodger) awaitEnd() string {
	select {
	case word := <-l.ended:
		return word
	case <-l.ctx.Done():
		return "nothing"
	}
}

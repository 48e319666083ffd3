package isolation

import (
	"crypto/rand"
	"net"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

var coapParty = party{"CoAP", []deed{
	{"get", func(v *visit) func() {
		c := v.coap()
		c.ask(codes.GET, "a/"+v.name, false, "")
		return nil
	}, "telemetry/kept"},
	{"observe", func(v *visit) func() {
		c := v.coap()
		c.ask(codes.GET, "a/"+v.name, true, "")
		return c.ping
	}, "telemetry/x"},
	{"head", func(v *visit) func() {
		v.coap().ask(codes.DELETE, "q/"+v.name+"/head", false, "", "timeout=0")
		return nil
	}, "jobs"},
	{"post", func(v *visit) func() {
		v.coap().ask(codes.POST, "a/"+v.name, false, v.mark())
		return nil
	}, "jobs"},
	{"discover", func(v *visit) func() {
		c := v.coap()
		c.ask(codes.GET, ".well-known/core", false, "")
		c.ask(codes.GET, ".well-known/core", false, "", "href="+v.name)
		c.ask(codes.GET, ".well-known/core", false, "", "href=/a/"+v.name)
		return nil
	}, "*"},
	{"publish and subscribe", func(v *visit) func() {
		c := v.coap()
		c.ask(codes.GET, "ps", false, "")
		c.ask(codes.GET, "ps/conf/"+v.name, false, "")
		c.ask(codes.PUT, "ps/data/"+v.name, false, v.mark())
		c.ask(codes.GET, "ps/data/"+v.name, true, "")
		return c.ping
	}, ""},
	{"path", func(v *visit) func() {
		c := v.coap()
		v.coap().ask(codes.POST, v.name, false, v.mark())
		c.ask(codes.GET, v.name, true, "")
		return c.ping
	}, ""},
}}

// coapConn is a socket for CoAP over UDP.
type coapConn struct {
	net.Conn
	v  *visit
	id int32
}

func (v *visit) coap() *coapConn { return &coapConn{v.dial("udp", "coap"), v, 0} }

// ask makes a request and waits for its answer. A path is levels with "/" between.
func (c *coapConn) ask(method codes.Code, path string, observe bool, body string, queries ...string) {
	var options message.Options
	add := func(id message.OptionID, value []byte) { options = options.Add(message.Option{ID: id, Value: value}) }
	if c.v.seat.host != "" {
		add(message.URIHost, []byte(c.v.seat.host))
	}
	if observe {
		add(message.Observe, nil)
	}
	for level := range strings.SplitSeq(path, "/") {
		add(message.URIPath, []byte(level))
	}
	if c.v.seat.user != "" {
		queries = append(queries, "user="+c.v.seat.user, "password="+c.v.seat.password)
	}
	for _, q := range queries {
		add(message.URIQuery, []byte(q))
	}
	token := make([]byte, 8)
	rand.Read(token)
	c.send(message.Message{Type: message.Confirmable, Code: method, Token: token, Options: options, Payload: []byte(body)})
	if method == codes.POST {
		c.SetReadDeadline(time.Now().Add(silence))
	}
	c.await(func(m *message.Message) bool { return string(m.Token) == string(token) })
}

func (c *coapConn) send(m message.Message) {
	c.id++
	m.MessageID = c.id
	c.write(m)
}

func (c *coapConn) write(m message.Message) {
	size, err := coder.DefaultCoder.Size(m)
	if err != nil {
		return
	}
	p := make([]byte, size)
	if _, err := coder.DefaultCoder.Encode(m, p); err == nil {
		c.Write(p)
	}
}

// ping waits for the answer to an empty message (RFC 7252 section 4.3), twice.
func (c *coapConn) ping() {
	for range 2 {
		c.send(message.Message{Type: message.Confirmable})
		id := c.id
		c.await(func(m *message.Message) bool { return m.Type == message.Reset && m.MessageID == id })
	}
}

// await reads until a message is the one. It answers pings and acknowledges what has to be.
func (c *coapConn) await(is func(*message.Message) bool) {
	p := make([]byte, 64<<10)
	for {
		n, err := c.Read(p)
		if err != nil {
			return
		}
		m := message.Message{Options: make(message.Options, 0, 32)}
		if _, err := coder.DefaultCoder.Decode(p[:n], &m); err != nil {
			continue
		}
		switch {
		case m.Type == message.Confirmable && m.Code == codes.Empty:
			c.write(message.Message{Type: message.Reset, MessageID: m.MessageID})
		case m.Type == message.Confirmable:
			c.write(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID})
		}
		if is(&m) {
			return
		}
	}
}

package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// patience is how long a client waits for something that has to come.
const patience = 30 * time.Second

// performative is a frame's body that can be written and read.
type performative interface {
	Append(dst []byte) []byte
	Read(d *amqp.Decoder) error
}

// failure is what a container does wrong; it ends a scenario as a panic, which TestConformance recovers.
type failure string

// absence is something that a container need not have and has not, so that there is nothing to look at.
type absence string

func (c *client) absent(what string) { panic(absence(what)) }

// client is a container's raw peer on one connection. Whatever is not as the standard says is a failure.
type client struct {
	t          testing.TB // for what is not the container's fault
	host       *host
	nc         *net.TCPConn
	in         *bufio.Reader
	maxFrame   uint32              // that we take
	maxChannel uint16              // that we take
	login      *frame.SASLInit     // who we say that we are
	remote     frame.Open          // the host's
	channels   map[uint16]bool     // that the host has begun sessions on
	sessions   map[uint16]*session // ours, by those channels
	patience   time.Duration
	barriers   int
	slips      []string // mistakes of the host that a conversation can go on with
}

// dial connects, and says nothing.
func dial(t testing.TB, h *host) *client { return dialTo(t, h, h.addr, h.login) }

// dialTo connects to one of the host's doors.
func dialTo(t testing.TB, h *host, addr string, login *frame.SASLInit) *client {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &client{
		t: t, host: h, login: login, patience: patience,
		nc: nc.(*net.TCPConn), in: bufio.NewReader(nc), maxFrame: frame.MinMaxSize,
		channels: map[uint16]bool{}, sessions: map[uint16]*session{},
	}
}

// another connects once more, for a case that needs two connections.
func (c *client) another() *client { return dial(c.t, c.host) }

// strict connects to the host's door for those who must say who they are, and may not be silent for long. With a host
// that has but one door it is that.
func (c *client) strict() *client { return dialTo(c.t, c.host, c.host.strict, c.host.strictLogin) }

// slip notes a mistake that the scenario need not be about. One that is about it ends with withoutSlips.
func (c *client) slip(mistake string) { c.slips = append(c.slips, mistake) }

func (c *client) withoutSlips() {
	if len(c.slips) > 0 {
		c.failf("%s", c.slips[0])
	}
}

func (c *client) failf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// write sends bytes as they are.
func (c *client) write(b []byte) {
	c.nc.SetWriteDeadline(time.Now().Add(c.patience))
	if _, err := c.nc.Write(b); err != nil && !isClosed(err) {
		c.failf("write: %v", err)
	}
}

// silence says why nothing came, without the addresses of this run.
func silence(err error) string {
	if isClosed(err) {
		return "the connection was closed"
	}
	return "the host is silent"
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ENOTCONN)
}

// encode gives the frame of a performative.
func encode(channel uint16, p performative, payload ...byte) []byte {
	layer := frame.AMQP
	switch p.(type) {
	case *frame.SASLMechanisms, *frame.SASLInit, *frame.SASLChallenge, *frame.SASLResponse, *frame.SASLOutcome:
		layer = frame.SASL
	}
	return frame.Finish(append(p.Append(frame.Start(nil, layer, channel)), payload...), 0)
}

func (c *client) send(channel uint16, p performative, payload ...byte) {
	c.write(encode(channel, p, payload...))
}

// header says a protocol header and expects the same one.
func (c *client) header(h frame.ProtocolHeader) {
	c.write(h[:])
	c.expectHeader(h)
}

func (c *client) expectHeader(want frame.ProtocolHeader) {
	if got := c.readHeader(); got != want {
		c.failf("protocol header is % x, want % x", got, want)
	}
}

func (c *client) readHeader() (h frame.ProtocolHeader) {
	c.nc.SetReadDeadline(time.Now().Add(c.patience))
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		c.failf("no protocol header came: %s", silence(err))
	}
	return h
}

// received is a frame of the host.
type received struct {
	channel uint16
	body    performative
	payload []byte
}

func (r received) String() string {
	if r.body == nil {
		return "the end of the connection"
	}
	v := reflect.Indirect(reflect.ValueOf(r.body))
	text := strings.ToLower(v.Type().Name())
	if f := v.FieldByName("Error"); f.IsValid() && !f.IsNil() {
		e := f.Interface().(*frame.Error)
		text += fmt.Sprintf(" with %s (%.60s)", e.Condition, e.Description)
	}
	return text
}

// next reads a frame; ok is false when the host has closed the connection.
func (c *client) next() (r received, ok bool) {
	for {
		h, body, err := c.readFrame()
		switch {
		case err != nil && isClosed(err):
			return received{}, false
		case err != nil:
			c.failf("nothing came within %v", c.patience)
		case len(body) == 0:
			continue // a heartbeat
		}
		r := c.decode(h, body)
		c.checkChannel(h, r)
		if s := c.sessions[r.channel]; s != nil && h.Type == frame.AMQP {
			s.checkHandle(r)
			if f, ok := r.body.(*frame.Flow); ok {
				s.flowed(f)
			}
		}
		return r, true
	}
}

// readFrame reads a frame of any kind.
func (c *client) readFrame() (h frame.Header, body []byte, err error) {
	c.nc.SetReadDeadline(time.Now().Add(c.patience))
	start, err := c.in.Peek(frame.HeaderSize)
	if err != nil {
		return h, nil, err
	}
	if h, err = frame.ReadHeader(start); err != nil {
		c.failf("header of a frame: %v", err)
	}
	if h.Size > c.maxFrame {
		c.failf("frame of %d bytes, beyond %d", h.Size, c.maxFrame)
	}
	b := make([]byte, h.Size)
	if _, err := io.ReadFull(c.in, b); err != nil {
		return h, nil, err
	}
	return h, b[h.Body:], nil
}

// bodies makes what a frame may hold, by layer and descriptor.
var bodies = map[frame.Type]map[uint64]func() performative{
	frame.AMQP: {
		amqp.DescriptorOpen:        func() performative { return new(frame.Open) },
		amqp.DescriptorBegin:       func() performative { return new(frame.Begin) },
		amqp.DescriptorAttach:      func() performative { return new(frame.Attach) },
		amqp.DescriptorFlow:        func() performative { return new(frame.Flow) },
		amqp.DescriptorTransfer:    func() performative { return new(frame.Transfer) },
		amqp.DescriptorDisposition: func() performative { return new(frame.Disposition) },
		amqp.DescriptorDetach:      func() performative { return new(frame.Detach) },
		amqp.DescriptorEnd:         func() performative { return new(frame.End) },
		amqp.DescriptorClose:       func() performative { return new(frame.Close) },
	},
	frame.SASL: {
		amqp.DescriptorSASLMechanisms: func() performative { return new(frame.SASLMechanisms) },
		amqp.DescriptorSASLChallenge:  func() performative { return new(frame.SASLChallenge) },
		amqp.DescriptorSASLOutcome:    func() performative { return new(frame.SASLOutcome) },
	},
}

func (c *client) decode(h frame.Header, body []byte) received {
	d := amqp.NewDecoder(body)
	descriptor := d.ReadDescriptor()
	made := bodies[h.Type][descriptor]
	if made == nil {
		c.failf("frame of type %d with the descriptor %#x", h.Type, descriptor)
	}
	p := made()
	if err := p.Read(&d); err != nil {
		c.failf("%T: %v", p, err)
	}
	rest := body[d.Offset():]
	if _, ok := p.(*frame.Transfer); !ok && len(rest) > 0 {
		c.failf("%d bytes follow %T", len(rest), p)
	}
	return received{channel: h.Channel, body: p, payload: rest}
}

// checkChannel knows which channels the host has sessions on.
func (c *client) checkChannel(h frame.Header, r received) {
	switch r.body.(type) {
	case *frame.Open, *frame.Close:
	case *frame.Begin:
		if c.channels[h.Channel] {
			c.failf("second %v", r)
		}
		c.channels[h.Channel] = true
	default:
		if h.Type == frame.AMQP && !c.channels[h.Channel] {
			c.failf("%v, where there is no session", r)
		}
	}
	if _, ok := r.body.(*frame.End); ok {
		delete(c.channels, h.Channel)
		delete(c.sessions, h.Channel)
	}
}

// expect reads a frame that has to hold a T. Flows may come at any time, so others pass them over.
func expect[T any, P interface {
	*T
	performative
}](c *client) (P, received) {
	for {
		r, ok := c.next()
		if !ok {
			c.failf("the connection was closed, want %s", reflect.TypeFor[T]().Name())
		}
		if p, ok := r.body.(P); ok {
			return p, r
		}
		if _, ok := r.body.(*frame.Flow); !ok {
			c.failf("%v came, want %s", r, strings.ToLower(reflect.TypeFor[T]().Name()))
		}
	}
}

// expectClosed reads up to the end of the connection, and gives the close in between, nil if none was said.
func (c *client) expectClosed() (said *frame.Close) {
	for {
		r, ok := c.next()
		if !ok {
			return said
		}
		switch p := r.body.(type) {
		case *frame.Close:
			if said == nil {
				said = p
				c.send(0, &frame.Close{})
			}
		default:
			if said != nil {
				c.failf("%v came after close", r)
			}
		}
	}
}

// expectFault reads up to the end of the connection, which has to tell one of these errors.
func (c *client) expectFault(conditions ...amqp.Symbol) {
	said := c.expectClosed()
	if said == nil {
		c.failf("the connection was closed without a close")
	}
	c.checkCondition("close", said.Error, conditions)
}

func (c *client) checkCondition(where string, e *frame.Error, conditions []amqp.Symbol) {
	if e == nil {
		c.failf("%s has no error", where)
	}
	for _, want := range conditions {
		if e.Condition == want {
			return
		}
	}
	if len(conditions) > 0 {
		c.failf("%s has the condition %s, want %s", where, e.Condition, conditions[0])
	}
}

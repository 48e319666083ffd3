package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"golang.org/x/net/ipv4"
)

// coapOutlet is one CoAP endpoint that sends confirmable requests, as many at a time as the window allows, each of them
// again and again until it is answered: the kernel drops datagrams for which a socket has no room.
type coapOutlet struct {
	config    Config
	publisher *publisher
	request   []byte // of all requests, up to the payload
	payload   []byte // likewise

	conn   *net.UDPConn
	socket *ipv4.PacketConn
	in     []ipv4.Message
	out    []ipv4.Message // of who publishes
	again  []byte         // a request to send once more; of who listens
	spare  uint64         // answers that may come for nothing, since a request was sent more than once; likewise

	mu       sync.Mutex   // guards everything below
	underWay []coapErrand // by number modulo the window
}

// coapErrand is a request and when it is sent again.
type coapErrand struct {
	underWay
	open    bool          // it has no answer yet
	waits   time.Duration // after it was sent last; 0 when its answer will come by itself
	overdue time.Time
}

var _ outlet = (*coapOutlet)(nil)

// coapBatch is how many datagrams are read at once.
const coapBatch = 64

func newCoAPOutlet(r *run, i int, p *publisher) *coapOutlet {
	c := r.config
	method := codes.POST
	if c.Put {
		method = codes.PUT
	}
	o := &coapOutlet{
		config: c, publisher: p, request: appendCoAPRequest(nil, method, c.publishTopic(i), false),
		payload: appendPayload(nil, c.PayloadSize, r.id, uint32(i)), underWay: make([]coapErrand, c.Window),
		in: newDatagrams(coapBatch, coapTooLong), out: newDatagrams(p.batch, 0),
	}
	for i := range o.out {
		o.out[i].Buffers[0] = o.appendRequest(nil, 0, 0)
	}
	return o
}

// coapTooLong is more than a datagram has whose sender wants it to arrive (RFC 7252 section 4.6).
const coapTooLong = 2 << 10

func newDatagrams(n, size int) []ipv4.Message {
	all := make([]ipv4.Message, n)
	for i := range all {
		all[i].Buffers = [][]byte{make([]byte, size)}
	}
	return all
}

// connect implements line. A first request, which counts for nothing, shows whether somebody is there.
func (o *coapOutlet) connect(ctx context.Context) (err error) {
	if o.conn, err = dialUDP(ctx, o.config.Address, nil); err != nil {
		return err
	}
	o.socket = ipv4.NewPacketConn(o.conn)
	// The system grants what it can; what it cannot is made up for by sending again.
	_ = o.conn.SetReadBuffer(coapBuffer)
	return pingCoAP(ctx, o.conn)
}

// coapBuffer is how many bytes of answers may wait for who reads them.
const coapBuffer = 1 << 20

// write implements outlet.
func (o *coapOutlet) write(n int, first uint64, due schedule) error {
	o.enter(n, first, due)
	for i := range n {
		o.out[i].Buffers[0] = o.stamp(o.out[i].Buffers[0], first+uint64(i), due.at(i))
	}
	for left := o.out[:n]; len(left) > 0; {
		sent, err := o.socket.WriteBatch(left, 0)
		if err != nil {
			return err
		}
		left = left[sent:]
	}
	return nil
}

// enter notes requests that are about to be sent.
func (o *coapOutlet) enter(n int, first uint64, due schedule) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for i := range n {
		s := first + uint64(i)
		*o.at(s) = coapErrand{underWay: underWay{s, due.at(i)}, open: true, waits: o.config.AckTimeout,
			overdue: now.Add(o.config.AckTimeout)}
	}
}

func (o *coapOutlet) at(n uint64) *coapErrand { return &o.underWay[n%uint64(len(o.underWay))] }

// appendRequest appends a whole request.
func (o *coapOutlet) appendRequest(dst []byte, n uint64, due time.Duration) []byte {
	dst = append(append(append(dst, o.request...), coapMarker), o.payload...)
	return o.stamp(dst, n, due)
}

// stamp turns a request into that with another number.
func (o *coapOutlet) stamp(p []byte, n uint64, due time.Duration) []byte {
	stampCoAP(p, n)
	number(p[len(p)-len(o.payload):], n, due)
	return p
}

// listen implements line: it takes answers, and now and then looks for those that are overdue.
func (o *coapOutlet) listen() error {
	const look = 50 * time.Millisecond
	if err := o.conn.SetReadDeadline(time.Now().Add(look)); err != nil {
		return err
	}
	for {
		n, err := o.socket.ReadBatch(o.in, 0)
		switch {
		case err == nil:
			err = o.take(o.in[:n])
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err = o.repeat(time.Now()); err == nil {
				err = o.conn.SetReadDeadline(time.Now().Add(look))
			}
		}
		if err != nil {
			return err
		}
	}
}

// take enters the answers of one read.
func (o *coapOutlet) take(datagrams []ipv4.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range datagrams {
		h, rest, err := readCoAP(datagrams[i].Buffers[0][:datagrams[i].N])
		if err == nil {
			err = o.answered(h, rest)
		}
		if err != nil {
			return err
		}
	}
	o.publisher.acks.advance()
	return nil
}

// answered enters one answer: one that comes with the acknowledgement of its request, or later on its own (RFC 7252
// section 5.2).
func (o *coapOutlet) answered(h coapHead, rest []byte) error {
	switch {
	case h.kind == message.Reset:
		return errCoAPReset
	case h.kind == message.Confirmable:
		if err := confirmCoAP(o.conn, h); err != nil {
			return err
		}
	case h.code == codes.Empty:
		o.acknowledged(h.id)
	}
	if h.code == codes.Empty {
		return nil
	}
	e := o.at(uint64(h.token))
	switch {
	case h.known && e.open && uint32(e.number) == h.token:
	case o.spare > 0:
		o.spare--
		return nil
	default:
		o.publisher.acks.unexpected++
		return nil
	}
	e.open = false
	switch {
	case h.isSuccess():
		o.publisher.answered(e.number, true, e.due)
	case h.code == codes.TooManyRequests || h.code == codes.ServiceUnavailable || h.code == codes.GatewayTimeout:
		o.publisher.answered(e.number, false, e.due)
	default: // it will be the same next time
		text, _, _ := coapPayload(rest)
		return fmt.Errorf("the server answered %v %s", h.code, text)
	}
	return nil
}

// errCoAPReset is for a server that does not know what to do with a request.
var errCoAPReset = errors.New("the server sent a Reset")

// acknowledged notes that the answer to a request will come by itself.
func (o *coapOutlet) acknowledged(id uint16) {
	for i := range o.underWay {
		if e := &o.underWay[i]; e.open && uint16(e.number) == id {
			e.waits = 0
			o.spare++ // it may be sent more than once
		}
	}
}

// repeat sends again what is overdue, each time after twice the time (RFC 7252 section 4.2). Who gives up is the run, after
// Config.Patience.
func (o *coapOutlet) repeat(now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.underWay {
		e := &o.underWay[i]
		if !e.open || e.waits == 0 || now.Before(e.overdue) {
			continue
		}
		e.waits *= 2
		e.overdue = now.Add(e.waits)
		o.spare++
		o.publisher.acks.repeated++
		o.again = o.appendRequest(o.again[:0], e.number, e.due)
		if _, err := o.conn.Write(o.again); err != nil {
			return err
		}
	}
	return nil
}

// farewell implements line; CoAP has no goodbye over UDP.
func (o *coapOutlet) farewell() {}

// close implements line.
func (o *coapOutlet) close() {
	if o.conn != nil {
		o.conn.Close()
	}
}

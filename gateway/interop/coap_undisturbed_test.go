//go:build interop

package interop

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	tcpcoder "github.com/plgd-dev/go-coap/v3/tcp/coder"
	udpcoder "github.com/plgd-dev/go-coap/v3/udp/coder"
)

// coapWire is a client of CoAP that sends and reads message by message, over UDP, DTLS or TCP, one request at a time.
type coapWire struct {
	nc       net.Conn
	reliable bool // it is TCP
	number   uint32
	in       []byte            // what of TCP is not read yet
	last     int32             // the message id of the newest notification
	held     []message.Message // notifications that came before they were waited for
}

// openCoAPWire greets the gateway where that is the custom (RFC 8323 section 5.3).
func openCoAPWire(nc net.Conn) (*coapWire, error) {
	_, reliable := nc.(*net.TCPConn)
	w := &coapWire{nc: nc, reliable: reliable, last: -1}
	if !reliable {
		return w, nil
	}
	return w, w.write(message.Message{Code: codes.CSM})
}

func (w *coapWire) write(m message.Message) error {
	text, err := encodeCoAP(m, w.reliable)
	if err == nil {
		_, err = w.nc.Write(text)
	}
	return err
}

// encodeCoAP writes a message for UDP or for TCP.
func encodeCoAP(m message.Message, reliable bool) ([]byte, error) {
	coder := udpcoder.DefaultCoder.Encode
	if reliable {
		coder = tcpcoder.DefaultCoder.Encode
	}
	text := make([]byte, 4096)
	n, err := coder(m, text)
	return text[:max(n, 0)], err
}

// decodeCoAP reads a message, and tells how long it is.
func decodeCoAP(text []byte, reliable bool, m *message.Message) (size int, err error) {
	m.Options = make(message.Options, 0, 64)
	if len(text) == 0 {
		return 0, message.ErrShortRead
	}
	if !reliable {
		return udpcoder.DefaultCoder.Decode(text, m)
	}
	var head tcpcoder.MessageHeader
	if _, err := tcpcoder.DefaultCoder.DecodeHeader(text, &head); err != nil {
		return 0, err
	}
	if len(text) < int(head.MessageLength) {
		return 0, message.ErrShortRead
	}
	_, err = tcpcoder.DefaultCoder.DecodeWithHeader(text[head.Length:head.MessageLength], head, m)
	return int(head.MessageLength), err
}

// next reads a message; what is confirmable is acknowledged, and what comes again left out.
func (w *coapWire) next(until time.Time) (m message.Message, err error) {
	if err := w.nc.SetReadDeadline(until); err != nil {
		return m, err
	}
	for {
		size, err := decodeCoAP(w.in, w.reliable, &m)
		if errors.Is(err, message.ErrShortRead) {
			buffer := make([]byte, 4096)
			n, err := w.nc.Read(buffer)
			if err != nil {
				return m, err
			}
			w.in = append(w.in, buffer[:n]...)
			continue
		}
		if err != nil {
			return m, err
		}
		w.in = w.in[size:]
		if m.Type == message.Confirmable && !w.reliable {
			err = w.write(message.Message{Type: message.Acknowledgement, MessageID: m.MessageID})
		}
		if !m.Options.HasOption(message.Observe) || w.reliable || m.MessageID != w.last {
			return m, err
		}
	}
}

// ask makes a request until it is answered (RFC 7252 section 4.2). If it is to prove its address it does (RFC 9175 section 2.3).
func (w *coapWire) ask(want, method codes.Code, path, body string, more ...message.Option) (answer message.Message, err error) {
	const echo message.OptionID = 252
	w.number++
	m := message.Message{Code: method, MessageID: int32(uint16(w.number)), Token: strconv.AppendUint(nil, uint64(w.number), 16)}
	m.Options, m.Payload = coapOptions(path, more...), []byte(body)
	for deadline := time.Now().Add(wirePatience); ; {
		if err := w.write(m); err != nil {
			return answer, err
		}
		until := deadline
		if !w.reliable {
			until = time.Now().Add(3 * time.Second)
		}
		answer, err = w.answer(m.Token, until)
		if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() && time.Now().Before(deadline) {
			continue
		}
		if value, fault := answer.Options.GetBytes(echo); err == nil && fault == nil && answer.Code == codes.Unauthorized {
			return w.ask(want, method, path, body, append(more, message.Option{ID: echo, Value: value})...)
		}
		if err == nil && answer.Code != want {
			err = fmt.Errorf("%v %s: %v %s", method, path, answer.Code, answer.Payload)
		}
		return answer, err
	}
}

// answer reads until the answer to a request comes, or a time.
func (w *coapWire) answer(token message.Token, until time.Time) (message.Message, error) {
	for {
		m, err := w.next(until)
		switch {
		case err != nil:
			return m, err
		case string(m.Token) == string(token) && m.Code > codes.DELETE:
			return m, nil
		case m.Options.HasOption(message.Observe):
			w.hold(m)
		}
	}
}

func (w *coapWire) hold(m message.Message) {
	w.last = m.MessageID
	w.held = append(w.held, m)
}

// coapOptions are those of a path whose levels have "/" between, and more.
func coapOptions(path string, more ...message.Option) (all message.Options) {
	for level := range strings.SplitSeq(path, "/") {
		all = all.Add(message.Option{ID: message.URIPath, Value: []byte(level)})
	}
	for _, o := range more {
		all = all.Add(o)
	}
	return all
}

// coapPair sends to an address and takes from it, or observes it.
type coapPair struct {
	sender, receiver *coapWire
	address          string
	observes         bool
}

// openCoAPPair dials twice.
func openCoAPPair(dial func() (net.Conn, error), address string, observes bool) (p *coapPair, err error) {
	p = &coapPair{address: address, observes: observes}
	for _, w := range []**coapWire{&p.sender, &p.receiver} {
		nc, err := dial()
		if err != nil {
			return nil, err
		}
		if *w, err = openCoAPWire(nc); err != nil {
			return nil, err
		}
	}
	if observes {
		_, err = p.receiver.ask(codes.Content, codes.GET, "a/"+address, "", message.Option{ID: message.Observe})
	}
	return p, err
}

func (p *coapPair) send(_ int, body string) error {
	_, err := p.sender.ask(codes.Changed, codes.POST, "a/"+p.address, body)
	return err
}

func (p *coapPair) receive() (string, error) {
	w := p.receiver
	if !p.observes {
		m, err := w.ask(codes.Content, codes.DELETE, "q/"+p.address+"/head", "")
		return string(m.Payload), err
	}
	for len(w.held) == 0 {
		m, err := w.next(time.Now().Add(wirePatience))
		if err != nil {
			return "", err
		}
		if m.Options.HasOption(message.Observe) {
			w.hold(m)
		}
	}
	m := w.held[0]
	w.held = w.held[1:]
	return string(m.Payload), nil
}

// close ends the observation, too.
func (p *coapPair) close() (err error) {
	if p.observes {
		_, err = p.receiver.ask(codes.Content, codes.GET, "a/"+p.address, "", message.Option{ID: message.Observe, Value: []byte{1}})
		if err != nil && strings.Contains(err.Error(), codes.NotFound.String()) {
			err = nil // the topic has kept nothing
		}
	}
	return errors.Join(err, p.sender.nc.Close(), p.receiver.nc.Close())
}

//go:build interop

package interop

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-stomp/stomp/v3/frame"
)

// TestMutatedFramesHarmNobody has clients send what was STOMP before it was damaged.
func TestMutatedFramesHarmNobody(t *testing.T) {
	g := startMutated(t)
	tcp, http := g.doors["stomp"], g.doors["http"]
	g.harmsNobody(t, []way{
		{"frames over TCP", func(m mutator) error { return m.pour(tcp, stompMutator{m}.conversation()) }},
		{"frames over WebSocket", func(m mutator) error {
			hello := webSocketHello("/stomp", pick(m, "v10.stomp", "v11.stomp", "v12.stomp"))
			return m.pour(http, m.spoil(hello, m.webSocketFrames(stompMutator{m}.conversation())))
		}},
		{"acknowledgements", func(m mutator) error { return stompMutator{m}.acknowledge(tcp) }},
	}, map[string]func() (pair, error){
		"through a queue": func() (pair, error) {
			return openStompPair(func() (net.Conn, error) { return net.Dial("tcp", tcp) }, "/queue/undisturbed/stomp", "client-individual")
		},
		"through a topic": func() (pair, error) {
			return openStompPair(func() (net.Conn, error) { return net.Dial("tcp", tcp) }, "/topic/telemetry/undisturbed", "auto")
		},
		"in transactions over WebSocket": func() (pair, error) {
			p, err := openStompPair(func() (net.Conn, error) {
				ws, _, err := websocket.Dial(t.Context(), "ws://"+http, &websocket.DialOptions{Subprotocols: []string{"v12.stomp"}})
				if err != nil {
					return nil, err
				}
				return websocket.NetConn(t.Context(), ws, websocket.MessageBinary), nil
			}, "/queue/undisturbed/web", "client")
			p.transacted = true
			return p, err
		},
	})
}

// stompWire is a client of STOMP 1.2 that sends and reads frame by frame.
type stompWire struct {
	nc  net.Conn
	in  *frame.Reader
	out *frame.Writer
}

// dialStompWire connects.
func dialStompWire(dial func() (net.Conn, error)) (*stompWire, error) {
	nc, err := dial()
	if err != nil {
		return nil, err
	}
	w := &stompWire{nc, frame.NewReader(nc), frame.NewWriter(nc)}
	if err := w.out.Write(frame.New(frame.CONNECT, frame.AcceptVersion, "1.2", frame.Host, "default")); err != nil {
		return nil, err
	}
	_, err = w.await(frame.CONNECTED)
	return w, err
}

// await reads a frame, which has to be of a kind.
func (w *stompWire) await(command string) (*frame.Frame, error) {
	if err := w.nc.SetReadDeadline(time.Now().Add(wirePatience)); err != nil {
		return nil, err
	}
	f, err := w.in.Read()
	if err != nil {
		return nil, err
	}
	if f == nil || f.Command != command {
		return nil, fmt.Errorf("%+v, want %s", f, command)
	}
	return f, nil
}

// ask sends a frame, and waits for its receipt.
func (w *stompWire) ask(f *frame.Frame) error {
	f.Header.Set(frame.Receipt, "r")
	if err := w.out.Write(f); err != nil {
		return err
	}
	_, err := w.await(frame.RECEIPT)
	return err
}

// within has something done in a transaction.
func (w *stompWire) within(f *frame.Frame) error {
	f.Header.Set(frame.Transaction, "t")
	return errors.Join(w.ask(frame.New(frame.BEGIN, frame.Transaction, "t")), w.ask(f),
		w.ask(frame.New(frame.COMMIT, frame.Transaction, "t")))
}

// stompPair has a destination between two clients.
type stompPair struct {
	sender, receiver  *stompWire
	destination, mode string
	transacted        bool // what is sent, and what is acknowledged
}

func openStompPair(dial func() (net.Conn, error), destination, mode string) (p *stompPair, err error) {
	p = &stompPair{destination: destination, mode: mode}
	if p.sender, err = dialStompWire(dial); err != nil {
		return p, err
	}
	if p.receiver, err = dialStompWire(dial); err != nil {
		return p, err
	}
	return p, p.receiver.ask(frame.New(frame.SUBSCRIBE, frame.Id, "1", frame.Destination, destination, frame.Ack, mode))
}

func (p *stompPair) send(_ int, body string) error {
	f := frame.New(frame.SEND, frame.Destination, p.destination)
	f.Body = []byte(body)
	if p.transacted {
		return p.sender.within(f)
	}
	return p.sender.ask(f)
}

func (p *stompPair) receive() (string, error) {
	m, err := p.receiver.await(frame.MESSAGE)
	if err != nil {
		return "", err
	}
	ack := frame.New(frame.ACK, frame.Id, m.Header.Get(frame.Ack))
	switch {
	case p.transacted:
		err = p.receiver.within(ack)
	case p.mode != "auto":
		err = p.receiver.ask(ack)
	}
	return string(m.Body), err
}

func (p *stompPair) close() error { return errors.Join(p.sender.nc.Close(), p.receiver.nc.Close()) }

// stompMutator makes frames, most of them valid.
type stompMutator struct{ mutator }

// conversation is a few frames, with damage in them.
func (m stompMutator) conversation() []byte {
	return m.spoil(m.connect(), m.some(8, m.frame))
}

func (m stompMutator) connect() []byte {
	return m.encode(pick(m.mutator, frame.CONNECT, frame.STOMP), nil, frame.Host, pick(m.mutator, "default", "", "/", "nowhere"),
		frame.AcceptVersion, pick(m.mutator, "1.0", "1.1", "1.2", "1.0,1.1,1.2", "1.3,1.2"),
		frame.HeartBeat, pick(m.mutator, "0,0", "100,100", "5000,0", "0,99999999999", "-1,x", "1"),
		"client-id", pick(m.mutator, "a", "b"))
}

// frame is one of all that a client may send.
func (m stompMutator) frame() []byte {
	destination := pick(m.mutator, "/queue/jobs", "jobs", "/topic/telemetry/mutated", "telemetry/#", "/anycast/commands/a", "alerts",
		"/temp-queue/x", "/temp-topic/y", "/queue/telemetry/wrong", "nowhere", "telemetry/mutated::mine")
	id, transaction := fmt.Sprint(m.IntN(3)), fmt.Sprint("t", m.IntN(2))
	var headers []string
	may := func(odds int, name, value string) {
		if m.IntN(odds) == 0 {
			headers = append(headers, name, value)
		}
	}
	may(3, frame.Receipt, id)
	switch m.IntN(10) {
	case 0, 1, 2:
		body := pick(m.mutator, "", "mutated", "with\x00NUL", "\x00", string(bytes.Repeat([]byte("long "), 1000)))
		may(2, frame.ContentLength, fmt.Sprint(pick(m.mutator, len(body), len(body), len(body)+1, len(body)/2, 0, -1, 1<<40)))
		may(3, frame.Transaction, transaction)
		may(4, frame.ContentType, pick(m.mutator, "text/plain", "application/json", "\\c", "größe"))
		may(5, "reply-to", pick(m.mutator, "/temp-queue/x", "/queue/jobs"))
		may(5, "expires", pick(m.mutator, "1", "0", "99999999999999999999"))
		may(5, "retain", "true")
		may(5, "AMQ_SCHEDULED_DELAY", "100")
		return m.encode(frame.SEND, []byte(body), append(headers, frame.Destination, destination)...)
	case 3, 4:
		may(2, frame.Ack, pick(m.mutator, "auto", "client", "client-individual", "bogus"))
		may(3, "prefetch-count", pick(m.mutator, "1", "0", "100000", "-1"))
		may(4, "selector", pick(m.mutator, "a = 1", "a LIKE '%'", "((("))
		may(5, "browser", "true")
		may(5, "no-local", "true")
		may(5, "durable", "true")
		return m.encode(frame.SUBSCRIBE, nil, append(headers, frame.Id, id, frame.Destination, destination)...)
	case 5:
		return m.encode(frame.UNSUBSCRIBE, nil, append(headers, frame.Id, id)...)
	case 6:
		may(3, frame.Transaction, transaction)
		return m.encode(pick(m.mutator, frame.ACK, frame.NACK), nil, append(headers, frame.Id, id, frame.MessageId, id)...)
	case 7, 8:
		verb := pick(m.mutator, frame.BEGIN, frame.BEGIN, frame.COMMIT, frame.ABORT)
		return m.encode(verb, nil, append(headers, frame.Transaction, transaction)...)
	default:
		return pick(m.mutator, []byte("\n"), []byte("\r\n\n"), m.encode(frame.DISCONNECT, nil, headers...), m.encode("BOGUS", nil),
			m.connect(), []byte{0})
	}
}

// encode writes a frame as it is said to be, with a content-length only if that is among the headers.
func (m stompMutator) encode(command string, body []byte, headers ...string) []byte {
	b := []byte(command + "\n")
	for i := 0; i+1 < len(headers); i += 2 {
		b = fmt.Appendf(b, "%s:%s\n", headers[i], headers[i+1])
	}
	return append(append(append(b, '\n'), body...), 0)
}

// acknowledge sends messages to itself and settles them as they come, every other one in a transaction and every fourth in damaged
// words. When the gateway has all of them it disconnects, and hears the server out.
func (m stompMutator) acknowledge(address string) error {
	w, err := dialStompWire(func() (net.Conn, error) { return net.Dial("tcp", address) })
	if err != nil {
		return err
	}
	defer w.nc.Close()
	destination := pick(m.mutator, "/queue/jobs", "/topic/telemetry/acknowledged")
	text := m.encode(frame.BEGIN, nil, frame.Transaction, "t")
	text = append(text, m.encode(frame.SUBSCRIBE, nil, frame.Id, "1", frame.Destination, destination, frame.Ack,
		pick(m.mutator, "client", "client-individual"))...)
	message := m.encode(frame.SEND, []byte("x"), frame.Destination, destination)
	text = append(text, bytes.Repeat(message, m.IntN(20))...)
	text = append(text, m.encode(frame.SEND, nil, frame.Destination, destination, frame.Receipt, "last")...)
	if _, err := w.nc.Write(text); err != nil {
		return err
	}
	for {
		if err := w.nc.SetReadDeadline(time.Now().Add(wirePatience)); err != nil {
			return err
		}
		f, err := w.in.Read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errors.New("the connection is kept open")
		case err != nil:
			return nil
		case f != nil && f.Command == frame.MESSAGE:
			w.nc.Write(m.settle(f.Header.Get(frame.Ack))) // an error is one of reading too
		case f != nil && f.Command == frame.RECEIPT:
			w.nc.Write(m.encode(pick(m.mutator, frame.COMMIT, frame.ABORT, frame.DISCONNECT), nil, frame.Transaction, "t"))
			w.nc.(*net.TCPConn).CloseWrite()
		}
	}
}

func (m stompMutator) settle(id string) []byte {
	headers := []string{frame.Id, id}
	if m.IntN(2) == 0 {
		headers = append(headers, frame.Transaction, "t")
	}
	text := m.encode(pick(m.mutator, frame.ACK, frame.ACK, frame.NACK), nil, headers...)
	if m.IntN(4) == 0 {
		return m.damage(text)
	}
	return text
}

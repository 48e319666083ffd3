//go:build interop

package soak

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// stompLine is a connection on the codec of go-stomp, whose client cannot ask for a receipt of ACK.
type stompLine struct {
	nc       net.Conn
	reader   *frame.Reader
	writer   *frame.Writer
	last     int            // the last receipt that was asked for
	messages []*frame.Frame // came while something else was awaited
}

func (l *stompLine) dial(ctx context.Context, doors map[string]string) (err error) {
	if l.nc, err = new(net.Dialer).DialContext(ctx, "tcp", doors["stomp"]); err != nil {
		return err
	}
	l.reader, l.writer, l.last, l.messages = frame.NewReader(l.nc), frame.NewWriter(l.nc), 0, nil
	if err := l.say(frame.New(frame.CONNECT, frame.AcceptVersion, "1.2", frame.Host, "localhost")); err != nil {
		return err
	}
	_, err = l.hear(frame.CONNECTED)
	return err
}

func (l *stompLine) close() {
	if l.nc != nil {
		l.nc.Close()
	}
}

func (l *stompLine) say(f *frame.Frame) error {
	l.nc.SetDeadline(time.Now().Add(patience))
	return l.writer.Write(f)
}

// ask says something and asks for a receipt, which await waits for.
func (l *stompLine) ask(f *frame.Frame) error {
	l.last++
	f.Header.Set(frame.Receipt, strconv.Itoa(l.last))
	return l.say(f)
}

// await waits for the last n receipts that were asked for, and runs done after each. They come in the order in which
// things are done, which need not be that of the requests.
func (l *stompLine) await(n int, done func(i int)) error {
	for range n {
		f, err := l.hear(frame.RECEIPT)
		if err != nil {
			return err
		}
		receipt, err := strconv.Atoi(f.Header.Get(frame.ReceiptId))
		if i := receipt - (l.last - n) - 1; err == nil && i >= 0 && i < n {
			done(i)
		} else {
			return fmt.Errorf("receipt %q, want one of the %d up to %d", f.Header.Get(frame.ReceiptId), n, l.last)
		}
	}
	return nil
}

// request says something and waits for its receipt.
func (l *stompLine) request(f *frame.Frame) error {
	if err := l.ask(f); err != nil {
		return err
	}
	return l.await(1, func(int) {})
}

// hear reads up to a frame with a command. Messages before it are kept.
func (l *stompLine) hear(command string) (*frame.Frame, error) {
	for {
		f, err := l.reader.Read()
		switch {
		case err != nil:
			return nil, err
		case f == nil: // a heart-beat
		case f.Command == command:
			return f, nil
		case f.Command == frame.MESSAGE:
			l.messages = append(l.messages, f)
		default:
			return nil, fmt.Errorf("%s %v %s, want %s", f.Command, f.Header, f.Body, command)
		}
	}
}

// stompOutlet sends to some destinations, each message with a receipt or all of them in one transaction.
type stompOutlet struct {
	stompLine
	stream       *stream
	destinations []string
	transaction  bool
}

func (o *stompOutlet) open(ctx context.Context, doors map[string]string) error {
	return o.dial(ctx, doors)
}

func (o *stompOutlet) send(_ context.Context, letters []letter) error {
	if o.transaction {
		return o.commit(letters)
	}
	for _, l := range letters {
		if err := o.ask(sendFrame(o.destinations[0], l)); err != nil {
			return err
		}
	}
	return o.await(len(letters), func(i int) { o.stream.acknowledged(letters[i]) })
}

func (o *stompOutlet) commit(letters []letter) error {
	if err := o.say(frame.New(frame.BEGIN, frame.Transaction, "t")); err != nil {
		return err
	}
	for _, l := range letters {
		for _, d := range o.destinations {
			if err := o.say(inTransaction(sendFrame(d, l))); err != nil {
				return err
			}
		}
	}
	if err := o.request(frame.New(frame.COMMIT, frame.Transaction, "t")); err != nil {
		return err
	}
	for _, l := range letters {
		o.stream.acknowledged(l)
	}
	return nil
}

func sendFrame(destination string, l letter) *frame.Frame {
	f := frame.New(frame.SEND, frame.Destination, destination)
	f.Body = l.text()
	f.Header.Set(frame.ContentLength, strconv.Itoa(len(f.Body)))
	return f
}

func inTransaction(f *frame.Frame) *frame.Frame {
	f.Header.Set(frame.Transaction, "t")
	return f
}

// stompInlet acknowledges each message by itself, with a receipt or all that are there in one transaction. In that it may
// send them on.
type stompInlet struct {
	stompLine
	destination string
	transaction bool
	onward      string // where to; empty for nowhere
}

func (in *stompInlet) open(ctx context.Context, doors map[string]string) error {
	if err := in.dial(ctx, doors); err != nil {
		return err
	}
	return in.request(frame.New(frame.SUBSCRIBE, frame.Destination, in.destination, frame.Id, "1",
		frame.Ack, frame.AckClientIndividual, "prefetch-count", strconv.Itoa(window)))
}

func (in *stompInlet) receive(context.Context) (arrivals []arrival, err error) {
	if len(in.messages) == 0 {
		in.nc.SetDeadline(time.Time{})
		f, err := in.hear(frame.MESSAGE)
		if err != nil {
			return nil, err
		}
		in.messages = append(in.messages, f)
	}
	for _, f := range in.messages {
		l, err := readLetter(f.Body)
		if err != nil {
			return nil, err
		}
		arrivals = append(arrivals, arrival{
			letter: l, marked: f.Header.Get("redelivered") == "true", token: f.Header.Get(frame.Ack),
		})
	}
	in.messages = nil
	return arrivals, nil
}

func (in *stompInlet) settle(_ context.Context, arrivals []arrival, confirm func(letter)) error {
	if len(arrivals) == 0 {
		return nil
	}
	if in.transaction {
		return in.commit(arrivals, confirm)
	}
	for _, a := range arrivals {
		if err := in.ask(settlement(a)); err != nil {
			return err
		}
	}
	return in.await(len(arrivals), func(i int) {
		if arrivals[i].verdict != fail {
			confirm(arrivals[i].letter)
		}
	})
}

func (in *stompInlet) commit(arrivals []arrival, confirm func(letter)) error {
	if err := in.say(frame.New(frame.BEGIN, frame.Transaction, "t")); err != nil {
		return err
	}
	for _, a := range arrivals {
		if in.onward != "" {
			if err := in.say(inTransaction(sendFrame(in.onward, a.letter))); err != nil {
				return err
			}
		}
		if err := in.say(inTransaction(settlement(a))); err != nil {
			return err
		}
	}
	if err := in.request(frame.New(frame.COMMIT, frame.Transaction, "t")); err != nil {
		return err
	}
	for _, a := range arrivals {
		confirm(a.letter)
	}
	return nil
}

// settlement is NACK for what is to come again, and ACK for all else. STOMP cannot reject.
func settlement(a arrival) *frame.Frame {
	command := frame.ACK
	if a.verdict == fail {
		command = frame.NACK
	}
	return frame.New(command, frame.Id, a.token.(string))
}

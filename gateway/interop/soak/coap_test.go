//go:build interop

package soak

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/tcp"
	"github.com/plgd-dev/go-coap/v3/udp"
)

// coapLine is a conversation of go-coap's client, over UDP or TCP.
type coapLine struct {
	reliable bool // TCP
	conn     mux.Conn
}

func (l *coapLine) dial(doors map[string]string) (err error) {
	if l.reliable {
		l.conn, err = tcp.Dial(doors["coap+tcp"])
		return err
	}
	l.conn, err = udp.Dial(doors["coap"])
	return err
}

func (l *coapLine) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}

// ask makes a confirmable request that has to be answered with one of two codes, and gives the answer.
func (l *coapLine) ask(ctx context.Context, method codes.Code, path string, body []byte, want, or codes.Code) (*pool.Message, error) {
	path, query, _ := strings.Cut(path, "?")
	var options message.Options
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter != "" {
			options = append(options, message.Option{ID: message.URIQuery, Value: []byte(parameter)})
		}
	}
	var answer *pool.Message
	var err error
	switch method {
	case codes.POST:
		answer, err = l.conn.Post(ctx, path, message.AppOctets, strings.NewReader(string(body)), options...)
	case codes.PUT:
		answer, err = l.conn.Put(ctx, path, message.AppOctets, strings.NewReader(string(body)), options...)
	default:
		answer, err = l.conn.Delete(ctx, path, options...)
	}
	if err == nil && answer.Code() != want && answer.Code() != or {
		text, _ := answer.ReadBody()
		err = fmt.Errorf("%v %s: %v: %s", method, path, answer.Code(), text)
	}
	return answer, err
}

// coapOutlet sends one message after the other.
type coapOutlet struct {
	coapLine
	stream  *stream
	address string
}

func (o *coapOutlet) open(_ context.Context, doors map[string]string) error { return o.dial(doors) }

func (o *coapOutlet) send(ctx context.Context, letters []letter) error {
	for _, l := range letters {
		if _, err := o.ask(ctx, codes.POST, "/a/"+o.address, l.text(), codes.Changed, codes.Changed); err != nil {
			return err
		}
		o.stream.acknowledged(l)
	}
	return nil
}

// coapInlet receives under locks, one message at a time.
type coapInlet struct {
	coapLine
	address string
}

func (in *coapInlet) open(_ context.Context, doors map[string]string) error { return in.dial(doors) }

func (in *coapInlet) receive(ctx context.Context) ([]arrival, error) {
	path := fmt.Sprintf("/q/%s/head?lock=300&timeout=10&meta", in.address)
	answer, err := in.ask(ctx, codes.POST, path, nil, codes.Content, codes.Changed)
	if err != nil || answer.Code() == codes.Changed {
		return nil, err
	}
	body, err := answer.ReadBody()
	if err != nil {
		return nil, err
	}
	l, err := readLetter(body)
	if err != nil {
		return nil, err
	}
	a := arrival{letter: l, token: ""}
	for _, o := range answer.Options() {
		switch name, value, _ := strings.Cut(string(o.Value), "="); {
		case o.ID == message.LocationPath:
			a.token = a.token.(string) + "/" + string(o.Value)
		case o.ID == message.LocationQuery && name == "attempts":
			tries, err := strconv.Atoi(value)
			if err != nil {
				return nil, err
			}
			a.marked = tries > 0
		}
	}
	return []arrival{a}, nil
}

func (in *coapInlet) settle(ctx context.Context, arrivals []arrival, confirm func(letter)) error {
	return together(arrivals, confirm, func(a arrival) error {
		method, path, want := codes.DELETE, a.token.(string), codes.Deleted
		switch a.verdict {
		case pass:
			method, path, want = codes.POST, path+"/reject", codes.Changed
		case fail:
			method, path, want = codes.PUT, path+"?failed", codes.Changed
		}
		_, err := in.ask(ctx, method, path, nil, want, want)
		return err
	})
}

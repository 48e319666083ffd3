package load

import "context"

// stompInlet subscribes to each destination that it listens to, and acknowledges every message if that is asked for.
type stompInlet struct {
	stompLine
	config       Config
	destinations []string
	subscriber   *subscriber

	granted int    // subscriptions
	acks    []byte // of what was read at once
}

var _ line = (*stompInlet)(nil)

func newSTOMPInlet(r *run, i int, s *subscriber) *stompInlet {
	return &stompInlet{config: r.config, destinations: r.config.filters(i), subscriber: s}
}

// connect implements line. It returns once the server has granted all subscriptions.
func (in *stompInlet) connect(ctx context.Context) error {
	c := in.config
	const headers = 4 << 10 // more than a server puts before a payload
	buffer := max(c.readBuffer(), 2*(c.PayloadSize+headers))
	if err := in.open(ctx, c.stompDoor(buffer, c.readAhead())); err != nil {
		return err
	}
	return in.handshake(ctx, in.subscribe)
}

// subscribe asks for all subscriptions and waits for their receipts. Messages that come before these are taken as usual.
func (in *stompInlet) subscribe() error {
	ack := "auto"
	if in.config.SubscribeQoS == 1 {
		ack = "client-individual"
	}
	var request []byte
	for i, d := range in.destinations {
		request = appendSTOMPSubscribe(request, i, d, ack, in.config.Outstanding)
	}
	if _, err := in.conn.Write(request); err != nil {
		return err
	}
	for in.granted < len(in.destinations) {
		if err := in.receive(); err != nil {
			return err
		}
	}
	return nil
}

// listen implements line.
func (in *stompInlet) listen() error {
	for {
		if err := in.receive(); err != nil {
			return err
		}
	}
}

// receive takes what one read gives. The ACKs go out in one write; they are few bytes, bounded by what may be
// outstanding, and fit into the socket's buffer even if the server is not reading at this moment.
func (in *stompInlet) receive() error {
	begun := false
	err := in.fill(func(f stompFrame) error {
		if !begun {
			begun = true
			in.subscriber.begin()
		}
		return in.take(f)
	})
	if err != nil {
		return err
	}
	if len(in.acks) > 0 {
		if _, err := in.conn.Write(in.acks); err != nil {
			return err
		}
		in.acks = in.acks[:0]
	}
	if begun {
		in.subscriber.end()
	}
	return nil
}

// take handles one frame.
func (in *stompInlet) take(f stompFrame) error {
	switch f.command {
	case commandMessage:
	case commandReceipt:
		in.granted++
		return nil
	default:
		return f.fault()
	}
	if in.config.SubscribeQoS == 1 {
		id := f.header("ack")
		if id == nil {
			return errFrameCorrupt
		}
		in.acks = appendSTOMPAck(in.acks, id)
	}
	in.subscriber.take(f.body)
	return nil
}

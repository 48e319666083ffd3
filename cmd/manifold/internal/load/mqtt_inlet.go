package load

import (
	"cmp"
	"context"
	"fmt"
)

// mqttInlet subscribes, and acknowledges what has QoS 1.
type mqttInlet struct {
	mqttLine
	config     Config
	clientID   string
	filters    []string
	subscriber *subscriber

	answered bool // SUBACK has come
	suback   error
	acks     []byte // PUBACKs of what was read at once
}

var _ line = (*mqttInlet)(nil)

func newMQTTInlet(r *run, i int, s *subscriber) *mqttInlet {
	return &mqttInlet{config: r.config, clientID: r.clientID("s", i), filters: r.config.filters(i), subscriber: s}
}

// connect implements line. It returns once the server has granted all subscriptions.
func (in *mqttInlet) connect(ctx context.Context) error {
	c := in.config
	if err := in.open(ctx, c.Address, nil, appendConnect(nil, in.clientID, c.Username, c.Password)); err != nil {
		return err
	}
	in.reader = newBatchReader(in.conn, max(c.readBuffer(), 2*(c.PayloadSize+len(c.Topic)+64)), c.readAhead())
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, in.close)()
	if err := in.subscribe(); err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	return nil
}

// subscribe sends SUBSCRIBE and waits for its answer. Messages that come before the SUBACK are taken as usual.
func (in *mqttInlet) subscribe() error {
	if _, err := in.conn.Write(appendSubscribe(nil, 1, in.config.SubscribeQoS, in.filters...)); err != nil {
		return fmt.Errorf("subscribe: %w", broken(err))
	}
	for !in.answered {
		if err := in.receive(); err != nil {
			return fmt.Errorf("suback: %w", broken(err))
		}
	}
	return in.suback
}

// listen implements line.
func (in *mqttInlet) listen() error {
	for {
		if err := in.receive(); err != nil {
			return err
		}
	}
}

// receive takes what one read gives. The PUBACKs go out in one write; they are few bytes, bounded by the publishers'
// windows, and fit into the socket's buffer even if the server is not reading at this moment.
func (in *mqttInlet) receive() error {
	begun := false
	err := in.fill(func(f packet) error {
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

// take handles one packet.
func (in *mqttInlet) take(f packet) error {
	switch f.first & typeMask {
	case packetPublish:
	case packetSuback:
		in.answered, in.suback = true, f.subackError(in.filters, in.config.SubscribeQoS)
		return nil
	default:
		return fmt.Errorf("packet of type %#x was not expected", f.first)
	}
	id, payload, err := f.publish()
	if err != nil {
		return err
	}
	if id != 0 {
		in.acks = appendPuback(in.acks, id)
	}
	in.subscriber.take(payload)
	return nil
}

package load

import "context"

// line is one connection of the driver, in the words of one protocol. Everything but listen belongs to its owner;
// listen has a goroutine of its own once connect has returned.
type line interface {
	// connect opens the connection and returns when the server is ready for its traffic.
	connect(ctx context.Context) error
	// listen reads until the connection ends, and says why it did.
	listen() error
	// farewell says goodbye if the socket takes it at once: a polite end, but not one worth waiting for.
	farewell()
	// close ends the connection, whatever is going on on it. It may come at any time, even before connect.
	close()
}

// outlet is the line of a publisher.
type outlet interface {
	line
	// write sends n messages numbered from first, stamped with the times of due.
	write(n int, first uint64, due schedule) error
}

// newOutlet gives the line of publisher i, which is p.
func (r *run) newOutlet(i int, p *publisher) outlet {
	switch {
	case r.config.Protocol == AMQP:
		return newAMQPOutlet(r, i, p)
	case r.config.Protocol == STOMP:
		return newSTOMPOutlet(r, i, p)
	case r.config.Protocol.isHTTP():
		return newHTTPOutlet(r, i, p)
	case r.config.Protocol == CoAP:
		return newCoAPOutlet(r, i, p)
	default:
		return newMQTTOutlet(r, i, p)
	}
}

// newInlet gives the line of subscriber i, which is s.
func (r *run) newInlet(i int, s *subscriber) line {
	switch {
	case r.config.Protocol == AMQP:
		return newAMQPInlet(r, i, s)
	case r.config.Protocol == STOMP:
		return newSTOMPInlet(r, i, s)
	case r.config.Protocol.isHTTP() && r.config.SubscribeQoS == 1:
		return newHTTPTaker(r, i, s)
	case r.config.Protocol.isHTTP():
		return newHTTPWatcher(r, i, s)
	default:
		return newMQTTInlet(r, i, s)
	}
}

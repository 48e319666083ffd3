package load

import (
	"context"
	"net"
)

// stompIdler is an idle connection with one subscription.
type stompIdler struct {
	stompLine
	config IdleConfig
	number int
}

var _ idler = (*stompIdler)(nil)

func (s *stompIdler) open(ctx context.Context, source net.Addr) error {
	const buffer = 2 << 10
	c := s.config
	door := stompDoor{address: c.Address, host: c.Host, username: c.Username, password: c.Password, source: source,
		buffer: buffer, ahead: 1}
	if err := s.stompLine.open(ctx, door); err != nil {
		return err
	}
	return s.ask(ctx, appendSTOMPSubscribe(nil, 0, c.topic(s.number), "auto", 1), commandReceipt)
}

// ping implements idler. STOMP has no such frame; a transaction without anything in it comes next to it.
func (s *stompIdler) ping(ctx context.Context) error {
	return s.ask(ctx, []byte("BEGIN\ntransaction:ping\n\n\x00ABORT\ntransaction:ping\nreceipt:0\n\n\x00"), commandReceipt)
}

// beat implements idler; the connection has no heart-beats.
func (s *stompIdler) beat() error { return nil }

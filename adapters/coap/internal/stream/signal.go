package stream

import (
	"fmt"
	"math"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// capabilities are what the client has said of itself in its CSM (RFC 8323 section 5.3).
type capabilities struct {
	maxMessage int
	blockwise  bool
}

// ping is a Ping whose client wants to know when everything before it has been done.
type ping struct {
	token token
	after session.Exchange // the last request before it
}

// signal handles a signaling message (RFC 8323 section 5). One that is not known, and options that are not known and
// elective, mean nothing.
func (e *Engine) signal(now time.Time, f frame, options message.Options) error {
	for _, o := range options {
		if o.ID&1 == 1 {
			return optionError{f.code, o.ID}
		}
	}
	switch f.code {
	case codes.CSM:
		e.learn(options)
	case codes.Ping:
		e.ping(f.token, options)
	case codes.Release:
		e.leave(now)
	case codes.Abort:
		e.end(now)
	}
	return nil
}

// optionError is a critical option of a signal that is not understood: none is (RFC 8323 section 5.2).
type optionError struct {
	signal codes.Code
	option message.OptionID
}

func (e optionError) Error() string {
	return fmt.Sprintf("option %d of a 7.%02d is critical and not understood", e.option, e.signal&31)
}

// badOption gives the option of a CSM that an error is about; 0 for none.
func badOption(err error) message.OptionID {
	if o, ok := err.(optionError); ok && o.signal == codes.CSM {
		return o.option
	}
	return 0
}

// learn takes in a CSM. A later one adds to what the earlier ones said.
func (e *Engine) learn(options message.Options) {
	if e.state == fresh {
		e.state, e.deadline = greeted, time.Time{}
	}
	for _, o := range options {
		switch {
		case o.ID == message.TCPMaxMessageSize && len(o.Value) <= 4:
			size, _, _ := message.DecodeUint32(o.Value) // never fails
			e.peer.maxMessage = int(min(max(size, leastMaxMessage), math.MaxInt32))
		case o.ID == message.TCPBlockWiseTransfer:
			e.peer.blockwise = true
		}
	}
	// A client that can take blocks and more than the base value can take several of them at once (RFC 8323 section 6).
	e.transfers.Carry(max(e.peer.maxMessage-headRoom, 16), e.peer.blockwise && e.peer.maxMessage > baseMaxMessage)
}

// headRoom is what a message may need besides its payload: as much as the base value has above a block of 1,024 octets.
const headRoom = baseMaxMessage - 1024

// greet sends our CSM.
func (e *Engine) greet() {
	e.send(codes.CSM, token{}, message.Options{
		{ID: message.TCPMaxMessageSize, Value: unsigned(uint32(e.shared.Limits.MaxMessage))},
		{ID: message.TCPBlockWiseTransfer},
	}, nil)
}

// ping answers a Ping: at once, or with Custody when everything that came before it has been answered (RFC 8323
// section 5.4.1).
func (e *Engine) ping(t token, options message.Options) {
	if options.HasOption(message.TCPCustody) {
		e.pings = append(e.pings, ping{t, e.last})
		e.takeCustody()
		return
	}
	e.send(codes.Pong, t, nil, nil)
}

// takeCustody answers the Pings whose time has come.
func (e *Engine) takeCustody() {
	for len(e.pings) > 0 && !e.owes(e.pings[0].after) {
		e.send(codes.Pong, e.pings[0].token, message.Options{{ID: message.TCPCustody}}, nil)
		e.pings = e.pings[1:]
	}
}

// owes tells whether a request up to this one has no response yet.
func (e *Engine) owes(last session.Exchange) bool {
	for x := range e.open {
		if x <= last {
			return true
		}
	}
	return false
}

// release says that we want to end (RFC 8323 section 5.5).
func (e *Engine) release() { e.send(codes.Release, token{}, nil, nil) }

// abort ends the connection and says why (RFC 8323 section 5.6). bad is the option of a CSM that was the reason; 0 for
// none.
func (e *Engine) abort(now time.Time, bad message.OptionID, diagnostic string) {
	if e.state == ended {
		return
	}
	var options message.Options
	if bad != 0 {
		options = message.Options{{ID: message.TCPBadCSMOption, Value: unsigned(uint32(bad))}}
	}
	if e.state > fresh {
		e.queue, e.owed = nil, 0 // before that there is only our CSM, which has to come first
	}
	e.send(codes.Abort, token{}, options, []byte(diagnostic))
	e.end(now)
}

// unsigned is a number as options have it: big endian, without leading zeros.
func unsigned(n uint32) []byte {
	p := make([]byte, 4)
	width, _ := message.EncodeUint32(p, n) // which has room
	return p[:width]
}

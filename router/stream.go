package router

import "sync"

// Stream is what follows of a message that is delivered while it comes in: a pipe from the connection where it comes in,
// its producer, to the one where it goes out, its consumer. The delivery's Message is the head, from the header to the
// application properties; what the stream carries is the rest, body and footer, as it is encoded.
//
// It holds back a producer that is faster: Append tells when there is no room. What comes beyond that is taken all the
// same, as it may have been on its way.
//
// It comes to its end when the consumer has taken the last of it, or has learnt that the message is void; or at once, when
// either of them abandons it. The producer's methods may be called by any goroutine, one at a time, and so may the
// consumer's; not with a node's lock held. What they call back only goes into a mailbox.
type Stream struct {
	capacity int // bytes

	mu      sync.Mutex // guards everything below; a leaf
	room    func()     // tells the producer
	ready   func()     // tells the consumer; nil as long as there is none
	free    func()     // tells the node that it has come to its end
	phase   phase
	void    Outcome // how the delivery ends that is void
	pending []byte  // has come and is not taken
	left    int     // bytes that may still come before the message is too large
	hungry  bool    // the consumer waits for ready
	full    bool    // the producer waits for room
}

// phase is how far a stream has come.
type phase uint8

const (
	flowing   phase = iota
	complete        // all has come, and some of it is not taken
	voided          // by the producer, and the consumer does not know yet
	exhausted       // the end
)

// newStream gives a stream that begins with what has come already; left is how much more may come.
func newStream(capacity int, begun []byte, left int, room func()) *Stream {
	return &Stream{capacity: capacity, room: room, pending: begun, full: len(begun) >= capacity, left: left}
}

// Append adds what has come, which is copied; last says that the message is complete with it. It is false when there is
// no room for more: then room, which was given to SendStream, is called once there is. A message that becomes too large
// for its address is void.
func (s *Stream) Append(p []byte, last bool) bool {
	ready, room := s.append(p, last)
	if ready != nil {
		ready()
	}
	return room
}

func (s *Stream) append(p []byte, last bool) (ready func(), room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != flowing {
		return nil, true
	}
	if s.left -= len(p); s.left < 0 {
		return s.voidWith(Reject(TooLarge, tooLarge)), true
	}
	s.pending = append(s.pending, p...)
	if last {
		s.phase = complete
	}
	s.full = len(s.pending) >= s.capacity
	return s.wake(), !s.full
}

// Void says that the message will not become whole. The consumer ends its delivery with the outcome o.
func (s *Stream) Void(o Outcome) {
	s.mu.Lock()
	var ready func()
	if s.phase == flowing {
		ready = s.voidWith(o)
	}
	s.mu.Unlock()
	if ready != nil {
		ready()
	}
}

func (s *Stream) voidWith(o Outcome) (ready func()) {
	s.phase, s.void, s.pending, s.full = voided, o, nil, false
	return s.wake()
}

// wake gives what tells the consumer that there is something, if it waits for that.
func (s *Stream) wake() (ready func()) {
	if !s.hungry {
		return nil
	}
	s.hungry = false
	return s.ready
}

// Piece is what a consumer takes of a stream.
type Piece struct {
	Bytes []byte   // the consumer's own; empty when nothing has come, and then ready is called
	Last  bool     // the message is complete with it
	Void  *Outcome // the message is void, and its delivery ends so; nil otherwise
}

// Take gives all that has come. After a call that gave nothing, ready is called when there is more.
// spare is memory that the consumer needs no more, such as that of an earlier piece; it may be nil.
func (s *Stream) Take(ready func(), spare []byte) Piece {
	p, room, free := s.take(ready, spare)
	if room != nil {
		room()
	}
	if free != nil {
		free()
	}
	return p
}

func (s *Stream) take(ready func(), spare []byte) (p Piece, room, free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case exhausted:
		return Piece{Void: new(Release())}, nil, nil
	case voided:
		return Piece{Void: &s.void}, nil, s.end()
	}
	p.Bytes, s.pending, s.ready = s.pending, spare[:0], ready
	if s.full {
		s.full, room = false, s.room
	}
	if s.phase == complete {
		p.Last = true
		return p, room, s.end()
	}
	s.hungry = len(p.Bytes) == 0
	return p, room, nil
}

// Abandon says that the rest is of no use, because the delivery has its outcome: what still comes is forgotten.
func (s *Stream) Abandon() {
	ready, room, free := s.abandon()
	for _, call := range [...]func(){ready, room, free} {
		if call != nil {
			call()
		}
	}
}

func (s *Stream) abandon() (ready, room, free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == exhausted {
		return nil, nil, nil
	}
	if s.full {
		s.full, room = false, s.room
	}
	return s.wake(), room, s.end()
}

// end lets go of all that it refers to.
func (s *Stream) end() (free func()) {
	free = s.free
	s.phase, s.pending, s.room, s.ready, s.free = exhausted, nil, nil, nil, nil
	return free
}

// over tells whether it has come to its end.
func (s *Stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == exhausted
}

// Reception is what becomes of the offer of a stream.
type Reception uint8

// The answers to the offer of a stream.
const (
	Taken     Reception = iota // a consumer has it
	Busy                       // those who take streams have no credit, or are in the middle of another one
	WholeOnly                  // nobody takes streams: the message has to be gathered
)

// Streamer is a Node that can pass messages on while they come in.
type Streamer interface {
	// OfferStream is Offer for a delivery with a Stream. Only if it is Taken the node owns the delivery. If it is Busy
	// the node calls the stream's room once when it may be worth another try; Leave ends that.
	OfferStream(d Delivery) Reception
}

// Streams tells whether the address can pass messages on while they come in.
func (s *Sender) Streams() bool {
	_, ok := s.node.(Streamer)
	return ok
}

// StreamBuffer is how much of a message, in bytes, should wait for its consumer before its producer is held back.
func (s *Sender) StreamBuffer() int { return s.streamBuffer }

// SendStream is Send for a message of which only the beginning is there: the Message of d is its head, and begun is what
// follows so far, which is the stream's own if it is Taken. Otherwise nothing has happened, and the stream is nil. room
// is called when there is room again after a full Append, or when a Busy address may be worth another try; it may come
// once too often.
func (s *Sender) SendStream(tag uint64, d Delivery, begun []byte, room func()) (*Stream, Reception) {
	node, ok := s.node.(Streamer)
	left := s.maxSize - d.Message.Len() - len(begun)
	if !ok || left < 0 {
		return nil, WholeOnly
	}
	d.To, d.origin, d.tag = s.target.Address, s, tag
	d.Stream = newStream(s.streamBuffer, begun, left, room)
	if r := node.OfferStream(d); r != Taken {
		return nil, r
	}
	return d.Stream, Taken
}

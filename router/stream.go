package router

import (
	"sync"

	"github.com/manifoldmq/manifold/tenancy"
)

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
	memory   *pieces
	from     *tenancy.Principal // for whom what comes in counts
	to       *tenancy.Principal // for whom what goes out counts; set before its consumer gets it

	mu      sync.Mutex // guards everything below; a leaf
	room    func()     // tells the producer
	ready   func()     // tells the consumer; nil as long as there is none
	free    func()     // tells the node that it has come to its end
	phase   phase
	void    Outcome  // how the delivery ends that is void
	pending [][]byte // has come and is not taken
	waiting int      // bytes of that
	left    int      // bytes that may still come before the message is too large
	hungry  bool     // the consumer waits for ready
	full    bool     // the producer waits for room
	convoy  any      // with what a way has it go; nil for none
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
func newStream(capacity int, memory *pieces, begun []byte, left int, room func()) *Stream {
	s := &Stream{capacity: capacity, memory: memory, room: room, left: left}
	if len(begun) > 0 {
		s.pending, s.waiting = [][]byte{begun}, len(begun)
	}
	s.full = s.waiting >= capacity
	return s
}

// Append adds what has come, which is copied; last says that the message is complete with it. It is false when there is
// no room for more: then room, which was given to SendStream, is called once there is. A message that becomes too large
// for its address is void.
func (s *Stream) Append(p []byte, last bool) bool {
	s.from.SentMore(len(p))
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
	s.keep(p)
	if last {
		s.phase = complete
	}
	s.full = s.waiting >= s.capacity
	return s.wake(), !s.full
}

// keep copies p behind what is pending.
func (s *Stream) keep(p []byte) {
	s.waiting += len(p)
	for len(p) > 0 {
		end := len(s.pending) - 1
		if end < 0 || len(s.pending[end]) == cap(s.pending[end]) {
			s.pending = append(s.pending, s.memory.get())
			end++
		}
		piece := s.pending[end]
		n := min(len(p), cap(piece)-len(piece))
		s.pending[end] = append(piece, p[:n]...)
		p = p[n:]
	}
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
	s.phase, s.void, s.pending, s.waiting, s.full = voided, o, nil, 0, false
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
	Bytes []byte   // the consumer's, until it gives them back; empty when nothing has come, and then ready is called
	Last  bool     // the message is complete with it
	Void  *Outcome // the message is void, and its delivery ends so; nil otherwise
}

// Take gives the next piece of what has come. After a call that gave nothing, ready is called when there is more. spent
// is a piece that the consumer needs no more, whose memory is used again; nil for none.
func (s *Stream) Take(ready func(), spent []byte) Piece {
	s.memory.put(spent)
	p, room, free := s.take(ready)
	if len(p.Bytes) > 0 {
		s.to.ReceivedMore(len(p.Bytes))
	}
	if room != nil {
		room()
	}
	if free != nil {
		free()
	}
	return p
}

func (s *Stream) take(ready func()) (p Piece, room, free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case exhausted:
		return Piece{Void: new(Release())}, nil, nil
	case voided:
		return Piece{Void: &s.void}, nil, s.end()
	}
	s.ready = ready
	if len(s.pending) > 0 {
		p.Bytes, s.pending[0] = s.pending[0], nil
		s.pending = s.pending[1:]
		s.waiting -= len(p.Bytes)
	}
	if s.full && s.waiting <= s.capacity/2 {
		s.full, room = false, s.room
	}
	if s.phase == complete && len(s.pending) == 0 {
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
	s.phase, s.pending, s.waiting, s.room, s.ready, s.free = exhausted, nil, 0, nil, nil, nil
	return free
}

// Join is for a Way, which has the stream go on with others: whatever comes after it (Way.DeliverAfter) is to follow. What the convoy
// is only the way knows; it outlives the stream.
func (s *Stream) Join(convoy any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.convoy = convoy
}

// Convoy gives what the stream has joined; nil before.
func (s *Stream) Convoy() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.convoy
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
	left := s.MaxMessageSize() - d.Message.Len() - len(begun)
	if !ok || left < 0 {
		return nil, WholeOnly
	}
	d.To, d.origin, d.tag = s.target.Address, s, tag
	s.sign(&d)
	if s.tracer != nil {
		d = s.follow(d)
	}
	d.Stream = newStream(s.streamBuffer, s.streamMemory, begun, left, room)
	d.Stream.from = s.principal
	d.began = s.Begin()
	if r := node.OfferStream(d); r != Taken {
		s.ages.end(d.began, s.house.now())
		return nil, r
	}
	s.streamed.Store(d.Stream)
	s.sent(&d)
	s.principal.Sent(d.Message.Len() + len(begun))
	return d.Stream, Taken
}

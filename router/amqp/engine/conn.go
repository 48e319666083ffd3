package engine

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// A Conn is one end of a connection. Create it with NewServer or NewClient. It is a transport engine: bytes come in by
// Feed and go out by Flush.
type Conn struct {
	Context any // the owner's own

	handler Handler
	limits  *Limits
	client  bool
	phase   phase
	sasl    sasl

	now     time.Time // as last told
	since   time.Time // when the phase began that has a time limit
	heard   time.Time // when the peer last said something
	checked time.Time // when the heartbeat was last looked at
	spoke   bool      // something was flushed since then
	trimmed time.Time // when memory was last given back

	in        []byte // received and not yet parsed: an incomplete frame, or more while the Conn is not Ready
	out       []byte // control frames to write; transfers, flows and dispositions are made in Flush
	deaf      bool   // parsing stopped for a reason of ours: the peer's silence means nothing
	garbled   bool   // the frames of the peer cannot be told apart any more
	held      bool   // by Hold
	open      frame.Open
	hasOpen   bool        // open is what we say, or have said
	remote    *frame.Open // what the peer said
	peerFrame uint32      // the largest frame the peer takes

	initialID      uint32     // where sessions begin to count
	sessions       []*Session // by our channel
	remoteSessions []*Session // by the peer's channel
	links          map[linkKey]*Link
	attachments    int          // links that have a handle
	kept           int          // bytes that the begins and attaches of the peer take
	dirty          []*Session   // with something to say in the next Flush
	sendable       ring[*Link]  // links with pieces to write, in turn
	relieved       ring[*Link]  // links whose owners wait to hear that MaxUnsettled is not in the way any more
	unsent         int          // links with pieces, sendable or not
	partial        int          // bytes of unfinished messages that are kept
	goodbye        *frame.Close // to say when nothing is unsent any more

	transferIn  frame.Transfer
	transferOut frame.Transfer
	flowFrame   frame.Flow
	disposition frame.Disposition
	event       Transfer
	trace       Trace
	tracing     bool    // what the Feed of now completes is shown
	tag         [4]byte // of a delivery whose owner gave none
}

// Server is what the server's end of a connection says before anybody is known.
type Server struct {
	ContainerID string
	Mechanisms  []amqp.Symbol // of SASL, the best first; none for no SASL layer
	Optional    bool          // clients may leave SASL out
}

// NewServer gives the server's end of a connection that was accepted at now. The limits are shared, not copied, and
// must not change.
func NewServer(now time.Time, limits *Limits, s Server, h Handler) *Conn {
	c := newConn(now, limits, h)
	c.open.ContainerID = s.ContainerID
	c.sasl.offer = s.Mechanisms
	c.sasl.optional = s.Optional || len(s.Mechanisms) == 0
	return c
}

// Client is what the client's end of a connection says before it is known.
type Client struct {
	Hostname   string      // for the SASL layer
	Mechanisms []Mechanism // the best first; none for no SASL layer
}

// NewClient gives the client's end of a connection that was made at now. The owner calls Open at once; it is said when
// the peer has let us in.
func NewClient(now time.Time, limits *Limits, cl Client, h Handler) *Conn {
	c := newConn(now, limits, h)
	c.client = true
	c.sasl.mechanisms, c.sasl.hostname = cl.Mechanisms, cl.Hostname
	if len(cl.Mechanisms) > 0 {
		c.out = append(c.out, frame.ProtocolSASL[:]...)
	} else {
		c.sasl.done = true
		c.out = append(c.out, frame.ProtocolAMQP[:]...)
	}
	return c
}

func newConn(now time.Time, limits *Limits, h Handler) *Conn {
	return &Conn{handler: h, limits: limits, now: now, since: now, heard: now, checked: now, peerFrame: frame.MinMaxSize}
}

// Ready reports whether the transport should read more. While it is false, bytes that were already on their way may
// still be fed; they are kept, up to a bound.
func (c *Conn) Ready() bool { return !c.stalled() }

// stalled reports whether frames have to wait: for the owner's word, or for room in the output.
func (c *Conn) stalled() bool {
	return c.held || c.sasl.deciding || c.phase == deciding || c.phase == ended || len(c.out) >= maxUnflushed
}

// Closed reports that the conversation is over and nothing is left to flush: the transport closes the connection.
func (c *Conn) Closed() bool { return c.phase == ended && len(c.out) == 0 }

// Remote is the peer's open, nil before Opened.
func (c *Conn) Remote() *frame.Open { return c.remote }

// Hold stops the reading of frames until Resume, for an owner that can take no more for a while.
func (c *Conn) Hold() { c.held, c.deaf = true, true }

// Resume ends Hold. Frames that wait are handled in the next Feed or Advance, and Deadline asks for one at once.
func (c *Conn) Resume() { c.held = false }

// trim gives back, once in a while, the memory that deliveries leave behind. A peer that sends heartbeats is idle, so
// that is the time for it.
func (c *Conn) trim() {
	if c.now.Sub(c.trimmed) < time.Second {
		return
	}
	c.trimmed = c.now
	c.sendable.trim()
	c.relieved.trim()
	for _, s := range c.sessions {
		if s == nil {
			continue
		}
		s.incoming.trim()
		s.outgoing.trim()
		for _, l := range s.links {
			if l != nil {
				l.pieces.trim()
			}
		}
	}
}

// keeps tells whether there is room for what the peer says of one more session or link.
func (c *Conn) keeps(cost int) bool { return c.kept+cost <= c.limits.MaxKept }

// performative is what is written in a frame.
type performative interface{ Append([]byte) []byte }

// write adds a control frame to the output. It is false when the peer does not take a frame of that size.
func (c *Conn) write(channel uint16, p performative) bool {
	start := len(c.out)
	out := p.Append(frame.Start(c.out, frame.AMQP, channel))
	if uint64(len(out)-start) > uint64(c.peerFrame) {
		return false
	}
	c.out = frame.Finish(out, start)
	return true
}

// writeFault adds a frame that carries an error, and leaves out of it what makes the frame too large for the peer.
func (c *Conn) writeFault(channel uint16, e **frame.Error, p performative) {
	if *e != nil {
		short := **e
		if len(short.Description) > maxDescription {
			short.Description = shorten(short.Description)
		}
		*e = &short
	}
	if !c.write(channel, p) {
		(*e).Info = nil
		c.write(channel, p)
	}
}

// maxDescription bounds what we say about an error, so that it fits into the smallest frame.
const maxDescription = 256

// shorten cuts a text between characters.
func shorten(text string) string {
	n := 0
	for i := range text {
		if i > maxDescription {
			break
		}
		n = i
	}
	return text[:n]
}

package block

import (
	"hash/maphash"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Budget is what the bodies of all peers together may take. Its methods may be called from any goroutine.
type Budget interface {
	// Take takes n bytes, or none when there are fewer left.
	Take(n int) bool
	// Give gives n bytes back.
	Give(n int)
}

// Transfers are the bodies that one peer has under way. Call Init first.
type Transfers struct {
	limits *Limits
	budget Budget
	seed   maphash.Seed // makes keys that no peer can aim at

	single int  // the largest body that goes in one message unless its client asks for blocks
	size   Size // of the blocks that are sent, unless their client asks for smaller ones
	bert   int  // bytes of a message with the size BERT; 0 without it

	uploads       []*upload // the one that waits longest first
	uploadedBytes int
	kept          []*body // the one unused for longest first
	keptBytes     int
	answer        []message.Option // the options of the last answer, used anew
	values        []byte           // and the values of those that are made here
}

// Result is what becomes of a request: it is handed on when it is whole, and gets the answer when it is not.
type Result struct {
	Whole  bool
	Body   []byte           // when whole: of one message, its payload; of several, the caller's
	Reply  Reply            // when whole: what Cut needs to know of it
	Answer session.Response // when not whole: valid until the next call
}

// Reply is what the answer to a request, and each notification of an observation, owes to how it was asked for.
type Reply struct {
	key      uint64
	block1   Option
	size     Size // of the blocks of the answer
	received bool // in blocks: the answer carries block1
	uploaded bool // in more than one block: the answer is kept for who repeats the last one
	asked    bool // for a block, so that the answer has to be one
}

// Init sets what bounds the transfers.
func (t *Transfers) Init(limits *Limits, budget Budget) {
	*t = Transfers{limits: limits, budget: budget, seed: maphash.MakeSeed(),
		single: limits.BlockSize, size: SizeOf(limits.BlockSize)}
}

// Carry says how large the payload of one message may be on a stream, and whether its peer knows BERT (RFC 8323 section 6).
func (t *Transfers) Carry(payload int, bert bool) {
	t.single, t.size, t.bert = payload, SizeOf(min(payload, t.limits.BlockSize)), 0
	if bert && payload >= Largest.Bytes() {
		t.size, t.bert = BERT, payload&^(Largest.Bytes()-1)
	}
}

// Request takes a request with the options that it came with. What the result holds of them is copied.
func (t *Transfers) Request(now time.Time, code codes.Code, options message.Options, payload []byte) Result {
	t.expire(now)
	upload, uploading, err1 := find(options, message.Block1)
	wanted, wanting, err2 := find(options, message.Block2)
	if err1 != nil || err2 != nil || uploading && !t.knows(upload.Size) || wanting && !t.knows(wanted.Size) {
		// RFC 7959 section 2.2: the size 7 is reserved, and a request with it gets 4.00.
		return t.refuse(codes.BadRequest, "unknown block size")
	}
	r := Reply{key: t.key(code, options, payload, uploading), size: t.size}
	if wanting {
		r.size, r.asked = min(r.size, wanted.Size), true
	}
	switch {
	case wanting && wanted.Number > 0 && !uploading:
		return t.serve(now, r, wanted)
	case uploading:
		r.block1, r.received = upload, true
		return t.receive(now, r, announced(options), payload)
	case len(payload) > t.limits.MaxBody:
		return t.tooLarge(t.limits.MaxBody)
	}
	return Result{Whole: true, Body: payload, Reply: r}
}

// Shrink lets the answer have blocks of half the size; false when they are the smallest already.
func (r *Reply) Shrink() bool {
	if r.size == Smallest {
		return false
	}
	r.size, r.asked = min(r.size, Largest)-1, true
	return true
}

// Later gives what notifications owe to a registration: nothing to how its body came.
func (r Reply) Later() Reply {
	r.block1, r.received, r.uploaded = Option{}, false, false
	return r
}

// SameResource tells whether two requests have the same method and cache key.
func (r Reply) SameResource(other Reply) bool { return r.key == other.key }

// Deadline is when Advance is to be called; zero for never.
func (t *Transfers) Deadline() (at time.Time) {
	if len(t.uploads) > 0 {
		at = t.uploads[0].used.Add(t.limits.UploadTimeout)
	}
	if len(t.kept) > 0 {
		if end := t.kept[0].used.Add(t.limits.KeepTimeout); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return at
}

// Advance forgets what has not been used for too long.
func (t *Transfers) Advance(now time.Time) { t.expire(now) }

// Idle tells that nothing is under way.
func (t *Transfers) Idle() bool { return len(t.uploads) == 0 && len(t.kept) == 0 }

// Close gives everything back.
func (t *Transfers) Close() {
	for len(t.uploads) > 0 {
		t.dropUpload(0)
	}
	for len(t.kept) > 0 {
		t.dropKept(0)
	}
	t.uploads, t.kept = nil, nil
}

func (t *Transfers) expire(now time.Time) {
	for len(t.uploads) > 0 && !now.Before(t.uploads[0].used.Add(t.limits.UploadTimeout)) {
		t.dropUpload(0)
	}
	for len(t.kept) > 0 && !now.Before(t.kept[0].used.Add(t.limits.KeepTimeout)) {
		t.dropKept(0)
	}
}

func (t *Transfers) knows(s Size) bool { return s != BERT || t.bert > 0 }

// key gives what requests that belong together have in common: method, options of the cache key without those of blocks, and
// the body of a FETCH that came in one message (RFC 7252 section 5.4.2, RFC 7959 section 2.5, RFC 8132 section 2.1).
func (t *Transfers) key(code codes.Code, options message.Options, payload []byte, uploading bool) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteByte(byte(code))
	for _, o := range options {
		if isOfKey(o.ID) {
			h.Write([]byte{byte(o.ID >> 8), byte(o.ID), byte(len(o.Value) >> 8), byte(len(o.Value))})
			h.Write(o.Value)
		}
	}
	const fetch = 5
	if code == fetch && !uploading {
		h.WriteByte(0xFF)
		h.Write(payload)
	}
	return h.Sum64()
}

// isOfKey tells whether an option says which resource is meant, and not how its bodies travel. Those with the bits 0x1C out
// of 0x1E are never part of a cache key.
func isOfKey(id message.OptionID) bool {
	const hopLimit = 16
	switch id {
	case message.Block1, message.Block2, message.Observe, message.NoResponse, hopLimit:
		return false
	}
	return id&0x1E != 0x1C
}

// announced gives what the client says that its body has; 0 when it does not.
func announced(options message.Options) int {
	n, err := options.GetUint32(message.Size1)
	if err != nil {
		return 0
	}
	return int(n)
}

// refuse makes an answer with a reason in words (RFC 7252 section 5.5.2).
func (t *Transfers) refuse(code codes.Code, reason string) Result {
	t.begin()
	return Result{Answer: session.Response{Code: code, Options: t.answer, Body: []byte(reason)}}
}

// begin starts the options of an answer.
func (t *Transfers) begin() {
	clear(t.answer)
	t.answer, t.values = t.answer[:0], t.values[:0]
}

// addBlock adds a Block option to the answer.
func (t *Transfers) addBlock(id message.OptionID, o Option) {
	from := len(t.values)
	t.values = o.Append(t.values)
	t.add(id, t.values[from:])
}

// addUint adds an option with a number to the answer.
func (t *Transfers) addUint(id message.OptionID, v uint32) {
	from := len(t.values)
	t.values = appendUint(t.values, v)
	t.add(id, t.values[from:])
}

func (t *Transfers) add(id message.OptionID, value []byte) {
	t.answer = message.Options(t.answer).Add(message.Option{ID: id, Value: value})
}

package block

import (
	"bytes"
	"hash/fnv"
	"slices"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// body is a response whose later blocks may be asked for. Its body is shared with whoever made it and never written to.
type body struct {
	key     uint64
	used    time.Time
	code    codes.Code
	options message.Options
	bytes   []byte
}

// Cut makes of a response, or a notification, what is sent at once: all of it, or its first block; the rest is kept until
// it is asked for. The result is valid until the next call.
func (t *Transfers) Cut(now time.Time, reply Reply, r session.Response) session.Response {
	if len(r.Body) > t.cutAbove(reply) {
		b := newBody(now, reply.key, r)
		if !b.options.HasOption(message.ETag) {
			// RFC 7959 section 2.4: the ETag tells the client which blocks belong together.
			b.options = b.options.Add(message.Option{ID: message.ETag, Value: tag(r.Body)})
		}
		t.keep(b)
		return t.cut(reply, b, Option{Size: reply.size})
	}
	if reply.uploaded {
		t.keep(newBody(now, reply.key, r))
	}
	t.begin()
	t.answer = append(t.answer, r.Options...)
	if reply.received {
		t.addBlock(message.Block1, reply.block1)
	}
	if reply.asked && len(r.Body) > 0 {
		t.addBlock(message.Block2, Option{Size: reply.size})
	}
	return session.Response{Code: r.Code, Options: t.answer, Body: r.Body}
}

// cutAbove gives the largest body that goes in one message.
func (t *Transfers) cutAbove(r Reply) int {
	if r.asked {
		return t.blockBytes(r.size)
	}
	return t.single
}

// blockBytes is how much of a body goes into one message with a size.
func (t *Transfers) blockBytes(s Size) int {
	if s == BERT {
		return t.bert
	}
	return s.Bytes()
}

// serve answers a request for a block of a body that is kept.
func (t *Transfers) serve(now time.Time, r Reply, wanted Option) Result {
	i := t.findKept(r.key)
	if i < 0 {
		return t.refuse(codes.RequestEntityIncomplete, "the body is not kept any more, begin again with block 0")
	}
	b := t.kept[i]
	t.kept = append(slices.Delete(t.kept, i, i+1), b)
	b.used = now
	offset := wanted.Offset()
	if offset > 0 && offset >= len(b.bytes) {
		return t.refuse(codes.BadRequest, "the body has no such block")
	}
	return Result{Answer: t.cut(r, b, Option{Number: uint32(offset / r.size.Bytes()), Size: r.size})}
}

// cut makes the message with one block of a body.
func (t *Transfers) cut(r Reply, b *body, o Option) session.Response {
	from := o.Offset()
	to := min(from+t.blockBytes(o.Size), len(b.bytes))
	o.More = to < len(b.bytes)
	t.begin()
	t.answer = append(t.answer, b.options...)
	if from > 0 || o.More || r.asked {
		t.addBlock(message.Block2, o)
	}
	if r.received {
		t.addBlock(message.Block1, r.block1)
	}
	if from == 0 && o.More {
		t.addUint(message.Size2, uint32(len(b.bytes)))
	}
	return session.Response{Code: b.code, Options: t.answer, Body: b.bytes[from:to]}
}

// newBody copies what of a response is not shared.
func newBody(now time.Time, key uint64, r session.Response) *body {
	options := make(message.Options, 0, len(r.Options)+1)
	for _, o := range r.Options {
		options = append(options, message.Option{ID: o.ID, Value: bytes.Clone(o.Value)})
	}
	return &body{key: key, used: now, code: r.Code, options: options, bytes: r.Body}
}

// keep keeps a body in place of an older one to the same request. When there is no room for it, it is not kept: who asks
// for its later blocks has to begin again.
func (t *Transfers) keep(b *body) {
	if i := t.findKept(b.key); i >= 0 {
		t.dropKept(i)
	}
	if len(b.bytes) > t.limits.MaxKeptBytes {
		return
	}
	for len(t.kept) > 0 && (len(t.kept) >= t.limits.MaxKept || t.keptBytes+len(b.bytes) > t.limits.MaxKeptBytes) {
		t.dropKept(0)
	}
	if t.budget.Take(len(b.bytes)) {
		t.keptBytes += len(b.bytes)
		t.kept = append(t.kept, b)
	}
}

// tag makes an ETag of a body.
func tag(body []byte) []byte {
	h := fnv.New64a()
	h.Write(body)
	return h.Sum(nil)
}

func (t *Transfers) findKept(key uint64) int {
	return slices.IndexFunc(t.kept, func(b *body) bool { return b.key == key })
}

func (t *Transfers) dropKept(i int) {
	n := len(t.kept[i].bytes)
	t.kept = slices.Delete(t.kept, i, i+1)
	t.keptBytes -= n
	t.budget.Give(n)
}

package block

import (
	"bytes"
	"slices"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// upload is a request body under way. One that has been handed on leaves its last block behind, for who repeats it.
type upload struct {
	key  uint64
	used time.Time
	body []byte // so far; nil once it was handed on
	last []byte // the last block of a body that was handed on
	end  int    // the bytes of a body that was handed on; 0 before
}

// receive takes a block of a request.
func (t *Transfers) receive(now time.Time, r Reply, announced int, payload []byte) Result {
	b := r.block1
	switch whole := len(payload) == b.Size.Bytes(); {
	case b.More && b.Size == BERT && len(payload) > 0 && len(payload)%b.Size.Bytes() == 0:
	case b.More && !whole, !b.More && b.Size != BERT && len(payload) > b.Size.Bytes():
		// RFC 7959 section 2.2: a block that is not the last is as large as it says.
		return t.refuse(codes.BadRequest, "a block has another size than its option says")
	}
	if b.Number == 0 {
		return t.first(now, r, announced, payload)
	}
	return t.next(now, r, payload)
}

// first takes the first block of a body, which begins anew if there was one.
func (t *Transfers) first(now time.Time, r Reply, announced int, payload []byte) Result {
	if i := t.findUpload(r.key); i >= 0 {
		t.dropUpload(i)
	}
	if max(announced, len(payload)) > t.limits.MaxBody {
		return t.tooLarge(t.limits.MaxBody)
	}
	if !r.block1.More {
		return Result{Whole: true, Body: payload, Reply: r}
	}
	if !t.reserve(len(payload)) {
		return t.tooLarge(0)
	}
	if len(t.uploads) == t.limits.MaxUploads {
		t.dropUpload(0)
	}
	t.uploads = append(t.uploads, &upload{key: r.key, used: now, body: append([]byte(nil), payload...)})
	return t.goOn(r.block1)
}

// next takes a later block.
func (t *Transfers) next(now time.Time, r Reply, payload []byte) Result {
	i := t.findUpload(r.key)
	if i < 0 {
		return t.incomplete()
	}
	u, b := t.uploads[i], r.block1
	t.uploads = append(slices.Delete(t.uploads, i, i+1), u) // it is the last to expire now
	u.used = now
	switch offset := b.Offset(); {
	case u.end > 0:
		return t.again(now, r, u, payload)
	case offset > len(u.body):
		return t.incomplete()
	case offset < len(u.body):
		// The block has come before, under another message id: it is answered again, if it is the same.
		if end := offset + len(payload); b.More && end <= len(u.body) && bytes.Equal(u.body[offset:end], payload) {
			return t.goOn(b)
		}
		return t.incomplete()
	case offset+len(payload) > t.limits.MaxBody:
		t.dropUpload(len(t.uploads) - 1)
		return t.tooLarge(t.limits.MaxBody)
	case !t.reserve(len(payload)):
		t.dropUpload(len(t.uploads) - 1)
		return t.tooLarge(0)
	}
	u.body = append(u.body, payload...)
	if b.More {
		return t.goOn(b)
	}
	return t.handOn(u, r)
}

// handOn gives the body away, and leaves its last block behind. An answer to an earlier one with the same key is none to
// this.
func (t *Transfers) handOn(u *upload, r Reply) Result {
	if i := t.findKept(r.key); i >= 0 {
		t.dropKept(i)
	}
	body := u.body
	u.body, u.end = nil, len(body)
	u.last = bytes.Clone(body[min(r.block1.Offset(), len(body)):])
	t.release(len(body) - len(u.last))
	r.uploaded = true
	return Result{Whole: true, Body: body, Reply: r}
}

// again answers the last block of a body that was handed on already.
func (t *Transfers) again(now time.Time, r Reply, u *upload, payload []byte) Result {
	if r.block1.More || r.block1.Offset()+len(payload) != u.end || !bytes.Equal(payload, u.last) {
		return t.incomplete()
	}
	if i := t.findKept(r.key); i >= 0 {
		return t.serve(now, r, Option{Size: r.size})
	}
	// Its answer is not there yet: the client comes again in a second (RFC 7252 section 5.9.3.4).
	t.begin()
	t.addUint(message.MaxAge, 1)
	return Result{Answer: session.Response{Code: codes.ServiceUnavailable, Options: t.answer}}
}

// goOn asks for the next block, in the size that is preferred here (RFC 7959 section 2.3).
func (t *Transfers) goOn(b Option) Result {
	t.begin()
	t.addBlock(message.Block1, Option{Number: b.Number, More: true, Size: min(b.Size, t.size)})
	return Result{Answer: session.Response{Code: codes.Continue, Options: t.answer}}
}

// incomplete tells a client whose earlier blocks are not there (RFC 7959 section 2.9.2).
func (t *Transfers) incomplete() Result {
	return t.refuse(codes.RequestEntityIncomplete, "begin again with block 0")
}

// tooLarge tells how large a body may be, if that is why it is refused (RFC 7959 sections 2.9.3 and 4).
func (t *Transfers) tooLarge(limit int) Result {
	t.begin()
	text := "too many bytes of unfinished bodies (coap.maxUploadBytes, coap.maxBlockBytes)"
	if limit > 0 {
		t.addUint(message.Size1, uint32(limit))
		text = "the body is too large (coap.maxBody)"
	}
	return Result{Answer: session.Response{Code: codes.RequestEntityTooLarge, Options: t.answer, Body: []byte(text)}}
}

func (t *Transfers) findUpload(key uint64) int {
	return slices.IndexFunc(t.uploads, func(u *upload) bool { return u.key == key })
}

func (t *Transfers) dropUpload(i int) {
	u := t.uploads[i]
	t.uploads = slices.Delete(t.uploads, i, i+1)
	t.release(len(u.body) + len(u.last))
}

// reserve takes bytes of what this peer and all peers may have; false when there are not as many.
func (t *Transfers) reserve(n int) bool {
	if t.uploadedBytes+n > t.limits.MaxUploadBytes || !t.budget.Take(n) {
		return false
	}
	t.uploadedBytes += n
	return true
}

func (t *Transfers) release(n int) {
	t.uploadedBytes -= n
	t.budget.Give(n)
}

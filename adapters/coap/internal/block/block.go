// Package block moves bodies that are larger than a message: it puts the blocks of a request together, and cuts a response
// into the blocks that its client asks for (RFC 7959). Both carriers of CoAP use it, datagrams and streams.
//
// Promises:
//   - Pure: no goroutine, no lock, no clock, no I/O. Transfers have one owner at a time.
//   - A request body is handed on once, whole, or not at all. Its blocks belong together by method, cache key and
//     Request-Tag (RFC 7959 section 2.5, RFC 9175 section 3.3), whatever their tokens.
//   - A response body whose first block was sent is kept as it was, so that its later blocks fit.
//   - Memory is bounded for each peer by Limits and for all together by a Budget, whatever is sent, and for how long by time.
package block

import (
	"errors"

	"github.com/plgd-dev/go-coap/v3/message"
)

// Option is the value of a Block1 or Block2 option: number, more, and size as an exponent (RFC 7959 section 2.2).
type Option struct {
	Number uint32
	More   bool
	Size   Size
}

// Size is a size exponent: 0 to 6 stand for 16 to 1024 bytes. BERT stands for any number of blocks of 1024 bytes in one
// message, on streams (RFC 8323 section 6).
type Size uint8

// The sizes with a meaning of their own.
const (
	Smallest Size = 0
	Largest  Size = 6
	BERT     Size = 7
)

// MaxNumber is the highest number of a block: it has 20 bits.
const MaxNumber = 1<<20 - 1

// errValue tells of a Block option that is too long.
var errValue = errors.New("a Block option has more than 3 bytes")

// Bytes gives the number of bytes of one block; block numbers of BERT count blocks of 1024.
func (s Size) Bytes() int { return 16 << min(s, Largest) }

// SizeOf gives the largest size that has no more than n bytes, and Smallest when none has.
func SizeOf(n int) Size {
	s := Largest
	for s > Smallest && s.Bytes() > n {
		s--
	}
	return s
}

// Parse reads the value of a Block1 or Block2 option.
func Parse(value []byte) (Option, error) {
	if len(value) > 3 {
		return Option{}, errValue
	}
	var v uint32
	for _, b := range value {
		v = v<<8 | uint32(b)
	}
	return Option{Number: v >> 4, More: v&8 != 0, Size: Size(v & 7)}, nil
}

// Append appends the option's value, in as few bytes as it needs.
func (o Option) Append(dst []byte) []byte {
	v := o.Number<<4 | uint32(o.Size)
	if o.More {
		v |= 8
	}
	return appendUint(dst, v)
}

// Offset is where the block begins in its body.
func (o Option) Offset() int { return int(o.Number) * o.Size.Bytes() }

// find gives the Block option with a number, if there is one.
func find(options message.Options, id message.OptionID) (o Option, ok bool, err error) {
	value, missing := options.GetBytes(id)
	if missing != nil {
		return Option{}, false, nil
	}
	o, err = Parse(value)
	return o, true, err
}

// appendUint appends an unsigned number as options have it: big-endian, without leading zeros (RFC 7252 section 3.2).
func appendUint(dst []byte, v uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if v>>shift != 0 {
			dst = append(dst, byte(v>>shift))
		}
	}
	return dst
}

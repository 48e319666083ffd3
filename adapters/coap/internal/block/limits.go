package block

import (
	"fmt"
	"math"
	"time"
)

// Limits bound what one peer may have under way. They are shared by all and must not change; start from DefaultLimits.
type Limits struct {
	// MaxBody is the largest request body in bytes. Answer: 4.13 request entity too large, with this size.
	MaxBody int
	// MaxUploads is how many request bodies a peer may have under way. The one that has waited longest for a block makes
	// room; its next block gets 4.08 request entity incomplete.
	MaxUploads int
	// MaxUploadBytes is how many bytes these may have together. Answer: 4.13 without a size.
	MaxUploadBytes int
	// UploadTimeout is how long a body waits for its next block. Answer, later: 4.08.
	UploadTimeout time.Duration
	// MaxKept is how many response bodies are kept for a peer's later blocks; the one unused for longest makes room. Answer
	// to a block that is not kept any more: 4.08.
	MaxKept int
	// MaxKeptBytes is how many bytes these may have together. A larger one is not kept: its client begins again for each
	// block.
	MaxKeptBytes int
	// KeepTimeout is how long a response body is kept after its last use.
	KeepTimeout time.Duration
	// BlockSize is the size of the blocks that are sent, and asked for, in bytes; a client may ask for smaller ones.
	BlockSize int
}

// DefaultLimits suit devices and small applications.
func DefaultLimits() Limits {
	return Limits{
		MaxBody:        1 << 20,
		MaxUploads:     4,
		MaxUploadBytes: 2 << 20,
		UploadTimeout:  247 * time.Second, // EXCHANGE_LIFETIME (RFC 7252 section 4.8.2)
		MaxKept:        8,
		MaxKeptBytes:   4 << 20,
		KeepTimeout:    247 * time.Second,
		BlockSize:      1024,
	}
}

// Validate reports the first setting that is out of its range.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name            string
		value, low, top int
	}{
		{"maxBody", l.MaxBody, 1, math.MaxInt32},
		{"maxUploads", l.MaxUploads, 1, 1024},
		{"maxUploadBytes", l.MaxUploadBytes, 1, math.MaxInt32},
		{"maxKept", l.MaxKept, 1, 1024},
		{"maxKeptBytes", l.MaxKeptBytes, 1, math.MaxInt32},
		{"blockSize", l.BlockSize, Smallest.Bytes(), Largest.Bytes()},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("%s is %d, outside of %d to %d", f.name, f.value, f.low, f.top)
		}
	}
	switch {
	case l.BlockSize&(l.BlockSize-1) != 0:
		return fmt.Errorf("blockSize is %d, not a power of two", l.BlockSize)
	case l.UploadTimeout <= 0:
		return fmt.Errorf("uploadTimeout is %v, not above 0", l.UploadTimeout)
	case l.KeepTimeout <= 0:
		return fmt.Errorf("keepTimeout is %v, not above 0", l.KeepTimeout)
	}
	return nil
}

package load

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// The head of each payload. The run tells our messages from what an earlier run left in a queue.
const (
	runAt       = 0
	publisherAt = 4
	sequenceAt  = 8
	sentAt      = 16
)

// MinPayload is the room the driver needs in each payload: run, publisher, sequence number and time of sending.
const MinPayload = 24

// stamp is what the head of a payload says.
type stamp struct {
	run       uint32
	publisher uint32
	sequence  uint64
	sent      time.Duration // since the start of the run: when the message was due
}

func readStamp(payload []byte) (stamp, bool) {
	if len(payload) < MinPayload {
		return stamp{}, false
	}
	return stamp{
		run:       binary.LittleEndian.Uint32(payload[runAt:]),
		publisher: binary.LittleEndian.Uint32(payload[publisherAt:]),
		sequence:  binary.LittleEndian.Uint64(payload[sequenceAt:]),
		sent:      time.Duration(binary.LittleEndian.Uint64(payload[sentAt:])),
	}, true
}

// appendPayload appends a payload that lacks what changes from message to message.
func appendPayload(dst []byte, size int, run, publisher uint32) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, size)...)
	payload := dst[start:]
	binary.LittleEndian.PutUint32(payload[runAt:], run)
	binary.LittleEndian.PutUint32(payload[publisherAt:], publisher)
	for i := MinPayload; i < size; i++ {
		payload[i] = byte(rand.Uint32())
	}
	return dst
}

// varied is how much of a payload is another in each message.
const varied = 1 << 10

// number completes a payload: its stamp, and noise in the first part of what follows, so that a server which compresses
// what it stores gains nothing by that.
func number(payload []byte, sequence uint64, sent time.Duration) {
	binary.LittleEndian.PutUint64(payload[sequenceAt:], sequence)
	binary.LittleEndian.PutUint64(payload[sentAt:], uint64(sent))
	noise := sequence
	for rest := payload[MinPayload:min(len(payload), varied)]; len(rest) >= 8; rest = rest[8:] {
		noise = noise*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		binary.LittleEndian.PutUint64(rest, noise^noise>>32)
	}
}

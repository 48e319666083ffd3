package datagram

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// TestPastIsWhatAListRemembers holds the rings against a list that is searched.
func TestPastIsWhatAListRemembers(t *testing.T) {
	type entry struct {
		id       uint16
		digest   uint64
		until    time.Time
		number   uint32
		answer   []byte
		answered int // how many bytes had been answered when it was
	}
	const limit, answerLimit = 10, 128
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		now := time.Unix(1_800_000_000, 0)
		var p past
		var list []entry
		written := 0
		for range 2000 {
			now = now.Add(time.Duration(random.IntN(20)) * time.Second)
			id, digest := uint16(random.IntN(8)), uint64(random.IntN(3))
			var want *entry
			for i := range list {
				if list[i].id == id {
					want = &list[i] // the newest
				}
			}
			if want != nil && (want.digest != digest || !now.Before(want.until)) {
				want = nil
			}
			got := p.find(now, id, digest)
			if (got != nil) != (want != nil) {
				t.Fatalf("seed %d: found %v, want %v", seed, got, want)
			}
			if got == nil {
				lifetime := time.Duration(1+random.IntN(2)) * 100 * time.Second
				for len(list) > 0 && (len(list) >= limit || !now.Before(list[0].until)) {
					list = list[1:]
				}
				list = append(list, entry{id: id, digest: digest, until: now.Add(lifetime), number: p.remember(now, id, digest, lifetime, limit)})
				continue
			}
			if want.answer == nil {
				want.answer = noise(1 + random.IntN(40))
				p.answered(want.number, want.answer, answerLimit)
				written += len(want.answer)
				want.answered = written - len(want.answer)
				continue
			}
			answer, ok := p.replay(nil, got)
			if ok && !bytes.Equal(answer, want.answer) {
				t.Fatalf("seed %d: answer %x, want %x", seed, answer, want.answer)
			}
			if fits := written-want.answered <= answerLimit; fits && !ok {
				t.Fatalf("seed %d: an answer is gone after %d bytes", seed, written-want.answered)
			}
		}
		p.expire(now.Add(time.Hour))
		if !p.empty() || p.ring != nil || p.answers.ring != nil {
			t.Fatalf("seed %d: something is kept when all is old", seed)
		}
	}
}

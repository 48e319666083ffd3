package engine

import (
	"bytes"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// TestTraceShowsEachSideWhatTheOtherSays: whole frames in order, however their bytes are cut, and only while somebody wants them.
func TestTraceShowsEachSideWhatTheOtherSays(t *testing.T) {
	for seed := range uint64(10) {
		p := newPair(t, seed)
		var written, heard [2][]byte
		for i, e := range p.ends {
			e.conn.SetTrace(Trace{Wanted: func() bool { return true }, Show: func(unit []byte, out bool) {
				h, err := frame.ReadHeader(unit)
				if err != nil || int(h.Size) != len(unit) {
					t.Fatalf("%x is no whole frame", unit)
				}
				if out {
					written[i] = append(written[i], unit...)
				} else {
					heard[i] = append(heard[i], unit...)
				}
			}})
		}
		for range 500 {
			p.step()
		}
		p.finish()
		for i := range written {
			if len(written[i]) == 0 || !bytes.HasPrefix(written[i], heard[1-i]) {
				t.Errorf("seed %d: side %d has written %d octets, of which the other has heard %d others", seed, i, len(written[i]), len(heard[1-i]))
			}
		}
	}
}

func TestNobodyIsShownWhatNobodyWants(t *testing.T) {
	p := newPair(t, 1)
	for _, e := range p.ends {
		e.conn.SetTrace(Trace{Wanted: func() bool { return false }, Show: func([]byte, bool) { t.Fatal("it is shown") }})
	}
	for range 200 {
		p.step()
	}
}

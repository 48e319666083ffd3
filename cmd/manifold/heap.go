package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapFloor is what the garbage collector takes for in use from the start, in bytes. It runs whenever the heap has
// doubled, and a gateway that keeps next to nothing would have it run after every 4 MB of messages that pass. The memory
// is never touched, so it costs addresses only; what it allows is as many bytes of garbage.
const heapFloor = 16 << 20

// keepHeap raises the floor and gives memory back when traffic has paused, until ctx ends.
func keepHeap(ctx context.Context) {
	floor := make([]byte, heapFloor)
	defer runtime.KeepAlive(floor)
	var rest heapRest
	pulse := time.NewTicker(heapPulse)
	defer pulse.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pulse.C:
			if rest.due(allocated()) {
				// What a pool holds goes at the second collection only, and a stack that is too large halves in each.
				runtime.GC()
				debug.FreeOSMemory()
			}
		}
	}
}

// allocated is how many bytes the process has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// heapPulse is how often it is looked whether the traffic has paused.
const heapPulse = time.Second

// A rest is due after a few pulses with next to no allocations, when since the last one there have been many: the runtime
// by itself keeps what a burst has needed, as that of ten thousand clients connecting, for minutes. It takes some pulses
// until the writers of their connections have gone (see package transport), whose memory is to be given back too.
const (
	restPulses = 3
	restQuiet  = 256 << 10 // bytes in a pulse
	restWorth  = 16 << 20  // bytes since the last rest
)

// heapRest decides when memory is given back to the operating system.
type heapRest struct {
	seen  uint64 // bytes ever allocated, at the last pulse
	freed uint64 // and at the last rest
	quiet int    // pulses since the last one with many allocations
}

// due hears how many bytes have ever been allocated, at each pulse.
func (r *heapRest) due(allocated uint64) bool {
	r.quiet++
	if allocated-r.seen > restQuiet {
		r.quiet = 0
	}
	r.seen = allocated
	if r.quiet < restPulses || allocated-r.freed < restWorth {
		return false
	}
	r.freed = allocated
	return true
}

package main

import "runtime"

// heapFloor is what the garbage collector takes for in use from the start, in bytes. It runs whenever the heap has
// doubled, and a gateway that keeps next to nothing would have it run after every 4 MB of messages that pass. The memory
// is never touched, so it costs addresses only; what it allows is as many bytes of garbage.
const heapFloor = 16 << 20

// holdHeapFloor raises the floor until release is called.
func holdHeapFloor() (release func()) {
	floor := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(floor) }
}

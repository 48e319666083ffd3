package transport

import "sync"

// bufferRoom is what a buffer has beyond FlushSize: Flush goes beyond it by part of a packet whenever there is more.
const bufferRoom = 4 << 10

// bufferPool lends buffers of FlushSize bytes and some room to connections that have something to read or write right
// now.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, FlushSize+bufferRoom)
	return &b
}

func (p *bufferPool) put(b *[]byte) { p.pool.Put(b) }

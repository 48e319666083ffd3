package transport

import "sync"

// bufferPool lends buffers of FlushSize bytes to connections that have something to read or write right now.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, FlushSize)
	return &b
}

func (p *bufferPool) put(b *[]byte) { p.pool.Put(b) }

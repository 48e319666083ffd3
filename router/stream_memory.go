package router

import "sync"

// pieceSize is how much of a message waits in one piece of memory, in bytes: about what a connection writes at a time.
const pieceSize = 64 << 10

// pieces lends the memory in which messages wait that are streamed. The zero value is ready.
type pieces struct {
	pool sync.Pool // of *[pieceSize]byte
}

// get gives an empty piece.
func (m *pieces) get() []byte {
	if p, ok := m.pool.Get().(*[pieceSize]byte); ok {
		return p[:0]
	}
	return make([]byte, 0, pieceSize)
}

// put takes a piece back; memory of another size is none of them.
func (m *pieces) put(p []byte) {
	if cap(p) == pieceSize {
		m.pool.Put((*[pieceSize]byte)(p[:pieceSize]))
	}
}

// Package brokertest helps to test what rests on the broker: a filesystem whose disk can be held.
//
// Its methods may be called by any goroutine.
package brokertest

import (
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Gate is a filesystem whose log syncs wait while it is held. Everything else passes.
type Gate struct {
	vfs.FS

	mu      sync.Mutex // guards everything below
	open    chan struct{}
	reached chan struct{}
}

var _ vfs.FS = (*Gate)(nil)

// NewGate wraps a filesystem, not held.
func NewGate(fs vfs.FS) *Gate {
	g := &Gate{FS: fs, open: make(chan struct{}), reached: make(chan struct{})}
	close(g.open)
	return g
}

// Hold makes the following syncs of the store's log wait until Release. The channel is closed when the first of
// them has come.
func (g *Gate) Hold() (reached <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.reached = make(chan struct{}), make(chan struct{})
	return g.reached
}

// Release lets the waiting syncs and those after them pass. It must follow a Hold.
func (g *Gate) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.open)
}

// pass waits while the gate is held.
func (g *Gate) pass() {
	g.mu.Lock()
	open := g.open
	select {
	case <-open:
	case <-g.reached:
	default:
		close(g.reached)
	}
	g.mu.Unlock()
	<-open
}

// Create implements vfs.FS.
func (g *Gate) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
	return g.guard(name, f), err
}

// ReuseForWrite implements vfs.FS.
func (g *Gate) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.ReuseForWrite(oldname, newname, c)
	return g.guard(newname, f), err
}

func (g *Gate) guard(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, ".log") {
		return f
	}
	return guarded{f, g}
}

// guarded is a log file behind the gate.
type guarded struct {
	vfs.File
	gate *Gate
}

func (f guarded) Sync() error {
	f.gate.pass()
	return f.File.Sync()
}

func (f guarded) SyncData() error {
	f.gate.pass()
	return f.File.SyncData()
}

func (f guarded) SyncTo(length int64) (fullSync bool, err error) {
	f.gate.pass()
	return f.File.SyncTo(length)
}

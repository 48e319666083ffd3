// Package frametrace writes what is said on connections of AMQP into a log, frame by frame, for those who look for a fault: on all
// connections when the log takes lines of its lowest level, and on single ones when somebody asks for them.
//
// Promises: neither the bodies of messages nor what somebody logs in with is written. A Log may be used from any goroutine; while
// nobody wants to see anything it costs a connection two atomic loads for each read and write.
package frametrace

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Level is that of the lines: below debug, as there are many.
const Level = slog.LevelDebug - 4

// Log is where what is said on connections goes. A nil Log shows nothing.
type Log struct {
	log *slog.Logger

	chosen sync.Map    // bool, by the numbers of connections (uint64)
	some   atomic.Bool // there has been one in chosen
}

// New gives one that writes to log.
func New(log *slog.Logger) *Log { return &Log{log: log} }

// Choose has a connection shown, or not shown, whatever the log takes otherwise, until Forget.
func (l *Log) Choose(connection uint64, shown bool) {
	l.chosen.Store(connection, shown)
	l.some.Store(true)
}

// Forget is called when a connection has ended; 0 is none.
func (l *Log) Forget(connection uint64) {
	if l != nil && l.some.Load() {
		l.chosen.Delete(connection)
	}
}

// Shows tells whether a connection is shown.
func (l *Log) Shows(connection uint64) bool {
	if l.some.Load() {
		if shown, ok := l.chosen.Load(connection); ok {
			return shown.(bool)
		}
	}
	return l.log.Enabled(context.Background(), Level)
}

// Of gives the trace of a connection with somebody at an address. number tells the connection's number, and 0 as long as it has
// none: until then its lines are known by the address.
func (l *Log) Of(peer string, number func() uint64) engine.Trace {
	if l == nil {
		return engine.Trace{}
	}
	return engine.Trace{
		Wanted: func() bool { return l.Shows(number()) },
		Show: func(unit []byte, out bool) {
			line := []byte("[" + peer + "]:FRAME: ")
			if n := number(); n != 0 {
				line = append(strconv.AppendUint([]byte("[C"), n, 10), "]:FRAME: "...)
			}
			r := slog.NewRecord(time.Now(), Level, string(frame.Describe(line, unit, out)), 0)
			l.log.Handler().Handle(context.Background(), r) // also what the log does not take; there is nowhere to tell an error
		},
	}
}

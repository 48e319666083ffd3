// Package audit keeps a record of who came in, who left, who was refused, and what was changed: lines of JSON in a file.
//
// Promises:
//   - Who has something recorded never waits for the file. What cannot be written in time is counted as lost.
//   - Nothing that proves who somebody is gets into the record: no password, no token, no key.
//   - A file that was moved or removed, as logrotate does, is made anew with the next line.
package audit

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// Stderr is the name that stands for standard error in place of a file.
const Stderr = "stderr"

// maxWaiting is how many events wait to be written.
const maxWaiting = 4096

// Event is a line of the record. What is empty is left out.
type Event struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"` // connected, disconnected, failed or changed
	Tenant   string    `json:"tenant,omitempty"`
	User     string    `json:"user,omitempty"` // none for the anonymous one; in failed: the one that was named
	Client   string    `json:"client,omitempty"`
	Protocol string    `json:"protocol,omitempty"`
	Address  string    `json:"address,omitempty"` // host:port
	TLS      string    `json:"tls,omitempty"`     // its version
	Reason   string    `json:"reason,omitempty"`  // failed: the class of it
	Detail   string    `json:"detail,omitempty"`
	Seconds  float64   `json:"seconds,omitempty"` // disconnected: how long it was there
	What     string    `json:"what,omitempty"`    // changed: tenant, webhook or configuration
	Name     string    `json:"name,omitempty"`    // of what was changed
	Change   string    `json:"change,omitempty"`  // added, removed, altered or refused
}

// Log is the record. Its methods may be called from any goroutine.
type Log struct {
	name    string
	events  []string // that are recorded; all if empty
	log     *slog.Logger
	waiting chan Event
	written atomic.Uint64
	lost    atomic.Uint64

	file  *os.File // of Run from its beginning
	lines *bufio.Writer
	fails bool // the last write did
}

var _ tenancy.Witness = (*Log)(nil)

// Open opens a record; name is a file, to which is added, or Stderr. events are the names of those that are recorded, none
// for all.
func Open(name string, events []string, log *slog.Logger) (*Log, error) {
	l := &Log{name: name, events: events, log: log, waiting: make(chan Event, maxWaiting)}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return l, nil
}

func (l *Log) open() (err error) {
	l.file = os.Stderr
	if l.name != Stderr {
		l.file, err = os.OpenFile(l.name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	}
	l.lines = bufio.NewWriter(l.file)
	return err
}

// Record has an event written. Its time is now.
func (l *Log) Record(e Event) {
	if len(l.events) > 0 && !slices.Contains(l.events, e.Event) {
		return
	}
	e.Time = time.Now().UTC()
	select {
	case l.waiting <- e:
	default:
		l.lost.Add(1)
	}
}

// Written is how many events were written, and Lost how many were not.
func (l *Log) Written() uint64 { return l.written.Load() }

// Lost is how many events could not be written.
func (l *Log) Lost() uint64 { return l.lost.Load() }

// Run writes what is recorded until ctx ends, and then what waits. It closes the file.
func (l *Log) Run(ctx context.Context) {
	defer l.close()
	for {
		select {
		case e := <-l.waiting:
			l.write(e)
		case <-ctx.Done():
			if len(l.waiting) > 0 {
				l.write(<-l.waiting)
			}
			return
		}
	}
}

func (l *Log) close() {
	if l.file != os.Stderr {
		l.file.Close()
	}
}

// write writes an event and those that wait behind it.
func (l *Log) write(e Event) {
	err := l.reopen()
	n := uint64(0)
	for more := true; more; n++ {
		if err == nil {
			err = writeLine(l.lines, &e)
		}
		select {
		case e = <-l.waiting:
		default:
			more = false
		}
	}
	if err == nil {
		err = l.lines.Flush()
	}
	if err == nil {
		l.written.Add(n)
		l.fails = false
		return
	}
	l.lost.Add(n)
	l.lines.Reset(l.file)
	if !l.fails {
		l.log.Error("the audit log cannot be written", "err", err)
	}
	l.fails = true
}

func writeLine(w io.Writer, e *Event) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}

// reopen opens the file anew if its name stands for another one by now, or for none.
func (l *Log) reopen() error {
	if l.name == Stderr {
		return nil
	}
	named, err := os.Stat(l.name)
	if err == nil {
		if ours, err := l.file.Stat(); err == nil && os.SameFile(named, ours) {
			return nil
		}
	}
	l.close()
	return l.open()
}

// Entered implements tenancy.Witness.
func (l *Log) Entered(v tenancy.Visitor, p *tenancy.Principal) { l.Record(visit("connected", v, p)) }

// Left implements tenancy.Witness.
func (l *Log) Left(v tenancy.Visitor, p *tenancy.Principal, stayed time.Duration) {
	e := visit("disconnected", v, p)
	e.Seconds = stayed.Seconds()
	l.Record(e)
}

// Refused implements tenancy.Witness.
func (l *Log) Refused(v tenancy.Visitor, r tenancy.Refusal) {
	e := from("failed", v)
	e.Tenant, e.User, e.Reason, e.Detail = r.Tenant, r.User, string(r.Reason), r.Detail
	l.Record(e)
}

func visit(event string, v tenancy.Visitor, p *tenancy.Principal) Event {
	e := from(event, v)
	e.Tenant, e.User, e.Client = p.Tenant.Name, p.User, p.Client
	return e
}

// from gives an event with what a visitor's connection tells.
func from(event string, v tenancy.Visitor) Event {
	e := Event{Event: event, Protocol: v.Protocol}
	if v.Address.IsValid() {
		e.Address = v.Address.String()
	}
	if v.TLS != 0 {
		e.TLS = tls.VersionName(v.TLS)
	}
	return e
}

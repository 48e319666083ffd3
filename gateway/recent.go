package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/gateway/modulelog"
)

// recentLog keeps the latest records that the log takes, for those who run the gateway and ask management for them. The
// records pass on to where they would have gone.
type recentLog struct {
	naming func(door string) string // gives the name of a part by its tag, which is empty for the gateway

	mu      sync.Mutex          // guards everything below; a leaf
	records []management.Record // a ring, once it is full
	next    int                 // where the next one goes then
}

// maxRecent is how many records are kept.
const maxRecent = 1000

// through gives a logger whose records are kept.
func (l *recentLog) through(to *slog.Logger) *slog.Logger {
	return slog.New(keeper{Handler: to.Handler(), log: l})
}

// keep keeps a record, in the place of the oldest one if there are many.
func (l *recentLog) keep(r management.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) < maxRecent {
		l.records = append(l.records, r)
		return
	}
	l.records[l.next] = r
	l.next = (l.next + 1) % maxRecent
}

// latest gives the latest records, the oldest first, so many at most.
func (l *recentLog) latest(most int) []management.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Concat(l.records[l.next:], l.records[:l.next])
	return all[max(0, len(all)-most):]
}

// keeper hands records on, and keeps them.
type keeper struct {
	slog.Handler
	log    *recentLog
	module string // the tag of who tells; empty for the gateway
	tags   string // what all records have
}

var _ slog.Handler = keeper{}

// moduleKey is the attribute that says who tells: which door, or else which part.
const moduleKey = "door"

// Handle implements slog.Handler.
func (k keeper) Handle(ctx context.Context, r slog.Record) error {
	var text strings.Builder
	text.WriteString(r.Message + k.tags)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&text, " %v", a)
		return true
	})
	k.log.keep(management.Record{
		Module: k.log.naming(k.module), Level: modulelog.LevelName(r.Level), Text: text.String(), At: r.Time,
	})
	return k.Handler.Handle(ctx, r)
}

// moduleOf names the part that tells a record, by its tag.
func moduleOf(door string) string {
	switch door {
	case "":
		return "GATEWAY"
	case "management": // as Dispatch calls it
		return "AGENT"
	}
	return strings.ToUpper(door)
}

// WithAttrs implements slog.Handler.
func (k keeper) WithAttrs(attrs []slog.Attr) slog.Handler {
	k.Handler = k.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == moduleKey {
			k.module = a.Value.String()
		} else {
			k.tags += fmt.Sprintf(" %v", a)
		}
	}
	return k
}

// WithGroup implements slog.Handler.
func (k keeper) WithGroup(name string) slog.Handler {
	k.Handler = k.Handler.WithGroup(name)
	return k
}

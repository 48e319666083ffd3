package logging

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// limited is a slog.Handler that lets only so many lines of one kind through.
type limited struct {
	next   slog.Handler
	window *window // of all handlers that were made of one
}

var _ slog.Handler = (*limited)(nil)

// limit lets burst lines of each kind through in an interval.
func limit(next slog.Handler, burst int, interval time.Duration) *limited {
	return &limited{next, &window{out: next, burst: burst, interval: interval}}
}

// Enabled implements slog.Handler.
func (l *limited) Enabled(ctx context.Context, level slog.Level) bool {
	return l.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l *limited) Handle(ctx context.Context, r slog.Record) error {
	if !l.window.admits(kind{r.Level, r.Message}, r.Time) {
		return nil
	}
	return l.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{l.next.WithAttrs(attrs), l.window}
}

// WithGroup implements slog.Handler.
func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{l.next.WithGroup(name), l.window}
}

// kind is what lines have in common of which there may be too many. Messages are constants, so there are few.
type kind struct {
	level   slog.Level
	message string
}

// maxKinds bounds those that are counted: somebody may make messages after all.
const maxKinds = 1000

// window counts the lines of an interval, which begins with the first line after the one before it.
type window struct {
	out      slog.Handler // is told what was held back
	burst    int
	interval time.Duration

	mu    sync.Mutex // guards everything below
	began time.Time
	lines map[kind]int
	timer *time.Timer // that ends it; nil while nothing is held back
}

// admits counts a line, and tells whether it is written.
func (w *window) admits(k kind, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lines == nil || w.timer == nil && at.Sub(w.began) >= w.interval {
		w.began, w.lines = at, make(map[kind]int)
	}
	n, counted := w.lines[k]
	if !counted && len(w.lines) >= maxKinds {
		return true
	}
	w.lines[k] = n + 1
	if n < w.burst {
		return true
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(w.interval-at.Sub(w.began), w.end)
	}
	return false
}

// end ends the window, and tells what was held back.
func (w *window) end() {
	for _, r := range w.close() {
		w.out.Handle(context.Background(), r) // there is nowhere to say that a log cannot be written
	}
}

// close gives a line for each kind of which lines were held back.
func (w *window) close() (summaries []slog.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		return nil
	}
	w.timer.Stop()
	for _, k := range slices.SortedFunc(maps.Keys(w.lines), compareKinds) {
		if held := w.lines[k] - w.burst; held > 0 {
			r := slog.NewRecord(time.Now(), k.level, "more lines said the same", 0)
			r.AddAttrs(slog.String("line", k.message), slog.Int("lines", held), slog.Time("since", w.began))
			summaries = append(summaries, r)
		}
	}
	w.lines, w.timer = nil, nil
	return summaries
}

func compareKinds(a, b kind) int {
	return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(a.message, b.message))
}

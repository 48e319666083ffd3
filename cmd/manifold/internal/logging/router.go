package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Sink is where the lines of a module go, in the form of Qpid Dispatch Router's log.
type Sink struct {
	Writer io.Writer
	Level  slog.Level // the least important that is written
	Source bool       // whether a line names the place in the code
	Stamp  bool       // whether it begins with the time
	UTC    bool
	Layout string // of the time, as strftime has it; empty is the usual one
}

// defaultModule has the lines of those modules that have no sink.
const defaultModule = "DEFAULT"

// moduleOfDoor is what the router calls what is told of a door, and moduleOfOthers the rest.
var moduleOfDoor = map[string]string{"amqp": "SERVER", "http": "HTTP", "network": "ROUTER", "management": "AGENT"}

const moduleOfOthers = "ROUTER_CORE"

// NewRouter gives a log whose lines are like those of Qpid Dispatch Router: time, module, level and text. sinks are by the
// names of modules; that of DEFAULT has those of the others.
func NewRouter(sinks map[string]Sink) *slog.Logger {
	return slog.New(&routerLog{sinks: sinks, mu: new(sync.Mutex), module: moduleOfOthers})
}

// routerLog is a slog.Handler.
type routerLog struct {
	sinks  map[string]Sink
	mu     *sync.Mutex // guards the writers; shared by all handlers that were made of one
	module string
	attrs  string // that were given before, as text
	group  string
}

var _ slog.Handler = (*routerLog)(nil)

// sink gives where the lines of the module go; ok is false for nowhere.
func (l *routerLog) sink() (s Sink, ok bool) {
	if s, ok = l.sinks[l.module]; !ok {
		s, ok = l.sinks[defaultModule]
	}
	return s, ok
}

// Enabled implements slog.Handler.
func (l *routerLog) Enabled(_ context.Context, level slog.Level) bool {
	s, ok := l.sink()
	return ok && level >= s.Level
}

// Handle implements slog.Handler.
func (l *routerLog) Handle(_ context.Context, r slog.Record) error {
	s, _ := l.sink()
	var b bytes.Buffer
	if s.Stamp {
		at := r.Time
		if s.UTC {
			at = at.UTC()
		}
		b.WriteString(stamp(at, s.Layout) + " ")
	}
	fmt.Fprintf(&b, "%s (%s) %s%s", l.module, levelName(r.Level), r.Message, l.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(l.text(a))
		return true
	})
	if s.Source {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		fmt.Fprintf(&b, " (%s:%d)", filepath.Base(frame.File), frame.Line)
	}
	b.WriteByte('\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := s.Writer.Write(b.Bytes())
	return err
}

// WithAttrs implements slog.Handler. That of a door says which module it is.
func (l *routerLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	inner := *l
	for _, a := range attrs {
		if module, ok := moduleOfDoor[a.Value.String()]; ok && a.Key == "door" {
			inner.module = module
		} else {
			inner.attrs += l.text(a)
		}
	}
	return &inner
}

// WithGroup implements slog.Handler.
func (l *routerLog) WithGroup(name string) slog.Handler {
	inner := *l
	inner.group += name + "."
	return &inner
}

// text gives an attribute as it stands behind the message.
func (l *routerLog) text(a slog.Attr) string {
	value := a.Value.Resolve().String()
	if strings.ContainsAny(value, " \n\"") {
		value = fmt.Sprintf("%q", value)
	}
	return " " + l.group + a.Key + "=" + value
}

// levelName is what the router calls a level.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

// stamp gives a time in a layout of strftime, of which what is not known is left as it is.
func stamp(at time.Time, layout string) string {
	if layout == "" {
		return at.Format("2006-01-02 15:04:05.000000 -0700")
	}
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			b.WriteByte(layout[i])
			continue
		}
		i++
		if known, ok := fields[layout[i]]; ok {
			b.WriteString(at.Format(known))
		} else {
			b.WriteString("%" + layout[i:i+1])
		}
	}
	return b.String()
}

// fields are those of strftime in the words of package time.
var fields = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'z': "-0700", 'Z': "MST", 'y': "06", 'b': "Jan", 'B': "January",
	'a': "Mon", 'A': "Monday", 'e': "_2", 'I': "03", 'p': "PM", 'j': "002", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
	'D': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", '%': "%",
}

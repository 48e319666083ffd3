package modulelog

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
)

// handler tells the lines of a module.
type handler struct {
	module *module
	attrs  string // that were given before, as text
	group  string
}

var _ slog.Handler = (*handler)(nil)

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.module.enabled.Load()&(1<<index(level)) != 0
}

// Handle implements slog.Handler. It writes also what is not enabled: who hands that over knows why.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	h.module.counts[index(r.Level)].Add(1)
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) %s%s", h.module.name, LevelName(r.Level), r.Message, h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(h.text(a))
		return true
	})
	return h.module.log.write(h.module, r.Time, b.String(), r.PC)
}

// WithAttrs implements slog.Handler. That of a door says which module it is.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	inner := *h
	for _, a := range attrs {
		if name, ok := moduleOfDoor[a.Value.String()]; ok && a.Key == "door" {
			inner.module = h.module.log.byName[name]
		} else {
			inner.attrs += h.text(a)
		}
	}
	return &inner
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	inner := *h
	inner.group += name + "."
	return &inner
}

// text gives an attribute as it stands behind the message.
func (h *handler) text(a slog.Attr) string {
	value := a.Value.Resolve().String()
	if strings.ContainsFunc(value, isOdd) {
		value = strconv.Quote(value)
	}
	return " " + h.group + a.Key + "=" + value
}

// isOdd tells whether a character in a value could be taken for its end, or for something else than a character.
func isOdd(r rune) bool { return r == ' ' || r == '"' || !unicode.IsPrint(r) }

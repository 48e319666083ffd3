package logging

import (
	"io"
	"log/slog"

	"github.com/manifoldmq/manifold/gateway/config"
)

// New gives a log that writes to w as a valid c says; how much of it level decides from then on. end is called when nobody
// logs any more: what was held back is told.
func New(w io.Writer, c config.Log, level *slog.LevelVar) (log *slog.Logger, end func()) {
	h := newHandler(w, c, level)
	if c.Burst == 0 {
		return slog.New(h), func() {}
	}
	limited := limit(h, c.Burst, c.Interval)
	return slog.New(limited), limited.window.end
}

func newHandler(w io.Writer, c config.Log, level *slog.LevelVar) slog.Handler {
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic(err) // Validate lets only known levels through
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

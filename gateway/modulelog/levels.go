package modulelog

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// LevelTrace is the least important level, below those of package slog.
const LevelTrace = slog.LevelDebug - 4

// names are the router's levels, the least important first. Nothing is told at notice and critical.
var names = []string{"trace", "debug", "info", "notice", "warning", "error", "critical"}

// Levels are some of the router's levels: a bit for each, in the order of importance.
type Levels uint8

const (
	all   Levels = 0b1111111
	usual Levels = 0b1111100 // those of DEFAULT where nothing is said of it: info and what is more important
)

// ParseLevels reads levels as the router writes them: "debug,warning+", where + means those above as well, or "none". Own is false
// for "default", which leaves it to DEFAULT. Capitals and small letters are the same.
func ParseLevels(text string) (l Levels, own bool, err error) {
	own = true
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(", ;:", r) }) {
		name, above := strings.CutSuffix(word, "+")
		i := slices.Index(names, name)
		switch {
		case name == "default":
			own = false
		case name == "none":
		case i < 0:
			return 0, false, fmt.Errorf("'%.80s' is not a valid log level: those are default, none, %s", text, strings.Join(names, ", "))
		case above:
			l |= all &^ (1<<i - 1)
		default:
			l |= 1 << i
		}
	}
	return l, own, nil
}

// AndAbove are the least important of the levels and all above it.
func (l Levels) AndAbove() Levels { return all &^ (l&-l - 1) }

// Lowest is the least important of the levels, and false for none.
func (l Levels) Lowest() (name string, ok bool) {
	for i, name := range names {
		if l&(1<<i) != 0 {
			return name, true
		}
	}
	return "", false
}

// index gives the router's level for one of package slog.
func index(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 5
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 2
	case l >= slog.LevelDebug:
		return 1
	}
	return 0
}

// LevelName is what the router calls a level.
func LevelName(l slog.Level) string { return names[index(l)] }

package dispatch

import (
	"strings"
)

// Log says what of the lines of one module is written, and where to.
type Log struct {
	Module string // such as SERVER; DEFAULT is all those of which nothing is said
	Levels string // as the router has it, such as "info+" or "debug,warning"; empty is as DEFAULT
	File   string // stderr, stdout, syslog or a file; empty is as DEFAULT
	Source bool   // whether a line names the place in the code
	Stamp  bool   // whether a line begins with the time
}

// TimeFormat is how the time of a line is written.
type TimeFormat struct {
	UTC    bool
	Layout string // of strftime; empty is the usual one
}

// levels are those of the router, the least important first.
var levels = []string{"trace", "debug", "info", "notice", "warning", "error", "critical"}

// Lowest gives the least important of the router's levels that are written, and whether any are.
func (l *Log) Lowest() (level string, ok bool) {
	lowest := len(levels)
	for _, part := range strings.Split(l.Levels, ",") {
		name := strings.TrimSuffix(strings.TrimSpace(strings.ToLower(part)), "+")
		for i, level := range levels {
			if level == name {
				lowest = min(lowest, i)
			}
		}
	}
	if lowest == len(levels) {
		return "", false
	}
	return levels[lowest], true
}

// log keeps where the lines of a module go. The configuration has one log, at the level of DEFAULT, on stderr.
func (t *translator) log(e *entity) error {
	source, err1 := e.flag(false, "includeSource", "source")
	stamp, err2 := e.flag(true, "includeTimestamp", "timestamp")
	if err := firstError(err1, err2); err != nil {
		return err
	}
	l := Log{Module: e.text("module"), Levels: e.text("enable"), File: e.text("outputFile", "output"), Source: source, Stamp: stamp}
	t.out.Logs = append(t.out.Logs, l)
	if l.Module != "DEFAULT" {
		t.remark(e.Line, e.Type, "module", "there is one log for all modules")
		return nil
	}
	if level, ok := l.Lowest(); ok {
		t.out.Config.Log.Level = map[string]string{
			"trace": "debug", "debug": "debug", "info": "info", "notice": "info", "warning": "warn", "error": "error", "critical": "error",
		}[level]
	}
	if l.File != "" && l.File != "stderr" {
		t.remark(e.line("outputFile"), e.Type, "outputFile", "the log goes to stderr, from where the system's service takes it")
	}
	return nil
}

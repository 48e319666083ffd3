package dispatch

import (
	"cmp"

	"github.com/manifoldmq/manifold/gateway/modulelog"
)

// TimeFormat is how the time of a line is written.
type TimeFormat struct {
	UTC    bool
	Layout string // of strftime; empty is the usual one
}

// defaultModule is how those modules are logged that say nothing of themselves.
const defaultModule = "DEFAULT"

// log keeps where the lines of a module go. The configuration has one log, at the level of DEFAULT, on stderr.
func (t *translator) log(e *entity) error {
	l := modulelog.Settings{Module: cmp.Or(e.text("module"), defaultModule)}
	for _, setting := range []struct {
		to    **bool
		names []string
	}{{&l.Source, []string{"includeSource", "source"}}, {&l.Stamp, []string{"includeTimestamp", "timestamp"}}} {
		if said := e.has(setting.names[0]) || e.has(setting.names[1]); said {
			set, err := e.flag(false, setting.names...)
			if err != nil {
				return err
			}
			*setting.to = &set
		}
	}
	if file := e.text("outputFile", "output"); file != "" {
		l.File = &file
	}
	levels, own := modulelog.Levels(0), false
	if enable := e.text("enable"); enable != "" {
		var err error
		if levels, own, err = modulelog.ParseLevels(enable); err != nil {
			return err
		}
		l.Levels = &enable
	}
	t.out.Logs = append(t.out.Logs, l)
	if l.Module != defaultModule {
		t.remark(e.Line, e.Type, "module", "there is one log for all modules")
		return nil
	}
	if level, ok := levels.Lowest(); ok && own {
		t.out.Config.Log.Level = map[string]string{
			"trace": "debug", "debug": "debug", "info": "info", "notice": "info", "warning": "warn", "error": "error", "critical": "error",
		}[level]
	}
	if l.File != nil && *l.File != "stderr" {
		t.remark(e.line("outputFile"), e.Type, "outputFile", "the log goes to stderr, from where the system's service takes it")
	}
	return nil
}

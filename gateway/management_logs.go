package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/gateway/modulelog"
	"github.com/manifoldmq/manifold/router"
)

// defaultLogModule is the module of the log that there always is: where the gateway's log is one, it is all of it.
const defaultLogModule = "DEFAULT"

// Logs implements management.Model: the log is told those who run the gateway.
func (m *managedTenant) Logs() (all []management.Log) {
	if !m.isOperators() {
		return nil
	}
	if m.process.Modules == nil {
		return []management.Log{{
			Names: logNames("log/", defaultLogModule), Module: defaultLogModule, Enable: m.enabledLevel(),
			IncludeTimestamp: new(true), IncludeSource: new(false), OutputFile: new("stderr"),
		}}
	}
	for _, s := range m.process.Modules.Modules() {
		l := management.Log{
			Names: logNames("log/", s.Module), Module: s.Module, Enable: "default",
			IncludeTimestamp: s.Stamp, IncludeSource: s.Source, OutputFile: s.File,
		}
		if s.Module == defaultLogModule { // which no other one speaks for
			l.Enable, l.IncludeTimestamp = "info+", cmp.Or(s.Stamp, new(true))
			l.IncludeSource, l.OutputFile = cmp.Or(s.Source, new(false)), cmp.Or(s.File, new("stderr"))
		}
		if s.Levels != nil {
			l.Enable = *s.Levels
		}
		all = append(all, l)
	}
	return all
}

// logNames are those of an entity about a module of the log.
func logNames(kind, module string) management.Names {
	return management.Names{Name: kind + module, Identity: kind + module}
}

// enabledLevel is the least important level that is written, as Dispatch has it.
func (a *assembly) enabledLevel() string {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if a.log.Enabled(context.Background(), l) {
			return modulelog.LevelName(l) + "+"
		}
	}
	return "error+"
}

// ChangeLog implements management.Model. A log that is one has no more to change than its level.
func (m *managedTenant) ChangeLog(_ context.Context, l management.Log) (management.Log, error) {
	if err := m.changeLog(l); err != nil {
		return l, err
	}
	m.note("log", l.Module+" "+l.Enable, "altered")
	return l, nil
}

func (m *managedTenant) changeLog(l management.Log) error {
	if err := m.reachesOut("logs"); err != nil {
		return err
	}
	if m.process.Modules == nil {
		return m.setLevel(l)
	}
	if l.OutputFile != nil && !m.process.Modules.IsOwn(*l.OutputFile) {
		if err := m.mayNameFiles(); err != nil {
			return router.Errorf(router.Denied, "outputFile is neither a file of the log nor a new one beside those of the configuration: %v", err)
		}
	}
	err := m.process.Modules.Set(modulelog.Settings{
		Module: l.Module, Levels: &l.Enable, File: l.OutputFile, Source: l.IncludeSource, Stamp: l.IncludeTimestamp,
	})
	if f, ok := errors.AsType[*modulelog.FileError](err); ok { // in the words of Dispatch
		return router.Errorf(router.Failed, "CError: Configuration: Failed to open log file '%.200s'", f.File)
	}
	if err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	return nil
}

// setLevel has a log that is one be written from another level on.
func (m *managedTenant) setLevel(l management.Log) error {
	is := m.Logs()[0]
	if *l.IncludeTimestamp != *is.IncludeTimestamp || *l.IncludeSource != *is.IncludeSource || *l.OutputFile != *is.OutputFile {
		return router.Errorf(router.Unsupported, "of the log only the level can be changed (enable)")
	}
	levels, own, err := modulelog.ParseLevels(l.Enable)
	if err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	lowest, some := levels.Lowest()
	switch {
	case m.process.Level == nil:
		return router.Errorf(router.Unsupported, "the level of the log cannot be changed")
	case !own || !some || levels != levels.AndAbove():
		return router.Errorf(router.Unsupported, "the log has one level, from which on it is written, such as info+")
	}
	m.process.Level.Set(slogLevels[lowest])
	return nil
}

// slogLevels are Dispatch's levels in our words. Frames of protocols are logged of single connections only, where there is no trace.
var slogLevels = map[string]slog.Level{
	"trace": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo, "notice": slog.LevelInfo,
	"warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError,
}

// LogStats implements management.Model.
func (m *managedTenant) LogStats() (all []management.LogStats) {
	if !m.isOperators() || m.process.Modules == nil {
		return nil
	}
	for _, c := range m.process.Modules.Counts() {
		all = append(all, management.LogStats{
			Names: logNames("logStats/", c.Module), TraceCount: c.Trace, DebugCount: c.Debug, InfoCount: c.Info,
			NoticeCount: c.Notice, WarningCount: c.Warning, ErrorCount: c.Error, CriticalCount: c.Critical,
		})
	}
	return all
}

// Records implements management.Model.
func (m *managedTenant) Records(most int) []management.Record {
	if !m.isOperators() {
		return nil
	}
	return m.recent.latest(most)
}

// traced completes a connection with whether what is said on it is logged.
func (m *managedTenant) traced(c management.Connection) management.Connection {
	if id, err := strconv.ParseUint(c.Identity, 10, 64); err == nil && strings.HasPrefix(c.Protocol, "amqp") {
		c.EnableProtocolTrace = m.frames.Shows(id)
	}
	return c
}

// Trace implements management.Model. Lines are in the log, which is of those who run the gateway.
func (m *managedTenant) Trace(_ context.Context, identity string, shown bool) error {
	if !m.isOperators() {
		return router.Errorf(router.Denied, "the log is of the tenant that runs the gateway")
	}
	id, err := strconv.ParseUint(identity, 10, 64)
	c, ok := m.Connection(identity)
	switch {
	case err != nil || !ok:
		return router.Errorf(router.NotFound, "there is no connection %.40q any more", identity)
	case !strings.HasPrefix(c.Protocol, "amqp"):
		return router.Errorf(router.Unsupported, "what is said over %s is not logged", c.Protocol)
	}
	m.frames.Choose(id, shown)
	if _, ok := m.Connection(identity); !ok { // it has ended meanwhile, and perhaps forgotten before
		m.frames.Forget(id)
	}
	m.note("connection", identity, "altered")
	return nil
}

package management

import (
	"context"
	"iter"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Log is how much is logged.
type Log struct {
	Names
	Module           string  `about:"Of the log, such as SERVER. DEFAULT is how it is with those that do not say; a log without modules has no other."`
	Enable           string  `about:"The levels that are written, such as info+ or debug,error; none, or default. A log without modules has one level, with a + behind it." set:"update"`
	IncludeTimestamp *bool   `about:"Whether a line begins with the time." set:"update"`
	IncludeSource    *bool   `about:"Whether a line says where in the code it comes from." set:"update"`
	OutputFile       *string `about:"Where lines go: stderr, stdout, syslog or the name of a file; one that is neither the log's nor a new one beside those of the configuration takes the right admin." set:"update"`
}

var logType = changeable(newType(entityType{name: "log", base: configurationEntity, about: "How much is logged."},
	func(m Model, offset int) iter.Seq[Log] { return slice(m.Logs(), offset) }, nil), changes[Log]{
	update: func(ctx context.Context, m Model, l Log, _ saying) (Log, error) { return m.ChangeLog(ctx, l) },
})

// LogStats is how many lines of each level a module of the log has written.
type LogStats struct {
	Names
	TraceCount    uint64 `about:"Lines of the level trace."`
	DebugCount    uint64 `about:"Lines of the level debug."`
	InfoCount     uint64 `about:"Lines of the level info."`
	NoticeCount   uint64 `about:"Always 0: nothing is told at this level."`
	WarningCount  uint64 `about:"Lines of the level warning."`
	ErrorCount    uint64 `about:"Lines of the level error."`
	CriticalCount uint64 `about:"Always 0: nothing is told at this level."`
}

var logStatsType = newType(entityType{
	name: "logStats", base: operationalEntity, about: "How much a module of the log has written.",
}, func(m Model, offset int) iter.Seq[LogStats] { return slice(m.LogStats(), offset) }, nil)

// Record is an entry of the log.
type Record struct {
	Module string // which part of the gateway tells it
	Level  string
	Text   string
	At     time.Time
}

// getLog gives the latest entries of the log, as Dispatch writes them: module, level, text, file, line and time.
func (c *call) getLog() amqp.List {
	most := defaultLog
	if c.limit > 0 {
		most = c.limit
	}
	records := amqp.List{}
	for _, r := range c.model.Records(most) {
		records = append(records, amqp.List{r.Module, r.Level, r.Text, nil, nil, r.At.Unix()})
	}
	return records
}

// defaultLog is how many entries GET-LOG gives that says nothing of it.
const defaultLog = 100

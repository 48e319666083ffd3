package management

import (
	"iter"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Log is how much is logged.
type Log struct {
	Names
	Module           string `about:"Always DEFAULT: what is said here is so for all modules."`
	Enable           string `about:"The least important level that is written, with a + behind it."`
	IncludeTimestamp bool   `about:"Always true."`
	IncludeSource    bool   `about:"Always false: a line does not say where in the code it comes from."`
	OutputFile       string `about:"Where lines go."`
}

var logType = newType(entityType{name: "log", base: configurationEntity, about: "How much is logged."},
	func(m Model, offset int) iter.Seq[Log] { return slice(m.Logs(), offset) }, nil)

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

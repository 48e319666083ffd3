package management

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

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
	for _, r := range c.model.Log(most) {
		records = append(records, amqp.List{r.Module, r.Level, r.Text, nil, nil, r.At.Unix()})
	}
	return records
}

// defaultLog is how many entries GET-LOG gives that says nothing of it.
const defaultLog = 100

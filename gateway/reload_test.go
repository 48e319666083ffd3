package gateway

import (
	"log/slog"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestReloadChangesQueuesThatRun, and what cannot be changed is said in the log.
func TestReloadChangesQueuesThatRun(t *testing.T) {
	log := make(spoken, 100)
	c := quickstart(t)
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), c, changes, slog.New(slog.NewTextHandler(log, nil)))
	user := enterAMQP(t, doors)
	user.fill("jobs", 2)
	next, err := config.Parse("next.yaml", []byte(
		"anonymous: true\nlisten: '::1'\naddresses: [{name: jobs, kind: queue, maxMessages: 2}, {name: more, kind: queue}]\n"+
			"tenants: [{name: acme}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	changes <- next
	changes <- next // the first has been taken over then
	if err := user.send("jobs", goamqp.NewMessage(nil)); err == nil || !strings.Contains(err.Error(), "resource-limit-exceeded") {
		t.Errorf("beyond the new limit: %v", err)
	}
	user.fill("more", 1)
	user.take(user.receiver("more", 1), "0")
	web := newParty(t, httpSend, doors)
	if err := web.send("jobs", note{body: "3"}); err == nil || !strings.Contains(err.Error(), "status 429") {
		t.Errorf("beyond the new limit over HTTP: %v", err)
	}
	for _, said := range []string{"a new tenant is not known", "only addresses are taken over", "is taken over"} {
		for !strings.Contains(<-log, said) {
		}
	}
}

// spoken is what a log says, line by line.
type spoken chan string

// Write implements io.Writer.
func (s spoken) Write(line []byte) (int, error) {
	select {
	case s <- string(line):
	default: // nobody listens to so much
	}
	return len(line), nil
}

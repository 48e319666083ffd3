package gateway

import (
	"log/slog"
	"net/http"
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
		"anonymous: true\nlisten: '::1'\nnetwork: {connectors: [{name: far, hosts: ['far.example:5672']}],\n"+
			"  federation: [{name: f, connector: far, kind: queue, direction: pull, source: jobs}]}\naddresses: [{name: jobs, kind: queue, maxMessages: 2}, {name: more, kind: queue}]\n"+
			"tenants: [{name: acme, anonymous: true, addresses: [{name: jobs, kind: queue}]}]\n"))
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
	wantPosted(t, doors, "acme", http.StatusCreated) // a tenant that was not there before
	for _, said := range []string{"network.federation", "is taken over"} {
		for !strings.Contains(<-log, said) {
		}
	}
}

// TestReloadChangesWhoMayDoWhat: rights and users are those of the newest declaration, for connections that exist too.
func TestReloadChangesWhoMayDoWhat(t *testing.T) {
	c := quickstart(t)
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), c, changes, slog.New(slog.DiscardHandler))
	user := enterAMQP(t, doors)
	wantPosted(t, doors, "default", http.StatusCreated)
	for _, step := range []struct {
		declared string
		status   int
		link     string // what AMQP says to a new link of the old connection
	}{
		{"anonymous: true\nroles: [{name: reader, receive: [jobs]}]\ndefaultRoles: [reader]\n", http.StatusForbidden, "unauthorized-access"},
		{"anonymous: true\n", http.StatusCreated, ""},
		{"users: [{name: ann}]\n", http.StatusUnauthorized, "unauthorized-access"},
	} {
		next, err := config.Parse("next.yaml", []byte(step.declared+"addresses: [{name: jobs, kind: queue}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		changes <- next
		changes <- next // the first has been taken over then
		wantPosted(t, doors, "default", step.status)
		sender, err := user.session.NewSender(user.ctx, "jobs", nil)
		if (err == nil) != (step.link == "") || err != nil && !strings.Contains(err.Error(), step.link) {
			t.Errorf("after %q a new link: %v, want %q", step.declared, err, step.link)
		}
		if err == nil {
			sender.Close(user.ctx)
		}
	}
}

// wantPosted sends a message to jobs of a tenant, and expects that status.
func wantPosted(t *testing.T, doors map[string]string, tenant string, want int) {
	t.Helper()
	answer, err := http.Post("http://"+doors["http"]+"/v1/"+tenant+"/jobs/messages", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != want {
		t.Errorf("sending to %s gives status %d, want %d", tenant, answer.StatusCode, want)
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

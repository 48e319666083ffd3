package audit

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

func open(t *testing.T, file string, events ...string) *Log {
	t.Helper()
	l, err := Open(file, events, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run writes what is recorded until the function that it gives has been called.
func run(t *testing.T, l *Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

func lines(t *testing.T, file string) (events []Event) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if time.Since(e.Time) > time.Hour {
			t.Errorf("at %v", e.Time)
		}
		e.Time = time.Time{}
		events = append(events, e)
	}
	return events
}

func TestWhoCameAndWentIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, file)
	ann := &tenancy.Principal{Tenant: &tenancy.Tenant{Name: "acme"}, User: "ann", Client: "pump\n7"}
	v := tenancy.Visitor{TLS: tls.VersionTLS13}.From("192.0.2.1:1000").Through("MQTT")
	l.Entered(v, ann)
	l.Refused(v, tenancy.Refusal{Tenant: "acme", User: "ben", Reason: tenancy.WrongToken, Detail: "it has expired"})
	l.Left(v, ann, 1500*time.Millisecond)
	run(t, l)()
	want := []Event{
		{Event: "connected", Tenant: "acme", User: "ann", Client: "pump\n7"},
		{Event: "failed", Tenant: "acme", User: "ben", Reason: "token", Detail: "it has expired"},
		{Event: "disconnected", Tenant: "acme", User: "ann", Client: "pump\n7", Seconds: 1.5},
	}
	got := lines(t, file)
	if len(got) != len(want) || l.Written() != 3 || l.Lost() != 0 {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		w.Protocol, w.Address, w.TLS = "MQTT", "192.0.2.1:1000", "TLS 1.3"
		if got[i] != w {
			t.Errorf("got %+v, want %+v", got[i], w)
		}
	}
}

func TestOnlyWhatIsAskedForIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, file, "failed")
	l.Refused(tenancy.Visitor{}, tenancy.Refusal{Tenant: "acme"})
	l.Record(Event{Event: "changed"})
	run(t, l)()
	if got := lines(t, file); len(got) != 1 || got[0].Event != "failed" {
		t.Errorf("got %+v", got)
	}
}

func TestFullRecordLosesAndCounts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, file)
	for range maxWaiting + 5 {
		l.Record(Event{Event: "changed"})
	}
	run(t, l)()
	if l.Lost() != 5 || l.Written() != maxWaiting || len(lines(t, file)) != maxWaiting {
		t.Errorf("%d written, %d lost", l.Written(), l.Lost())
	}
}

func TestFileThatWasMovedIsMadeAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, file)
	record := func(name string, n uint64) {
		l.Record(Event{Event: "changed", Name: name})
		deadline := time.Now().Add(20 * time.Second)
		for tick := time.NewTicker(time.Millisecond); l.Written() < n; <-tick.C {
			if time.Now().After(deadline) {
				t.Fatal("it is not written")
			}
		}
	}
	stop := run(t, l)
	record("first", 1)
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	record("second", 2)
	stop()
	for name, want := range map[string]string{file + ".1": "first", file: "second"} {
		if got := lines(t, name); len(got) != 1 || got[0].Name != want {
			t.Errorf("%s has %+v", name, got)
		}
	}
}

func TestWhatCannotBeWrittenIsLost(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	l := open(t, filepath.Join(folder, "audit.log"))
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	l.Record(Event{Event: "changed"})
	run(t, l)()
	if l.Lost() != 1 || l.Written() != 0 {
		t.Errorf("%d written, %d lost", l.Written(), l.Lost())
	}
	if _, err := Open(filepath.Join(folder, "audit.log"), nil, l.log); err == nil {
		t.Error("it was opened in no folder")
	}
}

package broker_test

import (
	"maps"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// records reads all records of clients, by name.
func (h *house) records(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := h.broker.Sessions().All(func(_, _, name string, value []byte) error {
		all[name] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRecordIsOnDiskWithItsMessageOrNotAtAll: with one that is refused it is not.
func TestRecordIsOnDiskWithItsMessageOrNotAtAll(t *testing.T) {
	fs := vfs.NewCrashableMem()
	h := open(t, fs)
	send := func(p *routertest.Producer, name string) {
		t.Helper()
		record := h.broker.Sessions().Record("default", "client", name, []byte("taken"))
		if !p.Link.SendWith(1, routertest.Text(name), record) {
			t.Fatal("nothing is stored there")
		}
	}
	jobs, small := h.Sender("jobs"), h.Sender("small")
	send(jobs, "queue")
	jobs.Accepted(1)
	topic := h.Sender("telemetry/a")
	send(topic, "topic")
	topic.Accepted(1)
	small.Send("1")
	small.Send("2")
	small.Accepted(2)
	send(small, "refused")
	if got := small.Next().Outcome; got.Reason != router.Quota {
		t.Errorf("a full queue answers %v, want quota", got.Reason)
	}
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = open(t, cut)
	defer h.close(t)
	want := map[string]string{"queue": "taken", "topic": "taken"}
	if got := h.records(t); !maps.Equal(got, want) {
		t.Errorf("the records are %v, want %v", got, want)
	}
	h.Receiver("jobs", 1).Expect("queue")
}

package gateway

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// metricsOf reads the page for Prometheus: the value of each series.
func metricsOf(t *testing.T, doors map[string]string) map[string]string {
	t.Helper()
	code, page := get(t, "http://"+doors["admin"]+"/metrics")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	all := make(map[string]string)
	for line := range strings.Lines(page) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && series != "#" {
			all[series] = value
		}
	}
	return all
}

// TestMetricsTellOfQueues: what becomes of messages is counted where they were.
func TestMetricsTellOfQueues(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), addresses(t, "queue", "maxMessages: 6, overflow: dropHead, deadLetter: dead"),
		slog.New(slog.DiscardHandler))
	s := newSettled(t, amqp1, doors)
	s.sends(note{body: "dropped"}, note{body: "accepted"}, note{body: "dead"}, note{body: "failed"}, note{body: "held"},
		note{body: "waiting"}, note{body: "waiting"})
	_, h := s.gets("q", "accepted")
	s.does(h.accept)
	_, h = s.gets("q", "dead")
	s.does(h.reject)
	_, h = s.gets("q", "failed")
	s.does(h.fail)
	link := s.consumer()
	s.other.take(link, "failed")
	s.other.amqpUser.receive(link)
	s.died("dead", "dead", death{"rejected", 0})

	got := metricsOf(t, doors)
	for name, want := range map[string]string{
		"messages": "3", "ready_messages": "2", "unacknowledged_messages": "1", "consumers": "1", "stored_total": "7",
		"accepted_total": "2", "redelivered_total": "1", "dead_lettered_total": "1", "expired_total": "0", "dropped_total": "1",
	} {
		if series := "manifold_queue_" + name + `{queue="q",tenant="default"}`; got[series] != want {
			t.Errorf("%s is %s, want %s", series, got[series], want)
		}
	}
	for _, name := range []string{"bytes", "oldest_message_seconds"} {
		if series := "manifold_queue_" + name + `{queue="q",tenant="default"}`; strings.Trim(got[series], "0.") == "" {
			t.Errorf("%s is %s", series, got[series])
		}
	}
}

// TestMetricsCountWhatExpires when it does.
func TestMetricsCountWhatExpires(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), addresses(t, "queue", "ttl: {default: 1ms}, expiry: late"), slog.New(slog.DiscardHandler))
	s := newSettled(t, amqp1, doors)
	s.sends(note{body: "1"})
	s.takes("late", "1")
	if got := metricsOf(t, doors)[`manifold_queue_expired_total{queue="q",tenant="default"}`]; got != "1" {
		t.Errorf("%s have expired", got)
	}
}

// TestMetricsOfQueuesAreBounded by a setting, and say how many are left out.
func TestMetricsOfQueuesAreBounded(t *testing.T) {
	c := addresses(t, "queue", "overflow: reject")
	c.Admin.MaxQueueMetrics = 1
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	user := enterAMQP(t, doors)
	user.fill("q", 1)
	user.receiver("late", 1)
	got := metricsOf(t, doors)
	if got["manifold_queues_without_metrics"] != "1" || got[`manifold_queue_messages{queue="q",tenant="default"}`] != "1" {
		t.Errorf("%s queues are left out", got["manifold_queues_without_metrics"])
	}
	if value, ok := got[`manifold_queue_messages{queue="late",tenant="default"}`]; ok {
		t.Errorf("a second queue is told of: %s messages", value)
	}
}

// TestMetricsTellOfTheStore: what a durable message costs, and what is left.
func TestMetricsTellOfTheStore(t *testing.T) {
	doors := start(t, quickstart(t))
	before := metricsOf(t, doors)
	user := enterAMQP(t, doors)
	for range 3 {
		if err := user.send("jobs", goamqp.NewMessage(nil)); err != nil {
			t.Fatal(err)
		}
	}
	after := metricsOf(t, doors)
	for name, want := range map[string]string{
		"pending_bytes": "0", "pending_records": "0", "refuses_messages": "0", "set_aside_total": "0",
	} {
		if got := after["manifold_store_"+name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"syncs_total", "sync_seconds_total", "records_total", "written_bytes_total"} {
		if name = "manifold_store_" + name; before[name] == after[name] {
			t.Errorf("%s stays at %s", name, after[name])
		}
	}
	for _, name := range []string{"free_bytes", "disk_bytes"} {
		if got := after["manifold_store_"+name]; got == "" || got == "0" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestEveryMetricIsDocumented: docs/broker.md names each metric of queues, of the store and of messages, and no other.
func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/broker.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `(manifold_\\w+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = true
	}
	doors := start(t, quickstart(t))
	enterAMQP(t, doors).fill("jobs", 1)
	if code := post(t, "http://"+doors["http"]+"/v1/default/alerts/messages", "x"); code != http.StatusServiceUnavailable {
		t.Fatalf("sending to nobody gave status %d", code)
	}
	shown := make(map[string]bool)
	ours := regexp.MustCompile("^manifold_(queue|store|messages|deliveries)")
	for series := range metricsOf(t, doors) {
		if name, _, _ := strings.Cut(series, "{"); ours.MatchString(name) {
			shown[name] = true
		}
	}
	for name := range shown {
		if !documented[name] {
			t.Errorf("docs/broker.md does not name %s", name)
		}
	}
	for name := range documented {
		if !shown[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

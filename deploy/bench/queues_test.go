package main

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestEveryQueueIsDeclaredByName(t *testing.T) {
	g, err := configureQueues(t.TempDir(), 11)
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(g.args[2])
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(config), "kind: queue\n"); n != 11 {
		t.Errorf("%d queues in\n%s", n, config)
	}
	for _, name := range []string{"name: q/00\n", "name: q/10\n"} {
		if !strings.Contains(string(config), name) {
			t.Errorf("%q is missing in\n%s", name, config)
		}
	}
	if got, want := queueName(49999, 50000), "q/49999"; got != want {
		t.Errorf("the last queue is %s instead of %s", got, want)
	}
}

func TestProbeWantsTheMessageOfItsQueue(t *testing.T) {
	message := make([]byte, smallSize)
	binary.LittleEndian.PutUint64(message[8:], 7)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path {
		case "POST/v1/default/q/007/messages/head", "POST/v1/default/q/008/messages/head":
			_, _ = w.Write(message)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(door.Close)
	for i, want := range map[int]string{7: "", 8: "was not sent there", 9: "status 204"} {
		err := probe(t.Context(), door.Listener.Addr().String(), i, 1000)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("queue %d: %v", i, err)
		}
	}
}

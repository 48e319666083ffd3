package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const reportOfH2load = `starting benchmark...
finished in 4.22s, 14220.00 req/s, 185.39KB/s
requests: 60000 total, 60000 started, 60000 done, 59990 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 59990 2xx, 0 3xx, 10 4xx, 0 5xx
`

func TestReportOfH2loadIsRead(t *testing.T) {
	got, err := readPosted([]byte(reportOfH2load))
	if want := (posted{4220 * time.Millisecond, 60_000, 59_990}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readPosted([]byte("connection refused")); err == nil {
		t.Error("anything is a report")
	}
}

// TestFanOutSpeaksTheProtocolOfItsServer: the same scenario has streams of the one and subscribers of the other.
func TestFanOutSpeaksTheProtocolOfItsServer(t *testing.T) {
	chosen, err := chooseScenarios("sse-fanout")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: options{duration: time.Second}}
	p := &process{doors: map[protocol]string{mqtt: "m:1", web: "w:2"}, cmd: &exec.Cmd{Process: self}}
	for _, c := range []struct {
		server server
		want   string
	}{
		{server{name: ours}, "bench http --size 256 --receivers 10000 --layout fanout --rate 1 --latency --address bench --server w:2 "},
		{foundOverMQTT("manifold"), "bench mqtt --size 256 --subscribers 10000 --layout fanout --rate 1 --latency --topic bench --server m:1 "},
	} {
		if line := strings.Join(b.driverArgs(chosen[0], c.server, p), " "); !strings.HasPrefix(line, c.want) {
			t.Errorf("%s: %q", c.server.name, line)
		}
	}
}

package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listenAsManager listens as a service manager does.
func listenAsManager(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.SetReadDeadline(time.Now().Add(time.Minute))
	return l
}

// nextState reads what a service manager is told.
func nextState(t *testing.T, l *net.UnixConn) string {
	t.Helper()
	told := make([]byte, 64)
	n, err := l.Read(told)
	if err != nil {
		t.Fatal(err)
	}
	return string(told[:n])
}

// TestServiceManagerHearsOfReadyAndStopping, in the order of a run.
func TestServiceManagerHearsOfReadyAndStopping(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(folder, "notify"))
	manager := listenAsManager(t, filepath.Join(folder, "notify"))
	file := write(t, folder, "m.yaml", "mqtt: {port: 0, webSocket: {port: 0}}\namqp: {enabled: false}\n"+
		"stomp: {enabled: false}\ncoap: {enabled: false}\nhttp: {enabled: false}\nadmin: {enabled: false}\n")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"run", "-c", file, "--data", folder + "/data"}, io.Discard, io.Discard)
	}()
	if told := nextState(t, manager); told != "READY=1" {
		t.Errorf("it said %q first", told)
	}
	stop()
	if told := nextState(t, manager); told != "STOPPING=1" {
		t.Errorf("it said %q when told to stop", told)
	}
	if code := <-ended; code != exitOK {
		t.Errorf("it ended with %d", code)
	}
}

// TestServiceManagerThatIsGoneIsLogged and nothing more.
func TestServiceManagerThatIsGoneIsLogged(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	serviceManager(filepath.Join(t.TempDir(), "none")).ready(log)
	if !strings.Contains(said.String(), "the service manager is not told") {
		t.Errorf("it logged %q", said.String())
	}
	said.Reset()
	serviceManager("").ready(log)
	if said.Len() > 0 {
		t.Errorf("without a service manager it logged %q", said.String())
	}
}

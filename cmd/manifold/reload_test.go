package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// await reads lines until one contains text.
func await(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("no line with %q came", text)
}

// TestHangupReadsTheConfigurationAgain: a file that is not valid changes nothing, and the next one counts.
func TestHangupReadsTheConfigurationAgain(t *testing.T) {
	folder := t.TempDir()
	const ports = "mqtt: {enabled: false}\nstomp: {enabled: false}\namqp: {enabled: false}\nhttp: {enabled: false}\ncoap: {enabled: false}\n" +
		"admin: {port: 0}\naddresses: "
	file := write(t, folder, "m.yaml", ports+"[{name: jobs, kind: queue}]\n")
	ctx, stop := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	log, stderr := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"run", "-c", file, "--data", folder + "/data"}, stdout, stderr)
		stdout.Close()
		stderr.Close()
	}()
	go io.Copy(io.Discard, out)
	lines := bufio.NewScanner(log)
	await(t, lines, "ready")
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct{ addresses, said string }{
		{"[{name: jobs, kind: quue}]", "the configuration is not read again"},
		{"[{name: jobs, kind: queue, maxMessages: 5}]", "the new configuration is taken over"},
	} {
		write(t, folder, "m.yaml", ports+change.addresses+"\n")
		if err := self.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await(t, lines, change.said)
	}
	stop()
	for lines.Scan() { // what it says while it stops
	}
	if code := <-ended; code != exitOK {
		t.Errorf("it ended with %d", code)
	}
}

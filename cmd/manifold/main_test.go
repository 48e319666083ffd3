package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	folder := t.TempDir()
	good := write(t, folder, "good.yaml", "anonymous: true\naddresses:\n  - {name: jobs, kind: queue}\n")
	bad := write(t, folder, "bad.yaml", "listen: here\nmqtt:\n  prot: 1\n")
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		output string // part of it
	}{
		{"help", []string{"--help"}, exitOK, "manifold [command]"},
		{"version", []string{"version"}, exitOK, "manifold "},
		{"good file", []string{"check", "-c", good}, exitOK, "tenant default: 0 anycast, 0 broadcast, 1 queue, 0 topic; 0 users; anonymous true"},
		{"bad file", []string{"check", "-c", bad}, exitUsage, `bad.yaml:3: mqtt: key "prot" does not exist`},
		{"no file", []string{"check"}, exitUsage, "check needs a file"},
		{"missing file", []string{"run", "-c", filepath.Join(folder, "none.yaml")}, exitUsage, "no such file"},
		{"unknown command", []string{"rnu"}, exitUsage, `unknown command "rnu"`},
		{"unknown flag", []string{"run", "--bogus"}, exitUsage, "unknown flag: --bogus"},
		{"argument", []string{"run", "x"}, exitUsage, "unknown command"},
		{"flag out of range", []string{"run", "--port-offset", "70000"}, exitUsage, "portOffset: 70000"},
		{"bench usage", []string{"bench", "mqtt", "--qos", "2"}, exitUsage, "QoS 2"},
		{"send usage", []string{"send", "jobs", "x", "--priority", "10"}, exitUsage, "--priority 10"},
		{"send failure", []string{"send", "jobs", "x", "--url", "amqp://127.0.0.1:1"}, exitFailed, "nobody listens at"},
		{"receive usage", []string{"receive"}, exitUsage, "accepts 1 arg(s)"},
		{"receive failure", []string{"receive", "jobs", "--url", "amqp://127.0.0.1:1"}, exitFailed, "nobody listens at"},
		{"bench failure", []string{"bench", "mqtt", "--server", "127.0.0.1:1"}, exitFailed, "connect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var output bytes.Buffer
			if code := execute(t.Context(), c.args, &output, &output); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if !strings.Contains(output.String(), c.output) {
				t.Errorf("got %q, want %q in it", output.String(), c.output)
			}
		})
	}
}

func TestTakenPortIsAFailureThatNamesItsSetting(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := strconv.Itoa(other.Addr().(*net.TCPAddr).Port)
	folder := t.TempDir()
	file := write(t, folder, "taken.yaml", "mqtt: {port: "+port+", webSocket: {port: 0}}\namqp: {port: 0}\nstomp: {port: 0}\n"+
		"http: {port: 0}\ncoap: {port: 0}\nadmin: {port: 0}\n")
	var output bytes.Buffer
	code := execute(t.Context(), []string{"run", "-c", file, "--data", filepath.Join(folder, "data")}, &output, &output)
	if code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	for _, part := range []string{"127.0.0.1:" + port, "address already in use", "mqtt.port"} {
		if !strings.Contains(output.String(), part) {
			t.Errorf("got %q, want %q in it", output.String(), part)
		}
	}
}

func write(t *testing.T, folder, name, text string) (file string) {
	t.Helper()
	file = filepath.Join(folder, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

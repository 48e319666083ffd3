package main_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// configuration is one queue, and free ports.
const configuration = `
anonymous: true
log: {level: warn}
mqtt: {port: 0, webSocket: {port: 0}}
stomp: {port: 0}
http: {port: 0}
admin: {enabled: false}
addresses:
  - {name: jobs, kind: queue}
`

// program is a binary with what it needs to run.
type program struct {
	binary string
	file   string // its configuration
	data   string
}

// build makes the binary as users do.
func build(t *testing.T) program {
	t.Helper()
	folder := t.TempDir()
	p := program{
		binary: filepath.Join(folder, "manifold.exe"), // a name that every system takes
		file:   filepath.Join(folder, "manifold.yaml"),
		data:   filepath.Join(folder, "data"),
	}
	if err := os.WriteFile(p.file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

// process is one life of the program.
type process struct {
	cmd   *exec.Cmd
	out   *io.PipeReader
	log   bytes.Buffer // what it said on standard error; complete when it has ended
	doors map[string]string
	ended chan struct{}
	over  bool // kill was called
}

// launch starts the program without waiting until it is ready.
func (p program) launch(t *testing.T) *process {
	t.Helper()
	out, in := io.Pipe()
	l := &process{
		cmd: exec.Command(p.binary, "run", "-c", p.file, "--data", p.data), out: out, ended: make(chan struct{}),
	}
	l.cmd.Stdout, l.cmd.Stderr = in, &l.log
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.ended)
		l.cmd.Wait() // a killed process ends with an error
		in.Close()
	}()
	t.Cleanup(func() { l.kill(t) })
	return l
}

// door is a line of the summary that is printed when the process is ready.
var door = regexp.MustCompile(`^  (\w+) +(\S+:\d+)`)

// ready waits until the process has said where it listens.
func (p *process) ready(t *testing.T) {
	t.Helper()
	p.doors = make(map[string]string)
	for lines := bufio.NewScanner(p.out); lines.Scan(); {
		switch found := door.FindStringSubmatch(lines.Text()); {
		case found != nil:
			p.doors[found[1]] = found[2]
		case lines.Text() == "" && len(p.doors) > 0:
			return
		}
	}
	<-p.ended
	t.Fatalf("the process ended before it was ready:\n%s", p.log.String())
}

// live gives the process its time, in which it must not end by itself.
func (p *process) live(t *testing.T, lifetime time.Duration) {
	t.Helper()
	select {
	case <-time.After(lifetime):
	case <-p.ended:
		t.Fatalf("the process ended by itself:\n%s", p.log.String())
	}
}

// kill ends the process without a warning (SIGKILL), and looks at what it had to complain about. It may be called twice.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.over {
		return
	}
	p.over = true
	if err := p.cmd.Process.Kill(); err != nil {
		t.Errorf("the process ended before it was killed: %v", err)
	}
	p.out.Close()
	<-p.ended
	if log := p.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the process complained:\n%s", log)
	}
}

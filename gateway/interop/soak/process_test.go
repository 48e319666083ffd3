//go:build interop

package soak

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

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
		binary: filepath.Join(folder, "manifold"),
		file:   filepath.Join(folder, "manifold.yaml"),
		data:   filepath.Join(folder, "data"),
	}
	if err := os.WriteFile(p.file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	compile := exec.Command("go", "build", "-trimpath", "-o", p.binary, "github.com/manifoldmq/manifold/cmd/manifold")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

// process is one life of the program.
type process struct {
	cmd   *exec.Cmd
	out   *io.PipeReader
	log   bytes.Buffer // what it said on standard error; complete when it has ended
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
func (p *process) ready() (doors map[string]string, err error) {
	doors = make(map[string]string)
	for lines := bufio.NewScanner(p.out); lines.Scan(); {
		switch found := door.FindStringSubmatch(lines.Text()); {
		case found != nil:
			doors[found[1]] = found[2]
		case lines.Text() == "" && len(doors) > 0:
			return doors, nil
		}
	}
	return nil, fmt.Errorf("the process ended before it was ready")
}

// kill ends the process without a warning, and looks at what it had to complain about. It may be called twice.
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
	if log := p.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("the process complained:\n%s", log)
	}
}

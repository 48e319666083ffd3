package gatewaytest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Program is the binary, built as users build it, with a configuration and a folder for its data.
type Program struct {
	binary string
	file   string // the configuration
	data   string // the folder
}

// Build makes the binary and writes its configuration, in folders of the test.
func Build(t testing.TB, configuration string) Program {
	t.Helper()
	folder := t.TempDir()
	p := Program{
		binary: filepath.Join(folder, "manifold.exe"), // a name that every system takes
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

// With gives the same binary with another configuration, and a folder of its own for its data.
func (p Program) With(t testing.TB, configuration string) Program {
	t.Helper()
	folder := t.TempDir()
	p.file, p.data = filepath.Join(folder, "manifold.yaml"), filepath.Join(folder, "data")
	if err := os.WriteFile(p.file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// Process is one life of a program.
type Process struct {
	cmd   *exec.Cmd
	out   *io.PipeReader
	log   bytes.Buffer // what it said on standard error; complete when it has ended
	ended chan struct{}
	over  bool // Kill was called
}

// Launch starts the program without waiting until it is ready. It is killed at the end of the test at the latest.
func (p Program) Launch(t testing.TB) *Process {
	t.Helper()
	out, in := io.Pipe()
	l := &Process{
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
	t.Cleanup(func() { l.Kill(t) })
	return l
}

// door is a line of the summary that is printed when the process is ready.
var door = regexp.MustCompile(`^  ([\w+]+) +(\S+:\d+)`)

// Ready waits until the process has said where it listens, and gives host:port of each door by its name. It fails when
// the process ends before.
func (p *Process) Ready() (doors map[string]string, err error) {
	doors = make(map[string]string)
	for lines := bufio.NewScanner(p.out); lines.Scan(); {
		switch found := door.FindStringSubmatch(lines.Text()); {
		case found != nil:
			doors[found[1]] = found[2]
		case lines.Text() == "" && len(doors) > 0:
			return doors, nil
		}
	}
	<-p.ended
	return nil, fmt.Errorf("the process ended before it was ready:\n%s", p.log.String())
}

// Live gives the process a time, in which it must not end by itself.
func (p *Process) Live(t testing.TB, lifetime time.Duration) {
	t.Helper()
	if p.Await(nil, lifetime) != ErrPatience {
		t.Fatalf("the process ended by itself:\n%s", p.log.String())
	}
}

// ErrPatience is the error of Await when the process has not ended, but what was awaited has not come either.
var ErrPatience = errors.New("it has not come in time")

// Await waits until done is closed, at most as long as patience. That the process ends before is an error too.
func (p *Process) Await(done <-chan struct{}, patience time.Duration) error {
	select {
	case <-done:
		return nil
	case <-p.ended:
		return fmt.Errorf("the process ended by itself:\n%s", p.log.String())
	case <-time.After(patience):
		return ErrPatience
	}
}

// Kill ends the process without a warning (SIGKILL) and fails the test if it had anything to complain about, or had
// ended by itself. It may be called twice.
func (p *Process) Kill(t testing.TB) {
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

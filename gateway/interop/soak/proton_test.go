//go:build interop

package soak

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// debianPython is the Python that Debian installs Proton for.
const debianPython = "/usr/bin/python3"

// protonMover runs Qpid Proton, which moves messages in transactions of AMQP. It tells of each message, waits for a line
// before it begins, and tells when the transaction is committed.
type protonMover struct {
	source, target string
	python         *exec.Cmd
	in             io.Writer
	lines          *bufio.Scanner
	complaints     bytes.Buffer
}

func (p *protonMover) open(ctx context.Context, doors map[string]string) error {
	p.complaints.Reset()
	script := filepath.Join("testdata", "move.py")
	p.python = exec.CommandContext(ctx, debianPython, script, doors["amqp"], p.source, p.target)
	p.python.Stderr = &p.complaints
	out, err := p.python.StdoutPipe()
	if err != nil {
		return err
	}
	if p.in, err = p.python.StdinPipe(); err != nil {
		return err
	}
	if err := p.python.Start(); err != nil {
		return err
	}
	p.lines = bufio.NewScanner(out)
	_, err = p.hear("ready")
	return err
}

// hear reads a line that begins with a word, and gives the rest.
func (p *protonMover) hear(word string) (string, error) {
	if !p.lines.Scan() {
		err := errors.Join(p.lines.Err(), p.python.Wait())
		return "", fmt.Errorf("%w: %w: %s", io.ErrUnexpectedEOF, err, p.complaints.String())
	}
	rest, ok := strings.CutPrefix(p.lines.Text(), word)
	if !ok {
		return "", fmt.Errorf("Proton says %q, want %q", p.lines.Text(), word)
	}
	return strings.TrimPrefix(rest, " "), nil
}

func (p *protonMover) receive(context.Context) ([]arrival, error) {
	line, err := p.hear("took")
	if err != nil {
		return nil, err
	}
	count, text, _ := strings.Cut(line, " ")
	l, err := readLetter([]byte(text))
	return []arrival{{letter: l, marked: count != "0"}}, err
}

func (p *protonMover) settle(_ context.Context, arrivals []arrival, confirm func(letter)) error {
	for _, a := range arrivals {
		if _, err := fmt.Fprintln(p.in); err != nil {
			return err
		}
		if _, err := p.hear("moved"); err != nil {
			return err
		}
		confirm(a.letter)
	}
	return nil
}

func (p *protonMover) close() {
	if p.python != nil && p.python.Process != nil {
		p.python.Process.Kill()
		p.python.Wait()
	}
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 2 * time.Minute
	stopTime  = 10 * time.Second
	retryTime = 20 * time.Millisecond
)

// process is a running server.
type process struct {
	doors   map[protocol]string
	started time.Time
	cmd     *exec.Cmd
	flags   []string // further ones for the load driver
	output  *tail
	ended   chan struct{} // closed when the process is gone
}

// start runs s with its files in dir and returns when it listens. The end of ctx kills it.
func start(ctx context.Context, s server, dir string) (*process, error) {
	plan, err := s.configure(dir)
	if err != nil {
		return nil, fmt.Errorf("configuring %s: %w", s.name, err)
	}
	return launch(ctx, s, plan)
}

// launch is start for a server that is configured already.
func launch(ctx context.Context, s server, plan plan) (*process, error) {
	if plan.before != nil {
		if out, err := exec.CommandContext(ctx, s.binary, plan.before...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("preparing %s: %w\n%s", s.name, err, out)
		}
	}
	p := &process{doors: plan.doors, output: &tail{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, cmp.Or(plan.binary, s.binary), plan.args...)
	p.cmd.Env = append(os.Environ(), plan.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = time.Second
	dieWithParent(p.cmd)
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how a server ends after it was measured is of no interest
		if plan.after != nil {
			_ = plan.after.Run()
		}
	}()
	for _, address := range p.doors {
		if err := p.listening(ctx, address); err != nil {
			p.stop()
			return nil, fmt.Errorf("starting %s: %w\n%s", s.name, err, p.output)
		}
	}
	return p, nil
}

// listening returns once the server accepts connections at one of its doors.
func (p *process) listening(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	retry := time.NewTicker(retryTime)
	defer retry.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %v", p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("not listening at %s: %w", address, err)
		case <-retry.C:
		}
	}
}

// stop ends the server and waits until it is gone.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	deadline := time.NewTimer(stopTime)
	defer deadline.Stop()
	select {
	case <-p.ended:
	case <-deadline.C:
		p.kill()
	}
}

// kill ends the server without a warning and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// resident is how many bytes of the server are in RAM.
func (p *process) resident() (uint64, error) { return p.status("VmRSS") }

// peak is the most that resident has been so far.
func (p *process) peak() (uint64, error) { return p.status("VmHWM") }

// status is a number of bytes in proc_pid_status(5).
func (p *process) status(field string) (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, field+": %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, errors.New("its status has no " + field)
}

// cpu is how much CPU time the server has used, all threads together: see proc_pid_stat(5).
func (p *process) cpu() (time.Duration, error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every architecture that Go supports
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The command's name, in parentheses, may hold anything; the fields after it are numbered from 3.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("its stat has %d fields", len(fields))
	}
	user, err := strconv.ParseInt(fields[utime], 10, 64)
	system, also := strconv.ParseInt(fields[stime], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err, also)
}

// raiseDescriptors lifts the limit of open files as far as it goes, and beyond if that is less than need and we may;
// children inherit it. It is an error when there are not as many as needed.
func raiseDescriptors(need int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	most := limit.Max
	limit.Max = max(limit.Max, uint64(need))
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d open files are needed, and no more than %d allowed: raise the limit (ulimit -Hn, LimitNOFILE) "+
			"or choose fewer connections: %w", need, most, err)
	}
	return nil
}

// openFiles is how many a process may have.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

// tail keeps the last bytes of what a server writes, for the error message if it does not start.
type tail struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

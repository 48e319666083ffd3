package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// snapshot is all that counts up, at one moment.
type snapshot struct {
	at                            time.Time
	sent, acknowledged, delivered uint64
	driver, server                time.Duration // CPU time
	peak                          uint64        // most bytes of the server in RAM
}

func (t *traffic) look() (s snapshot, err error) {
	s = snapshot{at: time.Now(), sent: t.sent.Load(), acknowledged: t.acknowledged.Load(), delivered: t.delivered.Load()}
	if s.driver, err = cpuTime(os.Getpid()); err != nil {
		return s, err
	}
	if pid := t.config.serverPID; pid != 0 {
		if s.server, err = cpuTime(pid); err == nil {
			s.peak, err = peakBytes(pid)
		}
	}
	return s, err
}

// cpuTime is the user and system time that a process has used so far; see proc_pid_stat(5).
func cpuTime(pid int) (time.Duration, error) {
	const clockTick = 10 * time.Millisecond // USER_HZ is 100
	name := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	// The command's name, in parentheses, may hold anything; the fields after it are numbered from 3.
	_, rest, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := strings.Fields(string(rest))
	const utime, stime = 14 - 3, 15 - 3
	var user, system int64
	if len(fields) <= stime {
		return 0, fmt.Errorf("%s: %d fields are too few", name, len(fields))
	}
	if _, err := fmt.Sscan(fields[utime]+" "+fields[stime], &user, &system); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return time.Duration(user+system) * clockTick, nil
}

// peakBytes is the most memory of a process that was in RAM so far: VmHWM of proc_pid_status(5).
func peakBytes(pid int) (uint64, error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("%s has no VmHWM", name)
}

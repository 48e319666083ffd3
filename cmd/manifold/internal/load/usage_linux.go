package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of CPU time in /proc: USER_HZ, 100 on every architecture that Go supports.
const clockTick = 10 * time.Millisecond

// cpuTime is the user and system time that a process has used so far, all threads together; see proc_pid_stat(5).
func cpuTime(pid int) (time.Duration, error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	// The command's name, in parentheses, may hold anything; the fields after it are numbered from 3.
	_, rest, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := bytes.Fields(rest)
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("%s: %d fields are too few", name, len(fields))
	}
	var ticks int64
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// residentBytes is the memory of a process that is in RAM, VmRSS of proc_pid_status(5).
func residentBytes(pid int) (uint64, error) { return statusBytes(pid, "VmRSS:") }

// peakBytes is the most that residentBytes has been so far, VmHWM.
func peakBytes(pid int) (uint64, error) { return statusBytes(pid, "VmHWM:") }

// resetPeak has peakBytes begin anew, at what is resident now; see clear_refs in proc(5).
func resetPeak(pid int) error {
	const peak = "5"
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0)
}

func statusBytes(pid int, field string) (uint64, error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		value, found := bytes.CutPrefix(line, []byte(field))
		if !found {
			continue
		}
		kib, err := strconv.ParseUint(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("%s has no %s", name, field)
}

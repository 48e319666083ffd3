package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// fact is one thing that a reader has to know before comparing figures.
type fact struct{ name, value string }

// gatherFacts describes the machine, the servers and the command. What cannot be found out is "unknown".
func gatherFacts(ctx context.Context, command, dir string, servers []server) []fact {
	facts := []fact{
		{"date", time.Now().UTC().Format(time.DateOnly)},
		{"command", "`" + command + "`"},
		{"CPU", fmt.Sprintf("%s, %d cores", firstField("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", firstField("/proc/meminfo", "MemTotal")},
		{"kernel", strings.TrimSpace(contents("/proc/sys/kernel/osrelease")) + ", " + runtime.GOOS + "/" + runtime.GOARCH},
		{"load average before", strings.TrimSpace(contents("/proc/loadavg"))},
		{"file system of the data", fmt.Sprintf("%s, %s for writing and syncing 4 KiB", fileSystem(dir), syncTime(dir))},
		{"Go", runtime.Version()},
	}
	for _, s := range servers {
		if s.absent == nil {
			facts = append(facts, fact{s.name, version(ctx, s)})
		}
	}
	return facts
}

const unknown = "unknown"

// commandLine is what to type to measure the same. Which files are written and read does not matter for that.
func commandLine(set *flag.FlagSet) string {
	words := []string{"go", "run", "./deploy/bench"}
	for _, peer := range []struct{ variable, name string }{{"ARTEMIS_HOME", artemis}, {"QDROUTERD", qdrouterd},
		{"NATS_SERVER", nats}, {"ACTIVEMQ_HOME", activemq}} {
		if os.Getenv(peer.variable) != "" {
			words = slices.Insert(words, 0, peer.variable+"="+peer.name)
		}
	}
	set.Visit(func(f *flag.Flag) {
		if f.Name != "markdown" && f.Name != "manifold" {
			words = append(words, "-"+f.Name+"="+f.Value.String())
		}
	})
	return strings.Join(words, " ")
}

// version is the first line of what a server says about itself, whatever it exits with.
func version(ctx context.Context, s server) string {
	if s.versionAt != nil {
		return s.versionAt(s.binary)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, s.binary, s.version...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if line == "" {
		return fmt.Sprintf("%s: %v", unknown, err)
	}
	return line
}

// firstField is the value of the first line "name : value" of a file.
func firstField(file, name string) string {
	for line := range strings.Lines(contents(file)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func contents(file string) string {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return unknown
	}
	return string(bytes)
}

// fileSystem is the type of the innermost mount that dir is in; see proc_pid_mounts(5).
func fileSystem(dir string) string {
	best, kind := "", unknown
	for line := range strings.Lines(contents("/proc/self/mounts")) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		inside, err := filepath.Rel(fields[1], dir)
		if err == nil && filepath.IsLocal(inside) && len(fields[1]) >= len(best) {
			best, kind = fields[1], fields[2]
		}
	}
	return kind
}

// syncTime is how long it takes in the median to write 4 KiB and have them synced, which bounds what is durable.
func syncTime(dir string) string {
	const rounds = 101
	file, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return unknown
	}
	defer os.Remove(file.Name())
	defer file.Close()
	page, took := make([]byte, 4<<10), make([]float64, rounds)
	for i := range took {
		begin := time.Now()
		if _, err := file.Write(page); err != nil {
			return unknown
		}
		if err := file.Sync(); err != nil {
			return unknown
		}
		took[i] = float64(time.Since(begin).Microseconds())
	}
	return fmt.Sprintf("%.0f µs", median(took))
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestRouterTakesTheFlagsOfQdrouterd(t *testing.T) {
	folder := t.TempDir()
	refused := write(t, folder, "refused.conf", "router {\n id: A\n}\nlistener {\n role: inter-router\n}\n")
	for _, c := range []struct {
		args   []string
		code   int
		output string // part of it
	}{
		{[]string{"-h"}, exitOK, "Usage: qdrouterd"},
		{[]string{"--version"}, exitOK, ""},
		{[]string{"-x"}, exitFailed, "Usage: qdrouterd"},
		{[]string{"extra"}, exitFailed, "Unexpected arguments: extra"},
		{[]string{"-c", filepath.Join(folder, "none.conf"), "-I", "lib", "-T"}, exitFailed, "Cannot load configuration file"},
		{[]string{"-c", refused}, exitFailed,
			"Exception: Cannot load configuration file " + refused + ": role='standalone' not allowed to connect to or accept connections from other routers."},
		{[]string{"-d", "-c", refused, "-U", "no such user"}, exitFailed, "no such user"},
	} {
		var output bytes.Buffer
		if code := executeRouter(t.Context(), c.args, &output, &output); code != c.code || !strings.Contains(output.String(), c.output) {
			t.Errorf("%v: exit code %d, want %d: %q, want %q in it", c.args, code, c.code, output.String(), c.output)
		}
	}
}

// TestRouterLogsWhereItsFileSays, tells who has started it that it is ready, and ends with 0.
func TestRouterLogsWhereItsFileSays(t *testing.T) {
	folder := t.TempDir()
	file := write(t, folder, "router.conf", fmt.Sprintf(`router {
    id: Cellar
}
listener {
    host: 127.0.0.1
    port: 0
}
log {
    module: DEFAULT
    enable: info+
    outputFile: %s
}
`, filepath.Join(folder, "router.log")))
	ready, told, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	defer told.Close()
	theirs, err := syscall.Dup(int(told.Fd())) // which the router closes
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	var output bytes.Buffer
	go func() {
		ended <- executeRouter(ctx, []string{"-c", file, "--ready-at", fmt.Sprint(theirs)}, &output, &output)
	}()
	said := make([]byte, 64)
	n, err := ready.Read(said)
	if err != nil || string(said[:n]) != readyWord {
		t.Fatalf("it said %q: %v", said[:n], err)
	}
	stop()
	if code := <-ended; code != exitOK || output.Len() > 0 {
		t.Errorf("it ended with %d, and said %q", code, output.String())
	}
	log, err := os.ReadFile(filepath.Join(folder, "router.log"))
	if err != nil {
		t.Fatal(err)
	}
	if line := `(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} [+-]\d{4} ROUTER_CORE \(info\) ready$`; !regexp.MustCompile(line).Match(log) {
		t.Errorf("the log has no %s:\n%s", line, log)
	}
}

func TestRouterIsKnownByItsName(t *testing.T) {
	for name, want := range map[string]bool{"qdrouterd": true, "/usr/sbin/qdrouterd": true, "manifold": false, "/opt/qdrouterd/manifold": false} {
		if isRouter(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

// TestRouterHasNoMoreWorkersThanItsFileSays, nor than there are processors.
func TestRouterHasNoMoreWorkersThanItsFileSays(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, c := range []struct{ said, want int }{{0, 3}, {-1, 3}, {9, 3}, {2, 2}, {1, 1}} {
		if boundWorkers(c.said); runtime.GOMAXPROCS(0) != c.want {
			t.Errorf("with %d there are %d, want %d", c.said, runtime.GOMAXPROCS(0), c.want)
		}
	}
}

package modulelog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// open gives a log with a buffer in the place of stderr.
func open(t *testing.T, settings ...Settings) (*Log, *bytes.Buffer) {
	t.Helper()
	var stderr bytes.Buffer
	for i := range settings {
		if settings[i].Stamp == nil {
			settings[i].Stamp = new(false)
		}
	}
	l, err := New(&stderr, append([]Settings{{Module: "DEFAULT", Stamp: new(false)}}, settings...), "", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, &stderr
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestModulesHaveFilesOfTheirOwn(t *testing.T) {
	server := filepath.Join(t.TempDir(), "server.log")
	l, stderr := open(t, Settings{Module: "SERVER", Levels: new("debug+"), File: &server, Source: new(true)})
	log := l.Logger()
	log.Debug("unheard")
	log.With("tenant", "default").Warn("odd", "err", "not this way")
	log.WithGroup("g").Error("bad", "n", 1)
	log.With("door", "amqp", "peer", "p").Debug("came")
	if got, want := stderr.String(), "ROUTER_CORE (warning) odd tenant=default err=\"not this way\"\nROUTER_CORE (error) bad g.n=1\n"; got != want {
		t.Errorf("the log has\n%swant\n%s", got, want)
	}
	if got := text(t, server); !strings.HasPrefix(got, "SERVER (debug) came peer=p (log_test.go:") {
		t.Errorf("the module has %q", got)
	}
}

func TestLevelsAreReadAsTheRouterDoes(t *testing.T) {
	for text, want := range map[string]string{
		"trace+": "trace debug info warning error", "info+": "info warning error", "error,debug": "debug error", "none": "", "": "",
		"DEBUG+": "debug info warning error", "TRACE , Error info": "trace info error", "info;critical": "info", "Debug": "debug",
		"default": "info warning error",
	} {
		l, _ := open(t, Settings{Module: "SERVER", Levels: &text})
		var got []string
		for _, level := range []slog.Level{LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if l.Logger().With("door", "amqp").Enabled(context.Background(), level) {
				got = append(got, LevelName(level))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q has %v, want %s", text, got, want)
		}
	}
	if _, _, err := ParseLevels("loud"); err == nil {
		t.Error("loud is a level")
	}
}

func TestModulesAreAsDefaultSaysUntilTheySayOtherwise(t *testing.T) {
	l, stderr := open(t)
	log := l.Logger().With("door", "amqp")
	log.Debug("too early")
	set := func(s Settings) {
		t.Helper()
		if err := l.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	set(Settings{Module: "DEFAULT", Levels: new("debug+"), Stamp: new(false)})
	log.Debug("by default")
	set(Settings{Module: "SERVER", Levels: new("error")})
	log.Info("not this")
	set(Settings{Module: "SERVER", Levels: new("default")})
	log.Info("again")
	if got, want := stderr.String(), "SERVER (debug) by default\nSERVER (info) again\n"; got != want {
		t.Errorf("the log has\n%swant\n%s", got, want)
	}
	for _, c := range l.Counts() {
		if c.Module == "SERVER" && (c.Debug != 1 || c.Info != 1 || c.Error != 0) {
			t.Errorf("it counts %+v", c)
		}
	}
}

func TestWhatCannotBeDoneChangesNothing(t *testing.T) {
	l, stderr := open(t)
	missing := filepath.Join(t.TempDir(), "none", "x.log")
	unopened := new(FileError)
	if err := l.Set(Settings{Module: "AGENT", File: &missing, Levels: new("none")}); !errors.As(err, &unopened) || unopened.File != missing {
		t.Errorf("the error is %v", err)
	}
	for _, s := range []Settings{{Module: "NOBODY"}, {Module: "AGENT", Levels: new("loud")}} {
		if l.Set(s) == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	l.Logger().With("door", "management").Info("still here")
	if got := stderr.String(); got != "AGENT (info) still here\n" {
		t.Errorf("the log has %q", got)
	}
}

// TestFilesOfOthersAreNotItsOwn: a log is not to append to what somebody else has.
func TestFilesOfOthersAreNotItsOwn(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	t.Chdir(folder)
	for _, name := range []string{filepath.Join(folder, "others"), filepath.Join(elsewhere, "others")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(elsewhere, "nothing"), "link"); err != nil {
		t.Fatal(err)
	}
	l, _ := open(t, Settings{Module: "AGENT", File: new("agent.log")})
	if err := l.Set(Settings{Module: "AGENT", File: new(filepath.Join(elsewhere, "named.log"))}); err != nil { // by who may
		t.Fatal(err)
	}
	for file, want := range map[string]bool{
		"stderr": true, "stdout": true, "syslog": true, "agent.log": true, filepath.Join(folder, "agent.log"): true, "new.log": true,
		filepath.Join(folder, "new.log"): true, "below/../new.log": true, filepath.Join(elsewhere, "named.log"): true,
		"others": false, "link": false, "below/new.log": false, "..": false, filepath.Join(elsewhere, "new.log"): false,
		filepath.Join(elsewhere, "others"): false, "../new.log": false, ".": false,
	} {
		if got := l.IsOwn(file); got != want {
			t.Errorf("%s: %t", file, got)
		}
	}
	if none, _ := open(t); none.IsOwn("new.log") || none.IsOwn(filepath.Join(folder, "new.log")) {
		t.Error("a log without files has a folder")
	}
}

func TestValuesCannotBeTakenForLines(t *testing.T) {
	l, stderr := open(t)
	l.Logger().Info("odd", "a", "x\r\x1b[2Jy", "b", "plain", "c", "a\u2028b", "d", "q\"")
	if got, want := stderr.String(), `ROUTER_CORE (info) odd a="x\r\x1b[2Jy" b=plain c="a\u2028b" d="q\""`+"\n"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

func TestFileIsClosedWhenNoModuleHasItAnyMore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	l, stderr := open(t, Settings{Module: "AGENT", File: &file})
	if err := l.Set(Settings{Module: "AGENT", File: new("stderr")}); err != nil {
		t.Fatal(err)
	}
	if len(l.files) != 0 {
		t.Errorf("%d files are open", len(l.files))
	}
	l.Logger().With("door", "management").Info("here")
	if got := text(t, file); got != "" || !strings.Contains(stderr.String(), "here") {
		t.Errorf("the file has %q", got)
	}
}

func TestStampsAreWrittenAsStrftimeDoes(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 4, 5, 6789000, time.UTC)
	for layout, want := range map[string]string{
		"": "2026-11-22 03:04:05.006789 +0000", "%Y/%m/%d %H:%M:%S": "2026/11/22 03:04:05", "%b %e at %T%%": "Nov 22 at 03:04:05%",
		"%Q": "%Q", "50%": "50%",
	} {
		if got := stamp(at, layout); got != want {
			t.Errorf("%q: %q, want %q", layout, got, want)
		}
	}
}

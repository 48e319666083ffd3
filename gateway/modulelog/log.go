package modulelog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// defaultModule is the one that says what others do not say of themselves.
const defaultModule = "DEFAULT"

// moduleOfOthers has what is told of no door.
const moduleOfOthers = "ROUTER_CORE"

// moduleOfDoor is what the router calls what is told of a door, or of a part that is tagged like one.
var moduleOfDoor = map[string]string{
	"amqp": "SERVER", "http": "HTTP", "network": "ROUTER", "management": "AGENT", "protocol": "PROTOCOL",
}

// modules are the router's, in the order in which it lists them; of some nothing is told here.
var modules = []string{
	"ROUTER", moduleOfOthers, "ROUTER_HELLO", "ROUTER_LS", "ROUTER_MA", "MESSAGE", "SERVER", "AGENT", "AUTHSERVICE", "CONTAINER",
	"ERROR", "POLICY", "HTTP", "CONN_MGR", "PYTHON", "PROTOCOL", defaultModule,
}

// Module is the one that has what is told of a door; empty is what is told of none.
func Module(door string) string {
	if m, ok := moduleOfDoor[door]; ok {
		return m
	}
	return moduleOfOthers
}

// Settings say what of the lines of a module is written, and where to. What is nil is as DEFAULT has it.
type Settings struct {
	Module string  // such as SERVER, or DEFAULT
	Levels *string // as ParseLevels reads them
	File   *string // stderr, stdout, syslog or the name of a file, to which lines are appended
	Source *bool   // whether a line names the place in the code
	Stamp  *bool   // whether a line begins with the time
}

// Counts are how many lines of each level a module has written.
type Counts struct {
	Module                                               string
	Trace, Debug, Info, Notice, Warning, Error, Critical uint64
}

// Log is the log of a process. Close it when nobody logs any more.
type Log struct {
	stderr io.Writer
	utc    bool
	layout string // of times, as strftime has it; empty is the usual one

	byName map[string]*module // does not change

	mu      sync.Mutex // guards everything below, the settings of modules, and writing
	files   map[string]*os.File
	had     map[string]bool // files that have been opened, by their absolute names
	folders map[string]bool // of those that New was given
}

// module is a part of the gateway whose lines are settled together.
type module struct {
	name    string
	log     *Log
	enabled atomic.Uint32 // Levels
	counts  [7]atomic.Uint64

	settings Settings
	out      io.Writer
	source   bool
	stamp    bool
}

// New gives a log that writes to stderr and the files that settings name; the last one that is of a module counts. Times are
// written by layout, as strftime reads it, in UTC if that is said. The error says which file cannot be opened, or what is no level.
func New(stderr io.Writer, settings []Settings, layout string, utc bool) (*Log, error) {
	l := &Log{
		stderr: stderr, utc: utc, layout: layout, byName: make(map[string]*module),
		files: make(map[string]*os.File), had: make(map[string]bool), folders: make(map[string]bool),
	}
	for _, name := range modules {
		l.byName[name] = &module{name: name, log: l, settings: Settings{Module: name}}
	}
	l.settle()
	for _, s := range settings {
		if err := l.Set(s); err != nil {
			l.Close()
			return nil, err
		}
	}
	for name := range l.had {
		l.folders[filepath.Dir(name)] = true
	}
	return l, nil
}

// Logger gives the log to those who tell.
func (l *Log) Logger() *slog.Logger { return slog.New(&handler{module: l.byName[moduleOfOthers]}) }

// Modules are the settings of all modules, as they have been said.
func (l *Log) Modules() (all []Settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range modules {
		all = append(all, l.byName[name].settings)
	}
	return all
}

// Counts are those of all modules.
func (l *Log) Counts() (all []Counts) {
	for _, name := range modules {
		n := &l.byName[name].counts
		all = append(all, Counts{
			name, n[0].Load(), n[1].Load(), n[2].Load(), n[3].Load(), n[4].Load(), n[5].Load(), n[6].Load(),
		})
	}
	return all
}

// Set has a module be written in another way from now on. Nothing changes when there is an error: a module that there is not, no
// level, or a *FileError.
func (l *Log) Set(s Settings) error {
	m, ok := l.byName[strings.ToUpper(s.Module)]
	if !ok {
		return fmt.Errorf("there is no module '%.80s' of the log: those are %s", s.Module, strings.Join(modules, ", "))
	}
	if s.Levels != nil {
		if _, _, err := ParseLevels(*s.Levels); err != nil {
			return err
		}
	}
	s.Module = m.name
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.File != nil {
		if _, err := l.open(*s.File); err != nil {
			return err
		}
	}
	m.settings = s
	l.settle()
	return nil
}

// IsOwn tells whether a file may be the log's whoever names it: one of the streams, one that it has or had already, and a new one
// beside those that New was given. Others may be somebody else's.
func (l *Log) IsOwn(file string) bool {
	switch file {
	case "stderr", "stdout", "syslog", "": // which cannot be opened
		return true
	}
	name, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.had[name] || !l.folders[filepath.Dir(name)] {
		return l.had[name]
	}
	_, err = os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// FileError says that a file of the log cannot be opened.
type FileError struct {
	File string
	Err  error
}

// Error implements error.
func (e *FileError) Error() string {
	return fmt.Sprintf("the log file '%s' cannot be opened: %v", e.File, e.Err)
}

// Unwrap gives why.
func (e *FileError) Unwrap() error { return e.Err }

// open gives where lines go by a name. The log of the system takes what is written to stderr.
func (l *Log) open(name string) (io.Writer, error) {
	switch name {
	case "stderr", "syslog":
		return l.stderr, nil
	case "stdout":
		return os.Stdout, nil
	}
	if f := l.files[name]; f != nil {
		return f, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, &FileError{name, err}
	}
	l.files[name] = f
	if absolute, err := filepath.Abs(name); err == nil {
		l.had[absolute] = true
	}
	return f, nil
}

// settle works out what each module does from what is said of it and of DEFAULT, and closes the files that none writes to.
func (l *Log) settle() {
	d := l.byName[defaultModule]
	used := make(map[string]bool)
	for _, m := range l.byName {
		levels, own := usual, false
		for _, s := range []*Settings{&m.settings, &d.settings} {
			if s.Levels != nil && !own {
				if said, its, _ := ParseLevels(*s.Levels); its {
					levels, own = said, true
				}
			}
		}
		m.enabled.Store(uint32(levels))
		m.source = *firstSaid(m.settings.Source, d.settings.Source, new(false))
		m.stamp = *firstSaid(m.settings.Stamp, d.settings.Stamp, new(true))
		file := *firstSaid(m.settings.File, d.settings.File, new("stderr"))
		used[file] = true
		m.out, _ = l.open(file) // it is open already
	}
	for name, f := range l.files {
		if !used[name] {
			f.Close()
			delete(l.files, name)
		}
	}
}

// firstSaid gives the first that is not nil.
func firstSaid[T any](all ...*T) *T {
	return all[slices.IndexFunc(all, func(v *T) bool { return v != nil })]
}

// Close closes the files.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, f := range l.files {
		f.Close()
		delete(l.files, name)
	}
}

// write writes a line of a module. pc is the place in the code; 0 for none.
func (l *Log) write(m *module, at time.Time, text string, pc uintptr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	if m.stamp {
		if l.utc {
			at = at.UTC()
		}
		b.WriteString(stamp(at, l.layout) + " ")
	}
	b.WriteString(text)
	if m.source && pc != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		fmt.Fprintf(&b, " (%s:%d)", filepath.Base(frame.File), frame.Line)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(m.out, b.String())
	return err
}

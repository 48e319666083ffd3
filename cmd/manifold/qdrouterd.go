package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/manifoldmq/manifold/gateway"
	"github.com/manifoldmq/manifold/gateway/dispatch"
	"github.com/manifoldmq/manifold/gateway/modulelog"
)

// routerName is the name under which the command is a stand-in for Qpid Dispatch Router: it takes its flags, reads its
// configuration, and opens what that says and nothing else.
const routerName = "qdrouterd"

// routerFlags are those of qdrouterd.
type routerFlags struct {
	config, include, pidFile, user string
	daemon, hooks, version, help   bool
	readyAt                        int // the descriptor where a daemon tells that it is ready; 0 for none
}

func (f *routerFlags) set() *pflag.FlagSet {
	s := pflag.NewFlagSet(routerName, pflag.ContinueOnError)
	s.StringVarP(&f.config, "config", "c", "/etc/qpid-dispatch/qdrouterd.conf", "load the configuration from `PATH`")
	s.StringVarP(&f.include, "include", "I", "", "`PATH` of the library of Qpid Dispatch, which is not needed")
	s.BoolVarP(&f.daemon, "daemon", "d", false, "run in the background")
	s.StringVarP(&f.pidFile, "pidfile", "P", "", "`FILE` for the daemon's process id")
	s.StringVarP(&f.user, "user", "U", "", "`NAME` of the user to run the daemon as")
	s.BoolVarP(&f.hooks, "test-hooks", "T", false, "enable what tests of the router need, which is always there")
	s.BoolVarP(&f.version, "version", "v", false, "print the version")
	s.BoolVarP(&f.help, "help", "h", false, "print this help")
	s.IntVar(&f.readyAt, "ready-at", 0, "")
	s.Lookup("ready-at").Hidden = true
	s.SortFlags = false
	s.Usage = func() {}
	return s
}

// executeRouter runs the command line of qdrouterd and gives its exit code.
func executeRouter(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f routerFlags
	flags := f.set()
	flags.SetOutput(stderr)
	usage := func(w io.Writer) { fmt.Fprintf(w, "Usage: %s [OPTIONS]\n\n%s", routerName, flags.FlagUsages()) }
	switch err := flags.Parse(args); {
	case err != nil:
		fmt.Fprintln(stderr, err)
		usage(stdout)
		return exitFailed
	case f.help:
		usage(stdout)
		return exitOK
	case f.version:
		fmt.Fprintln(stdout, version())
		return exitOK
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "Unexpected arguments: %s\n\n", strings.Join(flags.Args(), " "))
		usage(stdout)
		return exitFailed
	}
	run := f.run
	if f.daemon {
		run = f.startDaemon
	}
	if err := run(ctx, stderr); err != nil {
		f.tell(err.Error())
		fmt.Fprintf(stderr, "%s: %v\n", routerName, err)
		return exitFailed
	}
	return exitOK
}

// routerDrain is how long clients get to finish: the router itself gives them no time at all.
const routerDrain = time.Second

// run runs the router until ctx ends.
func (f *routerFlags) run(ctx context.Context, stderr io.Writer) error {
	t, err := f.load()
	if err != nil {
		if log, e := modulelog.New(stderr, nil, "", false); e == nil {
			remark(log.Logger(), t.Remarks)
		}
		return err
	}
	t.Config.DrainTimeout = routerDrain
	boundWorkers(t.Workers)
	modules, err := modulelog.New(stderr, t.Logs, t.Time.Layout, t.Time.UTC)
	if err != nil {
		return err
	}
	defer modules.Close()
	remark(modules.Logger(), t.Remarks)
	return gateway.Run(ctx, t.Config, gateway.Process{
		Modules: modules, Volatile: true,
		Ready: func([]gateway.Endpoint) { f.tellReady() },
	})
}

// boundWorkers has at most so many threads work at once, if that is any number. More than there are processors bring nothing.
func boundWorkers(n int) {
	if n > 0 {
		runtime.GOMAXPROCS(min(n, runtime.GOMAXPROCS(0)))
	}
}

// remark logs what of the configuration is to be known.
func remark(log *slog.Logger, all []dispatch.Remark) {
	for _, r := range all {
		if r.Entity != "log" && r.Attribute != "workerThreads" { // which count here
			log.Warn("in the configuration", "line", r.String())
		}
	}
}

// load reads the configuration. Its error is in the words that users of the router look for.
func (f *routerFlags) load() (dispatch.Translation, error) {
	text, err := os.ReadFile(f.config)
	if err != nil {
		return dispatch.Translation{}, &loadError{f.config, err}
	}
	t, err := dispatch.Translate(f.config, text)
	if err != nil {
		return t, &loadError{f.config, err}
	}
	return t, nil
}

// loadError says that a configuration cannot be used, as the router does.
type loadError struct {
	file string
	err  error
}

// Error implements error.
func (e *loadError) Error() string {
	return fmt.Sprintf("Exception: Cannot load configuration file %s: %v", e.file, e.err)
}

// Unwrap gives what is wrong.
func (e *loadError) Unwrap() error { return e.err }

// isRouter tells whether the command was called as qdrouterd.
func isRouter(name string) bool { return filepath.Base(name) == routerName }

var errDaemon = errors.New("the daemon has not started")

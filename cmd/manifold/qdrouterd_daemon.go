package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// readyDescriptor is where a daemon finds the pipe on which it tells that it is ready: the first after the standard ones.
const readyDescriptor = 3

// readyWord is what it says.
const readyWord = "ok"

// startDaemon starts the router once more, in a session of its own, and waits until that is ready.
func (f *routerFlags) startDaemon(_ context.Context, stderr io.Writer) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	file, err := filepath.Abs(f.config)
	if err != nil {
		return err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close()
	daemon := exec.Command(program, "-c", file, "--ready-at", strconv.Itoa(readyDescriptor))
	daemon.Args[0] = os.Args[0]
	daemon.Dir = "/"
	daemon.ExtraFiles = []*os.File{theirs}
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if f.user != "" {
		if daemon.SysProcAttr.Credential, err = credentialOf(f.user); err != nil {
			return err
		}
	}
	err = daemon.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	if f.pidFile != "" {
		if err := os.WriteFile(f.pidFile, fmt.Appendf(nil, "%d\n", daemon.Process.Pid), 0o644); err != nil {
			return err
		}
	}
	said, err := io.ReadAll(ours)
	if err != nil {
		return err
	}
	if string(said) != readyWord {
		return fmt.Errorf("%w: %s", errDaemon, said)
	}
	return daemon.Process.Release()
}

// credentialOf gives who a user is to the system.
func credentialOf(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	id, err1 := strconv.ParseUint(u.Uid, 10, 32)
	group, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("user %s: %s:%s are no numbers", name, u.Uid, u.Gid)
	}
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}, nil
}

// tell says something to who has started the daemon, if it is one, and hangs up.
func (f *routerFlags) tell(word string) {
	if f.readyAt == 0 {
		return
	}
	pipe := os.NewFile(uintptr(f.readyAt), "ready")
	f.readyAt = 0
	fmt.Fprint(pipe, word)
	pipe.Close()
}

// tellReady says that every listener is open.
func (f *routerFlags) tellReady() { f.tell(readyWord) }

package main

import (
	"context"
	"log/slog"
	"net"
	"os"
)

// serviceManager is the socket at which whoever started the process wants to hear how it is: sd_notify(3) of systemd. It
// is empty when nobody does. A name that begins with @ is an abstract one, as Linux has them.
type serviceManager string

func newServiceManager() serviceManager { return serviceManager(os.Getenv("NOTIFY_SOCKET")) }

// ready says that every door serves.
func (m serviceManager) ready(log *slog.Logger) { m.tell(log, "READY=1") }

// awaitStop waits for ctx to end and says that the process stops, as it does then.
func (m serviceManager) awaitStop(ctx context.Context, log *slog.Logger) {
	<-ctx.Done()
	m.tell(log, "STOPPING=1")
}

// tell says one thing. That nobody hears it does not keep a gateway from running.
func (m serviceManager) tell(log *slog.Logger, state string) {
	if m == "" {
		return
	}
	conn, err := net.Dial("unixgram", string(m))
	if err == nil {
		_, err = conn.Write([]byte(state))
		conn.Close()
	}
	if err != nil {
		log.Warn("the service manager is not told", "state", state, "err", err)
	}
}

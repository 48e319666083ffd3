package main

import (
	"fmt"
	"net"
	"os"
)

// serviceManager is the socket at which whoever started the process wants to hear how it is: sd_notify(3) of systemd. It
// is empty when nobody does.
type serviceManager string

// newServiceManager finds it where systemd says it. A name that begins with @ is an abstract one, as Linux has them.
func newServiceManager() serviceManager { return serviceManager(os.Getenv("NOTIFY_SOCKET")) }

// What a service manager is told.
const (
	stateReady    = "READY=1"
	stateStopping = "STOPPING=1"
)

// tell sends one of the states.
func (m serviceManager) tell(state string) error {
	if m == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", string(m))
	if err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("service manager: %w", err)
	}
	return nil
}

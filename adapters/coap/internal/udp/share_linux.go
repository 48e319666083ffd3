package udp

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharesPorts tells that the system spreads the peers of a port over the sockets that share it.
const sharesPorts = true

// sharePort lets other sockets of this user listen on the same port.
func sharePort(c syscall.RawConn) error {
	var failure error
	err := c.Control(func(fd uintptr) {
		failure = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	})
	return errors.Join(err, failure)
}

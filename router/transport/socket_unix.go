//go:build unix

package transport

import (
	"net"
	"os"
	"syscall"
)

// rawSocket gives access to the descriptor of a plain TCP or Unix socket, or nil for anything else: a wrapped
// connection, such as TLS, must not be read beneath its wrapper.
func rawSocket(nc net.Conn) syscall.RawConn {
	var sc syscall.Conn
	switch c := nc.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readNow reads what a non-blocking descriptor has, briefly or with the runtime being told.
func readNow(fd uintptr, p []byte, briefly bool) (int, error) {
	read := syscall.Read
	if briefly {
		read = readBriefly
	}
	for {
		n, err := read(int(fd), p)
		if err == nil {
			return n, nil
		}
		if err != syscall.EINTR {
			return 0, wrapErrno("read", err)
		}
	}
}

// writeNow writes what a non-blocking descriptor takes; a full socket is no error. It does not care for the deadline of an
// earlier write, as RawConn.Write would.
func writeNow(raw syscall.RawConn, p []byte) (n int, err error) {
	callErr := raw.Control(func(fd uintptr) {
		for {
			n, err = writeBriefly(int(fd), p)
			if err != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case callErr != nil:
		return 0, callErr
	case err == nil:
		return n, nil
	case wouldBlock(err):
		return 0, nil
	default:
		return 0, wrapErrno("write", err)
	}
}

func wouldBlock(err error) bool { return err == error(syscall.EAGAIN) }

func wrapErrno(call string, err error) error {
	if wouldBlock(err) {
		return err
	}
	return os.NewSyscallError(call, err)
}

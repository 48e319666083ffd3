//go:build !unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

// rawSocket gives nil: here every connection is read through net.Conn.
func rawSocket(net.Conn) syscall.RawConn { return nil }

func readNow(uintptr, []byte, bool) (int, error) { return 0, errors.ErrUnsupported }

func writeNow(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }

func wouldBlock(error) bool { return false }

//go:build !linux

package udp

import "syscall"

// sharesPorts tells that a port has one socket here.
const sharesPorts = false

func sharePort(syscall.RawConn) error { return nil }

//go:build unix && (!linux || race)

package transport

import "syscall"

// readBriefly is an ordinary read: elsewhere there is no other, and the race detector wants to see it, as it takes what
// is written to one socket and read from another for an order of what comes before and after.
func readBriefly(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

// writeBriefly is an ordinary write, likewise.
func writeBriefly(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }

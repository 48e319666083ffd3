//go:build !race

package transport

import (
	"syscall"
	"unsafe"
)

// The calls of package syscall tell the runtime that their thread may block, so that another one can take over its work. The
// first such call after a pause wakes the thread that watches over this, before the call itself is made, and keeps it busy for a
// while. A call on a non-blocking descriptor takes microseconds and needs no watching: without it a message that comes alone
// is sooner where it goes, and takes two fifths less CPU.

// readBriefly reads from a non-blocking descriptor without telling the runtime.
func readBriefly(fd int, p []byte) (int, error) { return callBriefly(syscall.SYS_READ, fd, p) }

// writeBriefly writes to a non-blocking descriptor without telling the runtime.
func writeBriefly(fd int, p []byte) (int, error) { return callBriefly(syscall.SYS_WRITE, fd, p) }

func callBriefly(call uintptr, fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

package load

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// clock ticks as timerfd_create(2) does. A timer of the Go runtime is late by up to a millisecond when nothing else is
// going on, which would be most of the latency that a run measures.
type clock struct{ file *os.File }

func newClock(interval time.Duration) (*clock, error) {
	const monotonic = 1
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("timerfd_create", errno)
	}
	c := &clock{os.NewFile(fd, "clock")}
	every := syscall.NsecToTimespec(int64(interval))
	spec := [2]syscall.Timespec{every, every} // the interval, and when it first ends
	_, _, errno = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		c.close()
		return nil, os.NewSyscallError("timerfd_settime", errno)
	}
	return c, nil
}

// tick waits for the end of the interval that is under way.
func (c *clock) tick() error {
	var expirations [8]byte
	_, err := c.file.Read(expirations[:])
	return err
}

func (c *clock) close() { c.file.Close() }

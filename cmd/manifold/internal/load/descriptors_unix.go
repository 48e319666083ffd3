//go:build unix

package load

import (
	"fmt"
	"syscall"
)

// raiseDescriptors lifts the limit of open files as far as this process may, and says so when need is out of reach.
func raiseDescriptors(need int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("limit of open files: %w", err)
		}
	}
	if files := uint64(need) + 64; files > uint64(limit.Max) {
		return fmt.Errorf("%d connections need %d open files, but the limit is %d", need, files, limit.Max)
	}
	return nil
}

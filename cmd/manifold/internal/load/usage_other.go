//go:build !linux

package load

import (
	"errors"
	"time"
)

var errNoUsage = errors.New("the resource use of a process can be read on Linux only")

func cpuTime(int) (time.Duration, error) { return 0, errNoUsage }

func residentBytes(int) (uint64, error) { return 0, errNoUsage }

func peakBytes(int) (uint64, error) { return 0, errNoUsage }

func resetPeak(int) error { return errNoUsage }

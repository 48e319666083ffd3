package pki

import (
	"os"
	"time"
)

// stamp tells one version of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

// stampsOf gives the stamps of files. One that cannot be looked at has none.
func stampsOf(names ...string) []stamp {
	stamps := make([]stamp, len(names))
	for i, name := range names {
		if info, err := os.Stat(name); name != "" && err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestOnDiskCountsWhatIsAllocated: a hole takes no space, and a folder that is not there takes none either.
func TestOnDiskCountsWhatIsAllocated(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	full, hollow := filepath.Join(below, "full"), filepath.Join(dir, "hollow")
	if err := errors.Join(os.Mkdir(below, 0o755), os.WriteFile(full, make([]byte, 64<<10), 0o644),
		os.WriteFile(hollow, nil, 0o644), os.Truncate(hollow, 1<<30)); err != nil {
		t.Fatal(err)
	}
	if got, err := onDisk(dir); err != nil || got < 64<<10 || got >= 1<<20 {
		t.Errorf("%d bytes, %v", got, err)
	}
	if got, err := onDisk(filepath.Join(dir, "absent")); err != nil || got != 0 {
		t.Errorf("absent: %d bytes, %v", got, err)
	}
}

package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

const (
	reclaimTime = time.Minute            // for a server to give its disk back
	diskPulse   = 250 * time.Millisecond // between two looks at the disk
)

// reclaim looks at the disk until it has no more than enough, or for as long as reclaimTime.
func reclaim(ctx context.Context, dir string, enough uint64) (left uint64, took time.Duration, err error) {
	begin := time.Now()
	pulse := time.NewTicker(diskPulse)
	defer pulse.Stop()
	for {
		left, err = onDisk(dir)
		took = time.Since(begin)
		if err != nil || left <= enough || took >= reclaimTime {
			return left, took, err
		}
		select {
		case <-ctx.Done():
			return left, took, context.Cause(ctx)
		case <-pulse.C:
		}
	}
}

// mostOnDisk is the most that a folder holds until ctx ends.
func mostOnDisk(ctx context.Context, dir string) (most uint64, err error) {
	pulse := time.NewTicker(diskPulse)
	defer pulse.Stop()
	for {
		bytes, err := onDisk(dir)
		if err != nil {
			return most, err
		}
		most = max(most, bytes)
		select {
		case <-ctx.Done():
			return most, nil
		case <-pulse.C:
		}
	}
}

// onDisk is how many bytes of the disk the files below dir take, what is allocated beyond their ends included. Files come
// and go meanwhile, and so may dir.
func onDisk(dir string) (bytes uint64, err error) {
	const block = 512 // st_blocks of stat(2) counts these, whatever the file system's own are
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = entry.Info()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().IsRegular() {
			bytes += uint64(stat.Blocks) * block
		}
		return nil
	})
	return bytes, err
}

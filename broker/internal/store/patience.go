package store

import (
	"errors"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// patience is a filesystem on which a write that finds the disk full waits until there is room, and then goes on where
// it stopped: Pebble, which has no way back from a log or a manifest that cannot be written, never hears of it. A failed
// sync is passed on whatever the reason, because what a second one says of the pages that the first one lost is not to
// be believed; after a full disk it is passed on late, so that who tries again does not do so without pause.
//
// Compactions have a way back, and must take it: what they have written so far may be what fills the disk, and is removed when they
// fail. So they give up, and that before they take the room that the log needs for deletions.
type patience struct {
	vfs.FS
	space *space
}

var _ vfs.FS = patience{}

// isFull tells whether an error means that the disk, or what of it we may use, is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// insist does something until the disk is not full.
func (p patience) insist(do func() error) error {
	err := do()
	if !isFull(err) {
		return err
	}
	p.space.waiting.Add(1)
	defer p.space.waiting.Add(-1)
	for isFull(err) && p.space.wait() {
		err = do()
	}
	return err
}

// isModest tells whether what is written may as well be written later.
func isModest(c vfs.DiskWriteCategory) bool {
	return c == "pebble-compaction" || c == "pebble-blob-file-rewrite"
}

// Unwrap lets vfs.Root find what is beneath.
func (p patience) Unwrap() vfs.FS { return p.FS }

// Create implements vfs.FS.
func (p patience) Create(name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	if isModest(c) {
		f, err = p.FS.Create(name, c)
		return p.modestFile(f), p.space.late(err)
	}
	err = p.insist(func() error { f, err = p.FS.Create(name, c); return err })
	return p.file(f), err
}

// ReuseForWrite implements vfs.FS.
func (p patience) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	err = p.insist(func() error { f, err = p.FS.ReuseForWrite(oldname, newname, c); return err })
	return p.file(f), err
}

// OpenReadWrite implements vfs.FS.
func (p patience) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (f vfs.File, err error) {
	err = p.insist(func() error { f, err = p.FS.OpenReadWrite(name, c, o...); return err })
	return p.file(f), err
}

// Link implements vfs.FS.
func (p patience) Link(oldname, newname string) error {
	return p.insist(func() error { return p.FS.Link(oldname, newname) })
}

// Rename implements vfs.FS.
func (p patience) Rename(oldname, newname string) error {
	return p.insist(func() error { return p.FS.Rename(oldname, newname) })
}

// MkdirAll implements vfs.FS.
func (p patience) MkdirAll(dir string, perm os.FileMode) error {
	return p.insist(func() error { return p.FS.MkdirAll(dir, perm) })
}

func (p patience) file(f vfs.File) vfs.File {
	if f == nil {
		return nil
	}
	return patientFile{f, p}
}

// patientFile is a file that is written.
type patientFile struct {
	vfs.File
	patience patience
}

// Write implements vfs.File.
func (f patientFile) Write(b []byte) (n int, err error) {
	err = f.patience.insist(func() error {
		m, err := f.File.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

// WriteAt implements vfs.File.
func (f patientFile) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.patience.insist(func() error {
		m, err := f.File.WriteAt(b[n:], at+int64(n))
		n += m
		return err
	})
	return n, err
}

// Sync implements vfs.File.
func (f patientFile) Sync() error { return f.patience.space.late(f.File.Sync()) }

// SyncData implements vfs.File.
func (f patientFile) SyncData() error { return f.patience.space.late(f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f patientFile) SyncTo(length int64) (fullSync bool, err error) {
	fullSync, err = f.File.SyncTo(length)
	return fullSync, f.patience.space.late(err)
}

func (p patience) modestFile(f vfs.File) vfs.File {
	if f == nil {
		return nil
	}
	return modestFile{f, p.space}
}

// modestFile is a file that a compaction writes.
type modestFile struct {
	vfs.File
	space *space
}

// Write implements vfs.File.
func (f modestFile) Write(b []byte) (n int, err error) {
	if f.space.spares(len(b)) {
		n, err = f.File.Write(b)
	} else {
		err = syscall.ENOSPC
	}
	return n, f.space.late(err)
}

// Sync implements vfs.File.
func (f modestFile) Sync() error { return f.space.late(f.File.Sync()) }

package brokertest

import (
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Disk is a filesystem that has only so much room. A write beyond it is cut short with ENOSPC, and a file that is
// removed gives its room back.
type Disk struct {
	vfs.FS

	mu    sync.Mutex // guards everything below
	room  int64
	sizes map[string]int64
}

var _ vfs.FS = (*Disk)(nil)

// NewDisk wraps a filesystem that is empty and may grow by so many bytes.
func NewDisk(fs vfs.FS, room int64) *Disk {
	return &Disk{FS: fs, room: room, sizes: make(map[string]int64)}
}

// Add makes the room larger, or with a negative number of bytes smaller.
func (d *Disk) Add(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room += bytes
}

// GetDiskUsage implements vfs.FS.
func (d *Disk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return vfs.DiskUsage{AvailBytes: uint64(max(d.room, 0)), TotalBytes: 1 << 40}, nil
}

// Create implements vfs.FS.
func (d *Disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	d.free(name)
	f, err := d.FS.Create(name, c)
	return d.limit(name, f), err
}

// ReuseForWrite implements vfs.FS. The file counts as new.
func (d *Disk) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	d.free(oldname)
	f, err := d.FS.ReuseForWrite(oldname, newname, c)
	return d.limit(newname, f), err
}

// Rename implements vfs.FS.
func (d *Disk) Rename(oldname, newname string) error {
	err := d.FS.Rename(oldname, newname)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.room += d.sizes[newname]
		d.sizes[newname] = d.sizes[oldname]
		delete(d.sizes, oldname)
	}
	return err
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	err := d.FS.Remove(name)
	if err == nil {
		d.free(name)
	}
	return err
}

func (d *Disk) free(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room += d.sizes[name]
	delete(d.sizes, name)
}

// take gives as much of the room as there is, up to want.
func (d *Disk) take(name string, want int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := min(int64(want), max(d.room, 0))
	d.room -= got
	d.sizes[name] += got
	return int(got)
}

func (d *Disk) limit(name string, f vfs.File) vfs.File {
	if f == nil {
		return nil
	}
	return limited{f, d, name}
}

// limited is a file that is written on a Disk.
type limited struct {
	vfs.File
	disk *Disk
	name string
}

func (f limited) Write(b []byte) (int, error) {
	n := f.disk.take(f.name, len(b))
	written, err := f.File.Write(b[:n])
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return written, err
}

package declared

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

// folder keeps what the API declares: NAME.json for each tenant, which is YAML too. A document is replaced by renaming, so
// that there is the old one or the new one whenever the machine stops.
type folder struct {
	fs    vfs.FS
	dir   string
	there bool // it exists, and is on disk
}

const (
	suffix    = ".json"
	temporary = ".new" // a document that is being written
)

// load reads all documents.
func (f *folder) load() (map[string]*config.Tenant, error) {
	names, err := f.fs.List(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := make(map[string]*config.Tenant)
	for _, file := range names {
		name, ok := strings.CutSuffix(file, suffix)
		if !ok || file == planFile {
			continue // unfinished, or something else
		}
		t, err := f.read(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path(name), err)
		}
		all[name] = t
	}
	return all, nil
}

func (f *folder) read(name string) (*config.Tenant, error) {
	if _, err := tenancy.ParseName(name); err != nil {
		return nil, err
	}
	file, err := f.fs.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	t := new(config.Tenant)
	if _, err := config.ReadJSON(text, t); err != nil {
		return nil, err
	}
	if t.Name != name {
		return nil, fmt.Errorf("it declares the tenant %q", t.Name)
	}
	return ordered(t), nil
}

func (f *folder) path(name string) string { return f.fs.PathJoin(f.dir, name+suffix) }

// save puts what the API declares of a tenant on disk, in the place of what it declared before; nil for nothing.
func (f *folder) save(name string, t *config.Tenant) error {
	if t == nil {
		if err := f.fs.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := f.sync(f.dir); !errors.Is(err, fs.ErrNotExist) { // there is none as long as nothing was kept
			return err
		}
		return nil
	}
	return f.replace(f.path(name), config.JSON(t, true))
}

// replace puts a document on disk in the place of what is there.
func (f *folder) replace(path string, text []byte) error {
	if err := f.make(); err != nil {
		return err
	}
	if err := f.write(path+temporary, text); err != nil {
		return err
	}
	if err := f.fs.Rename(path+temporary, path); err != nil {
		return err
	}
	return f.sync(f.dir)
}

// make makes the folder.
func (f *folder) make() error {
	if f.there {
		return nil
	}
	if err := f.fs.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	err := f.sync(f.fs.PathDir(f.dir))
	f.there = err == nil
	return err
}

func (f *folder) write(path string, text []byte) error {
	file, err := f.fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// sync has the names in a folder on disk.
func (f *folder) sync(dir string) error {
	d, err := f.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

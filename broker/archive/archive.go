package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// Directory says what is looked at. FS is nil for the operating system's; Progress, if not nil, is called after every
// record with how many there were, and their bytes.
type Directory struct {
	Dir      string
	FS       vfs.FS
	Progress func(records int, bytes int64)
}

func (d Directory) options() store.Options {
	return store.Options{Dir: d.Dir, FS: d.FS, Logger: slog.New(slog.DiscardHandler)}
}

// each opens the directory and visits its records.
func (d Directory) each(
	begin func(*store.Archive) error, visit func(store.Record, *store.CorruptError) error,
) (err error) {
	a, err := store.OpenArchive(d.options())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := begin(a); err != nil {
		return err
	}
	count := d.counter()
	return a.Each(func(r store.Record, broken *store.CorruptError) error {
		count(r)
		return visit(r, broken)
	})
}

// counter tells Progress of records.
func (d Directory) counter() func(store.Record) {
	var (
		records int
		bytes   int64
	)
	return func(r store.Record) {
		records++
		bytes += int64(len(r.Key) + len(r.Value))
		if d.Progress != nil {
			d.Progress(records, bytes)
		}
	}
}

// ErrProblems is the error of Check and Export when something in the directory cannot be trusted.
var ErrProblems = errors.New("the directory has problems")

// Check reads everything and writes a line to w about each thing that is wrong, then ErrProblems is its error.
func (d Directory) Check(w io.Writer) (records int, err error) {
	c := check{queues: make(map[store.QueueID]bool)}
	begin := func(a *store.Archive) error { c.archive = a; return nil }
	err = d.each(begin, func(r store.Record, broken *store.CorruptError) error {
		records++
		what, err := c.wrong(r)
		if err != nil {
			return err
		}
		if broken != nil {
			what = broken.Error()
		}
		if what == "" {
			return nil
		}
		c.problems++
		_, err = fmt.Fprintln(w, what)
		return err
	})
	if err == nil && c.problems > 0 {
		err = fmt.Errorf("%w: %d of %d records", ErrProblems, c.problems, records)
	}
	return records, err
}

// check knows what was seen so far. The catalogue comes before the queues, and a queue's metadata before its messages.
type check struct {
	archive  *store.Archive
	queues   map[store.QueueID]bool // in the catalogue
	queue    store.QueueID          // that head is of
	head     uint64
	problems int
}

// wrong says what is the matter with a record beyond itself; nothing if it is empty.
func (c *check) wrong(r store.Record) (what string, err error) {
	if _, id, ok := r.Entry(); ok {
		c.queues[id] = true
	}
	whole, err := c.archive.IsWhole(r)
	if err != nil {
		return "", err
	}
	if id, seq, ok := r.Body(); ok && !whole {
		return fmt.Sprintf("body of message %d of queue %d: there is no such message", seq, id), nil
	}
	id, seq, ok := r.Message()
	switch {
	case !ok:
		return "", nil
	case !whole:
		return fmt.Sprintf("message %d of queue %d: its body is missing", seq, id), nil
	case !c.queues[id]:
		return fmt.Sprintf("message %d of queue %d: the queue is not in the catalogue", seq, id), nil
	case seq == 0:
		m, _ := r.Meta()
		c.queue, c.head = id, m.Head
	case id == c.queue && seq < c.head:
		return fmt.Sprintf("message %d of queue %d: the queue begins at %d", seq, id, c.head), nil
	}
	return "", nil
}

// Stats are what is in a directory.
type Stats struct {
	Schema    uint64
	CleanStop bool
	DiskBytes uint64
	Corrupt   int
	Kinds     map[string]Count // by kind of record
	Queues    []Queue          // the fullest first
}

// Count is a number of records, and their bytes.
type Count struct {
	Records int
	Bytes   int64
}

// Queue is a queue, or a durable subscription, and its messages.
type Queue struct {
	Tenant, Name string
	Messages     Count
}

// Stats counts what is there.
func (d Directory) Stats() (Stats, error) {
	s, queues, bodies := Stats{Kinds: make(map[string]Count)}, make(map[store.QueueID]*Queue), make(map[store.QueueID]int64)
	err := d.each(func(a *store.Archive) error {
		s.Schema, s.CleanStop, s.DiskBytes = a.Schema(), a.CleanStop(), a.DiskBytes()
		return nil
	}, func(r store.Record, broken *store.CorruptError) error {
		if broken != nil {
			s.Corrupt++
			return nil
		}
		s.Kinds[r.Kind()] = s.Kinds[r.Kind()].plus(r)
		if n, id, ok := r.Entry(); ok {
			queues[id] = &Queue{Tenant: n.Tenant, Name: strings.ReplaceAll(n.Name, "\x00", "::")}
			queues[id].Messages.Bytes = bodies[id]
		}
		if id, seq, ok := r.Body(); ok && seq > 0 { // they come before the catalogue
			bodies[id] += Count{}.plus(r).Bytes
		}
		if id, seq, ok := r.Message(); ok && seq > 0 && queues[id] != nil {
			queues[id].Messages = queues[id].Messages.plus(r)
		}
		return nil
	})
	for _, q := range queues {
		s.Queues = append(s.Queues, *q)
	}
	slices.SortFunc(s.Queues, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(b.Messages.Bytes, a.Messages.Bytes), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Name, b.Name))
	})
	return s, err
}

func (c Count) plus(r store.Record) Count {
	return Count{c.Records + 1, c.Bytes + int64(len(r.Key)+len(r.Value))}
}

package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// Export writes all records to w. Those that cannot be trusted are left out, and named in the error, which is then
// ErrProblems: what was written is whole without them.
func (d Directory) Export(w io.Writer) (records int, err error) {
	out := writer{to: bufio.NewWriterSize(w, 1<<20)}
	var left []error
	err = d.each(func(a *store.Archive) error { return out.begin(a.Schema()) },
		func(r store.Record, broken *store.CorruptError) error {
			switch {
			case broken != nil:
				left = append(left, broken)
				return nil
			case !r.Portable():
				return nil
			}
			return out.record(r)
		})
	if err != nil {
		return out.records, err
	}
	if err := out.end(); err != nil {
		return out.records, err
	}
	if len(left) > 0 {
		err = fmt.Errorf("%w: %d records were left out: %w", ErrProblems, len(left), errors.Join(left...))
	}
	return out.records, err
}

// importStep is about how many bytes of records are committed together.
const importStep = 4 << 20

// Import reads what Export wrote into a directory that is new or empty. After an error it is to be removed.
func (d Directory) Import(r io.Reader) (records int, err error) {
	in := reader{from: bufio.NewReaderSize(r, 1<<20)}
	schema, err := in.begin()
	if err != nil {
		return 0, err
	}
	if schema > store.SchemaVersion {
		return 0, store.ErrNewerSchema
	}
	s, err := store.OpenEmpty(d.options())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := d.fill(s, &in); err != nil {
		return in.records, err
	}
	return in.records, s.Complete()
}

// fill commits record after record.
func (d Directory) fill(s *store.Store, in *reader) error {
	count, done := d.counter(), make(waiter, 1)
	for more := true; more; {
		var step []store.Record
		for size := 0; more && size < importStep; {
			r, ok, err := in.record()
			if err != nil {
				return err
			}
			if more = ok; ok {
				step = append(step, r)
				size += len(r.Key) + len(r.Value)
				count(r)
			}
		}
		b, err := s.Begin()
		if err != nil {
			return err
		}
		for _, r := range step {
			b.Restore(r)
		}
		b.Commit(done, 0)
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// waiter is a store.Completer for who waits.
type waiter chan error

// Committed implements store.Completer.
func (w waiter) Committed(_ uint64, err error) { w <- err }

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
)

// A record is what stands behind every key: a CRC-32C (Castagnoli) of key and remainder in four bytes, the record
// schema in one, the caller's flags in one, then the payload.
const (
	recordSchema = 1
	recordHeader = 4 + 1 + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errLength   = errors.New("wrong length")
	errChecksum = errors.New("checksum mismatch")
	errSchema   = errors.New("unknown record schema")
)

// CorruptError reports a record that is on disk but cannot be trusted. Queue and Seq are zero when it is not a
// message; Seq alone is zero when it is a queue's metadata.
type CorruptError struct {
	What  string
	Queue QueueID
	Seq   uint64
	Cause error
}

func (e *CorruptError) Error() string { return fmt.Sprintf("corrupt %s: %v", e.What, e.Cause) }
func (e *CorruptError) Unwrap() error { return e.Cause }

// corrupt names the record behind key.
func corrupt(key []byte, cause error) *CorruptError {
	if id, seq, ok := splitQueueKey(key); ok {
		what := fmt.Sprintf("message %d of queue %d", seq, id)
		if seq == 0 {
			what = fmt.Sprintf("metadata of queue %d", id)
		}
		return &CorruptError{What: what, Queue: id, Seq: seq, Cause: cause}
	}
	if id, seq, ok := splitBodyKey(key); ok && seq > 0 {
		return &CorruptError{What: fmt.Sprintf("body of message %d of queue %d", seq, id), Queue: id, Seq: seq, Cause: cause}
	}
	return &CorruptError{What: fmt.Sprintf("record %q", key), Cause: cause}
}

// setRecord makes room in the batch for a record, without a copy in between: fill in Key and payload(Value), then
// call finishRecord before anything else is done with the batch.
func setRecord(b *pebble.Batch, key, size int) *pebble.DeferredBatchOp {
	return b.SetDeferred(key, recordHeader+size)
}

func payload(record []byte) []byte { return record[recordHeader:] }

func finishRecord(r *pebble.DeferredBatchOp, flags byte) {
	r.Value[4], r.Value[5] = recordSchema, flags
	binary.LittleEndian.PutUint32(r.Value, checksum(r.Key, r.Value))
	// The only error Finish knows is that of an indexed batch, which ours are not.
	_ = r.Finish()
}

// openRecord checks a record and gives what it carries, sharing its bytes.
func openRecord(key, record []byte) (flags byte, value []byte, err error) {
	switch {
	case len(record) < recordHeader:
		return 0, nil, corrupt(key, errLength)
	case binary.LittleEndian.Uint32(record) != checksum(key, record):
		return 0, nil, corrupt(key, errChecksum)
	case record[4] != recordSchema:
		return 0, nil, corrupt(key, errSchema)
	}
	return record[5], payload(record), nil
}

func checksum(key, record []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, record[4:])
}

// getRecord reads one record and appends its payload to dst.
func getRecord(v View, key, dst []byte) (flags byte, value []byte, err error) {
	record, closer, err := v.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return 0, dst, ErrNotFound
	case pebble.IsCorruptionError(err):
		return 0, dst, corrupt(key, err)
	case err != nil:
		return 0, dst, err
	}
	flags, value, err = openRecord(key, record)
	if err == nil {
		dst = append(dst, value...)
	}
	return flags, dst, errors.Join(err, closer.Close())
}

package archive

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// magic and format begin an export.
const (
	magic  = "manifold-export"
	format = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errLine is why a line is not taken.
var errLine = errors.New("the line is damaged")

// writer writes lines and sums them up.
type writer struct {
	to      *bufio.Writer
	line    []byte
	sum     uint32
	records int
}

func (w *writer) begin(schema uint64) error {
	w.line = fmt.Appendf(w.line[:0], "%s %d %d\n", magic, format, schema)
	return w.write()
}

func (w *writer) record(r store.Record) error {
	l := append(w.line[:0], r.Kind()...)
	l = append(l, ' ')
	l = hex.AppendEncode(l, r.Key)
	l = append(l, ' ')
	l = strconv.AppendUint(l, uint64(r.Flags), 10)
	l = append(l, ' ')
	if len(r.Value) == 0 {
		l = append(l, '-')
	}
	l = base64.StdEncoding.AppendEncode(l, r.Value)
	w.line = fmt.Appendf(l, " %08x\n", crc32.Checksum(l, castagnoli))
	w.records++
	return w.write()
}

func (w *writer) end() error {
	w.line = fmt.Appendf(w.line[:0], "end %d %08x\n", w.records, w.sum)
	if err := w.write(); err != nil {
		return err
	}
	return w.to.Flush()
}

func (w *writer) write() error {
	w.sum = crc32.Update(w.sum, castagnoli, w.line)
	_, err := w.to.Write(w.line)
	return err
}

// reader reads what a writer wrote.
type reader struct {
	from    *bufio.Reader
	sum     uint32 // of the lines before the last that was read
	next    uint32 // with it
	number  int    // of the last that was read
	records int
}

func (r *reader) line() ([]byte, error) {
	line, err := r.from.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("after line %d: %w", r.number, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	r.number++
	r.sum, r.next = r.next, crc32.Update(r.next, castagnoli, line)
	return line[:len(line)-1], nil
}

// begin reads the first line.
func (r *reader) begin() (schema uint64, err error) {
	line, err := r.line()
	if err != nil {
		return 0, err
	}
	var version int
	if _, err := fmt.Sscanf(string(line), magic+" %d %d", &version, &schema); err != nil {
		return 0, errors.New("this is no export of a store")
	}
	if version > format {
		return 0, fmt.Errorf("the export has format %d, this program knows %d", version, format)
	}
	return schema, nil
}

// record reads the next record; false is the end.
func (r *reader) record() (rec store.Record, more bool, err error) {
	line, err := r.line()
	if err != nil {
		return rec, false, err
	}
	if end, ok := bytes.CutPrefix(line, []byte("end ")); ok {
		if want := fmt.Sprintf("%d %08x", r.records, r.sum); string(end) != want {
			return rec, false, fmt.Errorf("lines are missing or damaged: the last says %s, and there were %s", end, want)
		}
		return rec, false, nil
	}
	if rec, err = parse(line); err != nil {
		return rec, false, fmt.Errorf("line %d: %w", r.number, err)
	}
	r.records++
	return rec, true, nil
}

// parse reads the line of a record.
func parse(line []byte) (r store.Record, err error) {
	words := strings.Split(string(line), " ")
	if len(words) != 5 {
		return r, errLine
	}
	summed := len(line) - len(words[4]) - 1
	if words[4] != fmt.Sprintf("%08x", crc32.Checksum(line[:summed], castagnoli)) {
		return r, fmt.Errorf("%w: checksum mismatch", errLine)
	}
	flags, err := strconv.ParseUint(words[2], 10, 8)
	if err != nil {
		return r, errLine
	}
	r.Flags = byte(flags)
	if r.Key, err = hex.DecodeString(words[1]); err != nil {
		return r, errLine
	}
	if words[3] != "-" {
		if r.Value, err = base64.StdEncoding.DecodeString(words[3]); err != nil {
			return r, errLine
		}
	}
	if r.Kind() != words[0] || !r.Portable() {
		return r, fmt.Errorf("%w: there is no such record", errLine)
	}
	return r, nil
}

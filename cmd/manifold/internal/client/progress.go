package client

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	progressAfter = 2 * time.Second        // a run that is over by then shows nothing
	progressEvery = 200 * time.Millisecond // between two changes of the line
)

// progress is a line on a terminal that counts messages; nil is none. It is used by one goroutine at a time.
type progress struct {
	w     io.Writer // nil if nobody looks
	total int       // 0 if not known
	next  time.Time
	shown bool
}

// newProgress gives a line on w, if that is a terminal.
func newProgress(w io.Writer, total int) *progress {
	p := &progress{total: total, next: time.Now().Add(progressAfter)}
	if isTerminal(w) {
		p.w = w
	}
	return p
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show tells that n messages are done.
func (p *progress) show(n int) {
	if p == nil || p.w == nil {
		return
	}
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(progressEvery)
	p.shown = true
	if p.total > 0 {
		fmt.Fprintf(p.w, "\r%d of %d messages", n, p.total)
	} else {
		fmt.Fprintf(p.w, "\r%d messages", n)
	}
}

// end takes the line away.
func (p *progress) end() {
	if p != nil && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

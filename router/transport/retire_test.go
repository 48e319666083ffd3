package transport

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// interrupted is an engine for which something comes just when its writer has found nothing to do for long and leaves.
type interrupted struct {
	*echo
	since   time.Time
	flushed bool // there was nothing to write when the writer last looked, before it leaves
	came    bool
}

func (e *interrupted) Flush(dst []byte) []byte {
	e.flushed = time.Since(e.since) >= linger
	return e.echo.Flush(dst)
}

func (e *interrupted) Deadline() time.Time {
	if e.flushed && !e.came {
		e.came = true
		e.post([]byte("word"))
	}
	return e.echo.Deadline()
}

// TestWriterThatStaysLooksAtWhatKeptIt: a word that comes while the writer leaves is not left lying until it leaves again.
func TestWriterThatStaysLooksAtWhatKeptIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		ended := make(chan error, 1)
		start := time.Now()
		go func() {
			ended <- NewDriver(Options{}).Serve(t.Context(), ours, func(wake func()) Engine {
				return &interrupted{echo: &echo{wake: wake}, since: start}
			})
		}()
		read(t, theirs, "word")
		if took := time.Since(start); took != linger {
			t.Errorf("it came after %v, want %v", took, linger)
		}
		theirs.Close()
		<-ended
	})
}

package client

import (
	"strings"
	"testing"
	"time"
)

func TestProgressIsSilentAtFirstAndThenRare(t *testing.T) {
	var b strings.Builder
	var none *progress
	none.show(1)
	none.end()
	p := newProgress(&b, 10)
	p.show(1)
	p.end()
	p.w = &b // as if it were a terminal
	p.show(2)
	if b.Len() > 0 {
		t.Fatalf("printed %q at once", b.String())
	}
	p.next = time.Now()
	p.show(3)
	p.show(4)
	p.end()
	if got, want := b.String(), "\r3 of 10 messages\r\x1b[K"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// accept serves connections with engines that end at the first "!", with "sorry" as their last word. It gives a
// connection to them, and what stops all and waits for it.
func accept(t *testing.T) (nc net.Conn, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan error, 1)
	driver := NewDriver(Options{})
	go func() {
		returned <- Accept(ctx, ln, func(ctx context.Context, nc net.Conn) {
			driver.Serve(ctx, nc, func(func()) Engine { return &echo{feedErr: errors.New("no")} })
		})
	}()
	nc, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc, func() {
		cancel()
		if err := <-returned; err != nil {
			t.Error(err)
		}
	}
}

func TestPeerThatStillSendsReadsTheLastWord(t *testing.T) {
	nc, stop := accept(t)
	defer stop()
	write(t, nc, "!")
	read(t, nc, "sorry")
	for range 100 { // a socket that is closed would be reset by the first, and refuse the others
		write(t, nc, strings.Repeat("more", 1000))
	}
	if n, err := nc.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the last word: %d bytes, %v; want the end", n, err)
	}
}

func TestWhoHasHungUpIsClosedWhenItsPeerCloses(t *testing.T) {
	nc, stop := accept(t)
	defer stop()
	write(t, nc, "!")
	read(t, nc, "sorry")
	nc.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(nc); len(rest) > 0 || err != nil {
		t.Errorf("after the last word: %q, %v; want the end", rest, err)
	}
}

func TestWhoDoesNotCloseIsClosedWhenTheProcessStops(t *testing.T) {
	nc, stop := accept(t)
	write(t, nc, "!")
	read(t, nc, "sorry")
	stop()
}

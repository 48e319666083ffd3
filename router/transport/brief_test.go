//go:build unix

package transport

import (
	"syscall"
	"testing"
)

func TestBriefCallsTellWhatTheSocketSays(t *testing.T) {
	ours, theirs := descriptorPair(t)
	buffer := make([]byte, 8)
	if n, err := readBriefly(ours, buffer); n > 0 || !wouldBlock(err) {
		t.Errorf("read of nothing: %d, %v; want EAGAIN", n, err)
	}
	if n, err := writeBriefly(theirs, []byte("hello")); n != 5 || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	if n, err := readBriefly(ours, buffer); err != nil || string(buffer[:n]) != "hello" {
		t.Errorf("read: %q, %v", buffer[:max(n, 0)], err)
	}
	if err := syscall.Shutdown(theirs, syscall.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	if n, err := readBriefly(ours, buffer); n != 0 || err != nil {
		t.Errorf("read at the end: %d, %v; want 0", n, err)
	}
	if n, err := writeBriefly(ours, []byte("hello")); n > 0 || err != error(syscall.EPIPE) {
		t.Errorf("write to a peer that has gone: %d, %v; want EPIPE", n, err)
	}
}

func TestBriefWriteTakesWhatFits(t *testing.T) {
	ours, theirs := descriptorPair(t)
	sent, buffer := 0, make([]byte, FlushSize)
	for {
		n, err := writeBriefly(ours, buffer)
		if wouldBlock(err) {
			break
		}
		if err != nil || n == 0 {
			t.Fatalf("write: %d, %v", n, err)
		}
		sent += n
	}
	received := 0
	for received < sent {
		n, err := readBriefly(theirs, buffer)
		if err != nil || n == 0 {
			t.Fatalf("read after %d of %d bytes: %d, %v", received, sent, n, err)
		}
		received += n
	}
}

// descriptorPair gives two ends of a connection that do not block.
func descriptorPair(t *testing.T) (ours, theirs int) {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range pair {
		t.Cleanup(func() { syscall.Close(fd) })
		if err := syscall.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	return pair[0], pair[1]
}

package transport

import (
	"runtime"
	"slices"
	"testing"
	"weak"
)

func TestMailboxKeepsTheOrder(t *testing.T) {
	woken := 0
	var m Mailbox[int]
	m.Init(func() { woken++ })
	var got []int
	for i := range 100 {
		m.Put(i)
		if i%7 == 0 {
			got = append(got, m.Take()...)
		}
		if i%20 == 0 {
			got = append(got, m.Take()...)
			runtime.GC()
		}
	}
	got = append(got, m.Take()...)
	if !slices.IsSorted(got) || len(got) != 100 {
		t.Errorf("got %v", got)
	}
	if m.Take() != nil {
		t.Error("an empty mailbox gave something")
	}
	if woken == 0 || woken == 100 {
		t.Errorf("woken %d times", woken)
	}
}

// TestBusyMailboxUsesItsMemoryAgain: it runs empty between two bursts, and does not pay for that.
func TestBusyMailboxUsesItsMemoryAgain(t *testing.T) {
	var m Mailbox[[4]uint64]
	m.Init(func() {})
	burst := func() {
		for range 500 {
			m.Put([4]uint64{})
		}
		for m.Take() != nil {
		}
	}
	burst()
	if n := testing.AllocsPerRun(100, burst); n > 1 { // a collection may come in between
		t.Errorf("%v allocations for a burst", n)
	}
}

// TestEmptyMailboxHoldsNothing: what was put into it is garbage when it has been taken.
func TestEmptyMailboxHoldsNothing(t *testing.T) {
	var m Mailbox[*[1 << 20]byte]
	m.Init(func() {})
	big := new([1 << 20]byte)
	trace := weak.Make(big)
	m.Put(big)
	big = nil
	for m.Take() != nil {
	}
	runtime.GC()
	if trace.Value() != nil {
		t.Error("the message is still held")
	}
	runtime.KeepAlive(&m)
}

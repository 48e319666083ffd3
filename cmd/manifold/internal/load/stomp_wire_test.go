package load

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// TestSTOMPPlatePrintsWhatAnotherCodecReads: the numbers go round at the end of the window, and the payload has NULs.
func TestSTOMPPlatePrintsWhatAnotherCodecReads(t *testing.T) {
	for _, size := range []int{MinPayload, 255, 256, 20000} {
		c := Config{PublishQoS: 1, Durable: true, PayloadSize: size}
		reader := frame.NewReader(bytes.NewReader(
			newSTOMPPlate(3, c, `/queue/a:b\n`, 7, 9).print(3, maxWindow-1, schedule{first: 5 * time.Second})))
		for i, receipt := range []string{"65534", "00000", "00001"} {
			f, err := reader.Read()
			if err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			got, _ := readStamp(f.Body)
			want := stamp{run: 7, publisher: 9, sequence: maxWindow - 1 + uint64(i), sent: 5 * time.Second}
			if got != want || len(f.Body) != size || f.Header.Get("receipt") != receipt {
				t.Errorf("frame %d: %d bytes, %+v, %v", i, len(f.Body), got, f.Header)
			}
			if f.Header.Get("destination") != `/queue/a:b\n` || f.Header.Get("persistent") != "true" {
				t.Errorf("frame %d: %v", i, f.Header)
			}
		}
	}
}

func TestPlainSTOMPPlateAsksForNothing(t *testing.T) {
	got := string(newSTOMPPlate(1, Config{PayloadSize: MinPayload}, "q", 0, 0).print(1, 0, schedule{}))
	if want := "SEND\ndestination:q\ncontent-length:24\n\n"; !strings.HasPrefix(got, want) {
		t.Errorf("%q does not begin with %q", got, want)
	}
}

func TestSTOMPFramesAreFound(t *testing.T) {
	for _, c := range []struct {
		name, input string
		command     string // empty while the frame is incomplete
		body        string
		size        int
	}{
		{"a body that ends with NUL", "MESSAGE\nack:1\n\nbody\x00MESSAGE", commandMessage, "body", 20},
		{"a body with a length", "MESSAGE\ncontent-length:3\n\na\x00b\x00", commandMessage, "a\x00b", 30},
		{"the first length counts", "MESSAGE\ncontent-length:1\ncontent-length:9\n\nab\x00", "", "", -1},
		{"line ends before it", "\n\r\nRECEIPT\nreceipt-id:1\n\n\x00", commandReceipt, "", 26},
		{"lines that end with CR LF", "RECEIPT\r\nreceipt-id:1\r\n\r\n\x00", commandReceipt, "", 26},
		{"no headers", "ERROR\n\n\x00", commandError, "", 8},
		{"nothing", "", "", "", 0},
		{"half a command", "MESS", "", "", 0},
		{"half a header", "MESSAGE\nack:", "", "", 0},
		{"no empty line", "MESSAGE\nack:1\n", "", "", 0},
		{"half a body", "MESSAGE\ncontent-length:3\n\na\x00b", "", "", 0},
		{"a command of a client", "SEND\n\n\x00", "", "", -1},
		{"another protocol", strings.Repeat("x", 20), "", "", -1},
		{"a length that is none", "MESSAGE\ncontent-length:x\n\n\x00", "", "", -1},
		{"a length that is too small", "MESSAGE\ncontent-length:1\n\nab\x00", "", "", -1},
	} {
		f, err := nextSTOMPFrame([]byte(c.input))
		if (err != nil) != (c.size < 0) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && (f.size != c.size || f.size > 0 && (f.command != c.command || string(f.body) != c.body)) {
			t.Errorf("%s: %s of %d octets with body %q", c.name, f.command, f.size, f.body)
		}
	}
}

func TestFirstOfSTOMPHeadersCounts(t *testing.T) {
	f, err := nextSTOMPFrame([]byte("MESSAGE\nacks:0\nack:a\\cb\r\nack:2\nack\n\n\x00"))
	if err != nil || string(f.header("ack")) != `a\cb` || f.header("id") != nil {
		t.Errorf("%v: ack %q, id %q", err, f.header("ack"), f.header("id"))
	}
}

func TestSTOMPErrorIsQuoted(t *testing.T) {
	f, err := nextSTOMPFrame([]byte("ERROR\nmessage:bad\n\n" + strings.Repeat("why", 100) + "\n\x00"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.fault().Error(); !strings.Contains(got, "bad: why") || len(got) > 250 {
		t.Errorf("got %q", got)
	}
}

func FuzzSTOMPFramesAreFoundWithoutPanic(f *testing.F) {
	f.Add([]byte("\nMESSAGE\nack:1\ncontent-length:2\n\nab\x00\n"))
	f.Add([]byte("RECEIPT\r\nreceipt-id:7\r\n\r\n\x00ERROR\n\n\x00"))
	f.Add([]byte("MESSAGE\ncontent-length:9223372036854775807\n\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for len(data) > 0 {
			got, err := nextSTOMPFrame(data)
			if err != nil {
				if !errors.Is(err, errNotSTOMP) && !errors.Is(err, errFrameCorrupt) {
					t.Fatal(err)
				}
				return
			}
			if got.size == 0 {
				return
			}
			if got.size > len(data) || len(got.body)+len(got.headers) >= got.size {
				t.Fatalf("frame of %d octets with %d and %d in %d", got.size, len(got.headers), len(got.body), len(data))
			}
			_, _ = got.receipt()
			_ = got.header("ack")
			_ = got.fault()
			data = data[got.size:]
		}
	})
}

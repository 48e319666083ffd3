package load

import (
	"bytes"
	"testing"
	"time"
)

func TestPlatePrintsWhatAFrameReadsBack(t *testing.T) {
	for _, size := range []int{MinPayload, 100, 256, 20000} {
		p := newPlate(3, "a/b", 1, size, 7, 9)
		rest := p.print(3, maxWindow-1, schedule{first: 5 * time.Second})
		for i, wantID := range []uint16{maxWindow, 1, 2} {
			f, err := nextPacket(rest, len(rest))
			if err != nil || f.size == 0 {
				t.Fatalf("frame %d: %v", i, err)
			}
			id, payload, err := f.publish()
			got, _ := readStamp(payload)
			want := stamp{run: 7, publisher: 9, sequence: maxWindow - 1 + uint64(i), sent: 5 * time.Second}
			if err != nil || id != wantID || got != want || len(payload) != size {
				t.Errorf("frame %d: id %d, %d bytes, %+v, %v", i, id, len(payload), got, err)
			}
			rest = rest[f.size:]
		}
	}
}

func TestSpreadPlateCountsThroughTheTopics(t *testing.T) {
	for qos := range 2 {
		c := Config{Layout: Mesh, Topic: "q", Topics: 11}
		p := newPlate(3, c.publishTopic(0), qos, 64, 7, 9)
		p.spread(c.Topics)
		rest := p.print(3, 9+11, schedule{})
		for i, want := range []string{"q/09", "q/10", "q/00"} {
			f, err := nextPacket(rest, len(rest))
			if err != nil || f.size == 0 {
				t.Fatalf("QoS %d: frame %d: %v", qos, i, err)
			}
			if got := string(f.body[2 : 2+len(want)]); got != want || f.body[1] != byte(len(want)) {
				t.Errorf("QoS %d: frame %d goes to %q instead of %q", qos, i, got, want)
			}
			if _, payload, _ := f.publish(); len(payload) != 64 {
				t.Errorf("QoS %d: frame %d has a payload of %d bytes", qos, i, len(payload))
			}
			rest = rest[f.size:]
		}
	}
}

func TestConnectIsEncodedAsTheSpecificationShows(t *testing.T) {
	got := appendConnect(nil, "c", "u", "pw")
	want := []byte("\x10\x14\x00\x04MQTT\x04\xC2\x00\x00\x00\x01c\x00\x01u\x00\x02pw")
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzFramesAreFoundWithoutPanic(f *testing.F) {
	f.Add(newPlate(2, "t", 1, 200, 1, 1).print(2, 0, schedule{}))
	f.Add([]byte{packetPublish, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	f.Add([]byte{packetPublish | 2, 2, 0xFF, 0xFF})
	f.Add([]byte{packetSuback, 1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		for len(data) > 0 {
			got, err := nextPacket(data, 1<<16)
			if err != nil || got.size == 0 {
				return
			}
			if got.size > len(data) || len(got.body) >= got.size {
				t.Fatalf("frame of %d bytes with body of %d in %d bytes", got.size, len(got.body), len(data))
			}
			if _, payload, err := got.publish(); err == nil {
				_, _ = readStamp(payload)
			}
			_, _ = got.packetID()
			_ = got.connackError()
			_ = got.subackError([]string{"t"}, 0)
			data = data[got.size:]
		}
	})
}

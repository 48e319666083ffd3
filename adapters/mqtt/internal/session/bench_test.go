package session

import "testing"

func benchmarkFeed(b *testing.B, version, qos byte) {
	r := connectedResponder(b, version)
	packet := encodeAny(b, oraclePublish(Publication{Topic: "plant/7/line/3/temperature", QoS: qos, Payload: make([]byte, 256)},
		version, uint16(qos)))
	out := make([]byte, 0, 64)
	now := start()
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.session.Feed(now, packet); err != nil {
			b.Fatal(err)
		}
		out = r.session.Flush(out[:0])
	}
}

func BenchmarkFeedQoS0(b *testing.B)   { benchmarkFeed(b, 4, 0) }
func BenchmarkFeedQoS1(b *testing.B)   { benchmarkFeed(b, 4, 1) }
func BenchmarkFeedQoS0V5(b *testing.B) { benchmarkFeed(b, 5, 0) }
func BenchmarkFeedQoS1V5(b *testing.B) { benchmarkFeed(b, 5, 1) }

func benchmarkDeliver(b *testing.B, version, qos byte) {
	r := connectedResponder(b, version)
	r.settled = nil
	p := Publication{Topic: "plant/7/line/3/temperature", QoS: qos, Payload: make([]byte, 256)}
	out := make([]byte, 0, 4096)
	ack := []byte{0x40, 2, 0, 0}
	now := start()
	b.SetBytes(256)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.session.Deliver(p); err != nil {
			b.Fatal(err)
		}
		out = r.session.Flush(out[:0])
		if qos == 1 { // the client's PUBACK has the id of the PUBLISH, which follows the topic
			id := 1 + varintSize(uint32(len(out))) + 2 + len(p.Topic)
			copy(ack[2:], out[id:id+2])
			if err := r.session.Feed(now, ack); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDeliverQoS0(b *testing.B)   { benchmarkDeliver(b, 4, 0) }
func BenchmarkDeliverQoS1(b *testing.B)   { benchmarkDeliver(b, 4, 1) }
func BenchmarkDeliverQoS1V5(b *testing.B) { benchmarkDeliver(b, 5, 1) }

// TestHotPathsDoNotAllocate guards what the benchmarks measure.
func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, version := range []byte{4, 5} {
		for _, qos := range []byte{0, 1} {
			r := connectedResponder(t, version)
			r.settled = nil
			packet := encodeAny(t, oraclePublish(Publication{Topic: "a/b", QoS: qos, Payload: make([]byte, 256)}, version, uint16(qos)))
			payload, out, now := make([]byte, 256), make([]byte, 0, 4096), start()
			allocs := testing.AllocsPerRun(100, func() {
				if err := r.session.Feed(now, packet); err != nil {
					t.Fatal(err)
				}
				if err := r.session.Deliver(Publication{Topic: "a/b", Payload: payload}); err != nil {
					t.Fatal(err)
				}
				out = r.session.Flush(out[:0])
			})
			if allocs != 0 {
				t.Errorf("version %d, QoS %d: %v allocations", version, qos, allocs)
			}
		}
	}
}

package http

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is a client of HTTP/2 that does as it likes.
type peer struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
	frames chan http2.Frame // of the server; closed with the connection
	stream uint32           // of the newest request; the first is 1
}

// newPeer greets the door (RFC 9113 section 3.4). It reads what comes, unless it is deaf.
func (d *door) newPeer(t *testing.T, deaf bool) *peer {
	t.Helper()
	conn, err := d.pipes.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: conn, framer: http2.NewFramer(conn, conn), frames: make(chan http2.Frame, 100_000), stream: ^uint32(0)}
	if !deaf {
		go p.listen()
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := p.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *peer) listen() {
	defer close(p.frames)
	for {
		frame, err := p.framer.ReadFrame()
		if err != nil {
			return
		}
		select {
		case p.frames <- frame:
		default: // the test has seen enough
		}
	}
}

// ask begins a request on a new stream.
func (p *peer) ask(method, path string, headers ...string) error {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	fields := append([]string{":method", method, ":scheme", "http", ":authority", "door", ":path", path}, headers...)
	for i := 0; i < len(fields); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	p.stream += 2
	return p.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: p.stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true,
	})
}

// await reads until a frame is as wanted, or the connection has ended.
func (p *peer) await(wanted func(http2.Frame) bool) bool {
	for frame := range p.frames {
		if wanted(frame) {
			return true
		}
	}
	return false
}

// TestFloodEndsTheConnection: what a peer makes the server keep, or answer, without doing its part, is bounded.
func TestFloodEndsTheConnection(t *testing.T) {
	for _, flood := range []struct {
		name string
		deaf bool
		most int // frames that the server may take
		send func(p *peer, i int) error
	}{
		{"pings whose answers are not read", true, 12_000, func(p *peer, i int) error {
			return p.framer.WritePing(false, [8]byte{})
		}},
		{"headers that never end", false, 100, func(p *peer, i int) error {
			if i == 0 {
				return p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			}
			return p.framer.WriteContinuation(1, false, bytes.Repeat([]byte{0, 1, 'a', 1, 'b'}, 1000))
		}},
		{"requests beyond the streams", false, 1000, func(p *peer, i int) error {
			err := p.ask("GET", "/v1/acme/news/a/stream")
			if err == nil && i >= 10 {
				refused := func(f http2.Frame) bool {
					reset, ok := f.(*http2.RSTStreamFrame)
					return ok && reset.ErrCode == http2.ErrCodeRefusedStream
				}
				if p.await(refused) {
					err = io.EOF // each on its own: no need to end the connection
				}
			}
			return err
		}},
	} {
		t.Run(flood.name, func(t *testing.T) {
			inBubble(t, Limits{MaxStreams: 10}, func(t *testing.T, d *door) {
				p := d.newPeer(t, flood.deaf)
				sent := 0
				for sent <= flood.most && flood.send(p, sent) == nil {
					sent++
				}
				if sent > flood.most {
					t.Errorf("the server took %d frames", sent)
				}
				p.conn.Close()
				d.do(201, "POST", "/v1/acme/jobs/a/messages", "others are served")
			})
		})
	}
}

// TestRapidResetLeavesNothingBehind: requests that are taken back at once (CVE-2023-44487), or that the peer has the server
// take back by a mistake (CVE-2025-8671), run no more at a time than the streams there are, and each ends.
func TestRapidResetLeavesNothingBehind(t *testing.T) {
	for name, takeBack := range map[string]func(p *peer) error{
		"by the client": func(p *peer) error { return p.framer.WriteRSTStream(p.stream, http2.ErrCodeCancel) },
		"by a mistake": func(p *peer) error {
			return p.framer.WriteRawFrame(http2.FrameWindowUpdate, 0, p.stream, make([]byte, 4))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{MaxStreams: 10}, func(t *testing.T, d *door) {
				p := d.newPeer(t, false)
				for i := 0; i < 5000; i++ {
					if p.ask("POST", head+"?timeout=60&lock="+strconv.Itoa(1+i%600)) != nil || takeBack(p) != nil {
						break
					}
					d.server.locks.mu.Lock()
					held := d.server.locks.held[holder{tenant: "acme"}]
					d.server.locks.mu.Unlock()
					if held > 10 {
						t.Fatalf("%d receives at a time", held)
					}
				}
				p.conn.Close()
				synctest.Wait()
				d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
				if n := d.jobs().attached(); n != 0 || len(d.server.locks.held) != 0 {
					t.Errorf("%d receives left", n)
				}
			})
		})
	}
}

// TestSlowHeadersEndTheConnection: a peer that never completes its greeting, or a block of headers, keeps nothing for long.
func TestSlowHeadersEndTheConnection(t *testing.T) {
	limits := Limits{HeaderTimeout: 10 * time.Second, PingAfter: 20 * time.Second, PingTimeout: 10 * time.Second}
	for _, slow := range []struct {
		name  string
		begin func(t *testing.T, d *door) *peer
		after time.Duration
	}{
		{"greeting", func(t *testing.T, d *door) *peer {
			conn, err := d.pipes.dial(t.Context())
			if err == nil {
				_, err = io.WriteString(conn, http2.ClientPreface[:20])
			}
			if err != nil {
				t.Fatal(err)
			}
			return &peer{conn: conn}
		}, 10 * time.Second},
		{"headers", func(t *testing.T, d *door) *peer {
			p := d.newPeer(t, false)
			if err := p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}); err != nil {
				t.Fatal(err)
			}
			return p
		}, 30 * time.Second},
	} {
		t.Run(slow.name, func(t *testing.T) {
			inBubble(t, limits, func(t *testing.T, d *door) {
				began := time.Now()
				p := slow.begin(t, d)
				if p.frames == nil {
					io.Copy(io.Discard, p.conn)
				} else {
					p.await(func(http2.Frame) bool { return false })
				}
				if took := time.Since(began); took > slow.after+time.Second {
					t.Errorf("ended after %v, want %v", took, slow.after)
				}
				p.conn.Close()
			})
		})
	}
}

// TestSettingsSayWhatIsOffered: as many streams as the limit has, small frames, and no WebSocket (RFC 8441 section 3).
func TestSettingsSayWhatIsOffered(t *testing.T) {
	inBubble(t, Limits{MaxStreams: 7}, func(t *testing.T, d *door) {
		p := d.newPeer(t, true)
		defer p.conn.Close()
		frame, err := p.framer.ReadFrame()
		settings, ok := frame.(*http2.SettingsFrame)
		if !ok {
			t.Fatalf("%v, %v", frame, err)
		}
		if most, _ := settings.Value(http2.SettingMaxConcurrentStreams); most != 7 {
			t.Errorf("%d streams", most)
		}
		if size, _ := settings.Value(http2.SettingMaxFrameSize); size != 16<<10 {
			t.Errorf("%d bytes of a frame", size)
		}
		if connect, _ := settings.Value(http2.SettingEnableConnectProtocol); connect != 0 {
			t.Error("WebSockets are offered")
		}
	})
}

// TestSilentPeerIsFound: a client that answers no ping loses its streams, and one that asks for nothing its connection.
func TestSilentPeerIsFound(t *testing.T) {
	limits := Limits{PingAfter: 20 * time.Second, PingTimeout: 10 * time.Second, IdleTimeout: 50 * time.Second, Heartbeat: time.Hour}
	inBubble(t, limits, func(t *testing.T, d *door) {
		for _, c := range []struct {
			path   string
			answer bool
			after  time.Duration
		}{
			{"/v1/acme/news/a/stream", false, 30 * time.Second},
			{"/v1/acme/nothing", true, 50 * time.Second},
		} {
			began := time.Now()
			p := d.newPeer(t, false)
			if err := p.ask("GET", c.path); err != nil {
				t.Fatal(err)
			}
			for frame := range p.frames {
				if ping, ok := frame.(*http2.PingFrame); ok && c.answer && !ping.IsAck() {
					p.framer.WritePing(true, ping.Data)
				}
			}
			if took := time.Since(began); took < c.after || took > c.after+2*time.Second {
				t.Errorf("%s: ended after %v, want %v", c.path, took, c.after)
			}
			p.conn.Close()
		}
		d.do(503, "POST", "/v1/acme/news/a/messages", "nobody is left")
	})
}

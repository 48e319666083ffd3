//go:build interop

package interop

import (
	"bytes"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Mutator writes frames of HTTP/2 (RFC 9113), most of them valid.
type http2Mutator struct {
	httpMutator
	out     bytes.Buffer
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	stream  uint32 // of the newest request
}

func newHTTP2Mutator(m mutator) *http2Mutator {
	h := &http2Mutator{httpMutator: httpMutator{m}}
	h.framer = http2.NewFramer(&h.out, nil)
	h.framer.AllowIllegalWrites = true
	h.encoder = hpack.NewEncoder(&h.block)
	h.stream--
	return h
}

// take gives what was written. Writing to memory makes no errors but those of frames that no one can write, which are left out.
func (h *http2Mutator) take() []byte {
	text := bytes.Clone(h.out.Bytes())
	h.out.Reset()
	return text
}

// greet is how a client begins (RFC 9113 section 3.4).
func (h *http2Mutator) greet() []byte {
	h.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: pick[uint32](h.mutator, 1, 65535, 1<<31-1)})
	return append([]byte(http2.ClientPreface), h.take()...)
}

// conversation is a few frames, with damage in them.
func (h *http2Mutator) conversation() []byte { return h.spoil(h.greet(), h.some(12, h.frame)) }

// anyStream is one that there is, or that there is not.
func (h *http2Mutator) anyStream() uint32 {
	return pick(h.mutator, h.stream, h.stream, h.stream+2, h.stream-2, 0, 2, 1<<31-1)
}

// frame is one of all that a client may send; a request is several.
func (h *http2Mutator) frame() []byte {
	number := pick[uint32](h.mutator, 0, 1, 100, 1<<14, 1<<31-1)
	switch h.IntN(13) {
	case 0, 1, 2, 3, 4:
		h.ask(h.any())
	case 11:
		address := pick(h.mutator, "telemetry/mutated", "jobs", "alerts", "telemetry/%23", "commands/a")
		h.ask(request{"GET", "/v1/default/" + address + "/stream?data=" + pick(h.mutator, "json", "raw"), "", nil})
	case 5:
		h.framer.WriteRSTStream(h.anyStream(), http2.ErrCode(number))
	case 6:
		h.framer.WriteWindowUpdate(h.anyStream(), number)
	case 7:
		h.framer.WriteSettings(http2.Setting{ID: http2.SettingID(h.IntN(9)), Val: number})
	case 8:
		h.framer.WriteData(h.anyStream(), h.IntN(2) == 0, []byte("data of nobody"))
	case 9:
		h.framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: h.anyStream(), EndHeaders: h.IntN(3) > 0, BlockFragment: []byte{0xFF, 0x80, byte(number), 0x3F, 0xE1, 0x7F},
		})
	case 10:
		h.framer.WritePriority(h.anyStream(), http2.PriorityParam{StreamDep: h.anyStream()})
		h.framer.WritePing(h.IntN(2) == 0, [8]byte{})
	default:
		h.framer.WriteRawFrame(http2.FrameType(h.IntN(12)), http2.Flags(h.IntN(256)), h.anyStream(), make([]byte, h.IntN(20)))
	}
	return h.take()
}

// ask writes a request: its headers, perhaps cut in two, and its body, perhaps without its end.
func (h *http2Mutator) ask(r request) {
	h.stream += 2
	h.block.Reset()
	fields := append([]string{":method", r.method, ":scheme", "http", ":authority", "x", ":path", r.path}, h.fields(r)...)
	if h.IntN(4) == 0 {
		fields = append(fields, "content-length", strconv.Itoa(len(r.body)))
	}
	for i := 0; i < len(fields); i += 2 {
		h.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	block, empty := h.block.Bytes(), len(r.body) == 0
	if h.IntN(20) == 0 {
		block = h.damage(bytes.Clone(block))
	}
	cut := len(block)
	if h.IntN(4) == 0 {
		cut = h.IntN(cut + 1)
	}
	h.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: h.stream, BlockFragment: block[:cut], EndHeaders: cut == len(block), EndStream: empty, PadLength: uint8(h.IntN(3)),
	})
	if cut < len(block) {
		h.framer.WriteContinuation(h.stream, h.IntN(10) > 0, block[cut:])
	}
	if !empty {
		h.framer.WriteData(h.stream, h.IntN(4) > 0, r.body)
	}
}

// flood is one kind of frame again and again.
func (h *http2Mutator) flood() []byte {
	text := h.greet()
	kind := h.IntN(7)
	if kind == 0 {
		h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}) // which never end
	}
	for range 1 + h.IntN(500) {
		switch kind {
		case 0:
			h.framer.WriteContinuation(1, false, []byte("\x00\x01a\x01b"))
		case 1, 2:
			h.ask(h.any())
			h.framer.WriteRSTStream(h.stream, http2.ErrCodeCancel)
		case 3:
			h.framer.WritePing(false, [8]byte{})
		case 4:
			h.framer.WriteSettings()
		case 5:
			h.ask(request{"POST", "/v1/default/jobs/messages", "", []byte("x")})
			h.framer.WriteRawFrame(http2.FrameWindowUpdate, 0, h.stream, make([]byte, 4)) // a mistake, for which it is taken back
		default:
			h.framer.WriteData(1, false, nil)
		}
	}
	if text = append(text, h.take()...); h.IntN(2) == 0 {
		return h.damage(text)
	}
	return text
}

package http

import (
	"bytes"
	"compress/gzip"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
)

// Only what the door itself writes is compressed, pages and arrays of envelopes. What Content-Encoding says of a message is its
// sender's word, and goes through as it is; streams are written event by event, which leaves little to find.

// minCompressed is the size of a body, in bytes, from which it pays to compress it: less fits one packet anyway.
const minCompressed = 1400

// zippers are writers that are not in use: one has tables of a megabyte.
type zippers struct{ sync.Pool }

// zip compresses a body (RFC 1952).
func (z *zippers) zip(body []byte) []byte {
	zipper, ok := z.Get().(*gzip.Writer)
	if !ok {
		zipper, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // which is a level that there is
	}
	defer z.Put(zipper)
	var b bytes.Buffer
	zipper.Reset(&b)
	zipper.Write(body) // a buffer takes everything
	zipper.Close()
	return b.Bytes()
}

// takesGzip tells whether a client takes a compressed body (RFC 9110 section 12.5.3).
func takesGzip(h nethttp.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			coding, weight, weighted := strings.Cut(part, ";")
			if coding = strings.TrimSpace(coding); !strings.EqualFold(coding, "gzip") {
				continue
			}
			value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			q, err := strconv.ParseFloat(value, 64)
			return !weighted || ok && err == nil && q > 0
		}
	}
	return false
}

// writeJSON answers with a JSON value, compressed if its client takes that and it pays. It is of the moment, and not to be kept.
func (s *Server) writeJSON(w nethttp.ResponseWriter, r *nethttp.Request, value any) {
	h, body := w.Header(), encodeJSON(value)
	h.Set("Content-Type", typeJSON)
	h.Set("Cache-Control", "no-store")
	if len(body) >= minCompressed {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			body = s.zippers.zip(body)
		}
	}
	s.write(w, nethttp.StatusOK, body)
}

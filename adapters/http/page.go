package http

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the pages
	"encoding/base64"
	nethttp "net/http"
	"time"
)

// openAPI describes the door to programs (https://spec.openapis.org/oas/v3.1.0).
//
//go:embed openapi.json
var openAPI []byte

// tryPage lets a person send and watch messages from a browser.
//
//go:embed try.html
var tryPage []byte

// page is what the door shows to everybody, without asking who it is.
type page struct {
	contentType string
	body        []byte
	zipped      []byte // the same, compressed
	tag         string // by which a client knows that it has it already
	policy      string // what the page may do in a browser (https://www.w3.org/TR/CSP3/)
}

// newPages gives the pages by path.
func newPages() map[string]page {
	return map[string]page{
		"/openapi.json": newPage(typeJSON, openAPI, "default-src 'none'"),
		"/try/":         newPage("text/html; charset=utf-8", tryPage, tryPolicy(tryPage)),
	}
}

func newPage(contentType string, body []byte, policy string) page {
	sum := sha256.Sum256(body)
	return page{contentType, body, new(zippers).zip(body), base64.RawURLEncoding.EncodeToString(sum[:12]), policy}
}

// tryPolicy lets the page run its own script and style, talk to the door it came from, and nothing else.
func tryPolicy(body []byte) string {
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data:; " +
		"script-src " + sourceHash(body, "script") + "; style-src " + sourceHash(body, "style")
}

// sourceHash names what stands between the tags of an element (CSP3 section 2.3.1).
func sourceHash(body []byte, element string) string {
	_, rest, _ := bytes.Cut(body, []byte("<"+element+">"))
	source, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	sum := sha256.Sum256(source)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// show answers a request for a page.
func (s *Server) show(w nethttp.ResponseWriter, r *nethttp.Request, p page) {
	const methods = "GET, HEAD, OPTIONS"
	switch r.Method {
	case nethttp.MethodGet, nethttp.MethodHead:
		h := w.Header()
		h.Set("Content-Type", p.contentType)
		forbidGuessing(h)
		h.Set("Content-Security-Policy", p.policy)
		h.Set("Cache-Control", "no-cache") // but with its tag nothing is sent again
		h.Add("Vary", "Accept-Encoding")
		body, tag := p.body, p.tag
		if takesGzip(r.Header) { // which is another representation, with a tag of its own (RFC 9110 section 8.8.3.3)
			h.Set("Content-Encoding", "gzip")
			body, tag = p.zipped, tag+"-gzip"
		}
		h.Set("Etag", `"`+tag+`"`)
		s.setWriteDeadline(w)
		nethttp.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	case nethttp.MethodOptions:
		s.origins.options(w, r, methods)
	default:
		s.refuseMethod(w, methods)
	}
}

package http

import (
	"compress/gzip"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
)

func TestClientSaysWhetherItTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=1": true, "br": false, "gzip;q=x": false,
	} {
		if got := takesGzip(nethttp.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

// TestArraysAreCompressedAndMessagesAreNot: those of a message are its sender's.
func TestArraysAreCompressedAndMessagesAreNot(t *testing.T) {
	long := strings.Repeat("long ", 1000)
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for range 3 {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", long)
		}
		const accept = "Accept-Encoding: gzip"
		a := d.do(200, "POST", head, "", accept)
		if a.body != long || a.Header.Get("Content-Encoding") != "" || a.Header.Get("Vary") != "" {
			t.Errorf("a message: %v", a.Header)
		}
		plain := d.do(200, "GET", "/v1/acme/jobs/a/messages", "", "Accept-Encoding: identity")
		if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("an array: %v", plain.Header)
		}
		zipped := d.do(200, "GET", "/v1/acme/jobs/a/messages", "", accept)
		if strings.Count(unzip(t, zipped.body), long) != 2 || zipped.Header.Get("Content-Encoding") != "gzip" || len(zipped.body) > len(plain.body)/10 {
			t.Errorf("%d of %d bytes: %v", len(zipped.body), len(plain.body), zipped.Header)
		}
		d.do(204, "DELETE", a.Header.Get("Location"), "")
	})
}

func TestPagesAreCompressed(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		plain := d.do(200, "GET", "/openapi.json", "", "Accept-Encoding: identity")
		zipped := d.do(200, "GET", "/openapi.json", "", "Accept-Encoding: gzip")
		if unzip(t, zipped.body) != plain.body || zipped.Header.Get("Etag") == plain.Header.Get("Etag") {
			t.Errorf("%v and %v", plain.Header, zipped.Header)
		}
		d.do(304, "GET", "/openapi.json", "", "Accept-Encoding: gzip", "If-None-Match: "+zipped.Header.Get("Etag"))
	})
}

func unzip(t *testing.T, text string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

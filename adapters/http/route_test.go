package http

import (
	"net/url"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

func TestEndpointIsFoundFromTheRight(t *testing.T) {
	token := strings.Repeat("A", tokenLength)
	for path, want := range map[string]route{
		"/v1/t/a/messages": {endpointMessages, "t", "a", "/v1/t/a", lockID{}},
		"/v1/t/a/messages/head/messages": {
			endpointMessages, "t", "a/messages/head", "/v1/t/a/messages/head", lockID{}},
		"/v1/t/a/messages/head":       {endpointHead, "t", "a", "/v1/t/a", lockID{}},
		"/v1/t/stream/stream":         {endpointStream, "t", "stream", "/v1/t/stream", lockID{}},
		"/v1/%74/a%2Fb//stream":       {endpointStream, "t", "a/b/", "/v1/%74/a%2Fb/", lockID{}},
		"/v1/t/a/messages/7/" + token: {endpointLock, "t", "a", "/v1/t/a", lockID{7, token}},
		"/v1/t/a/messages/7/" + token + "/reject": {
			endpointReject, "t", "a", "/v1/t/a", lockID{7, token}},
	} {
		if got, err := parsePath(path); err != nil || got != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
}

func TestRawPathKeepsAnEncodedSlashBesideAnUnescapedCharacter(t *testing.T) {
	u, err := url.ParseRequestURI(`/v1/t/a%2Fmessages/"/messages`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parsePath(rawPath(u))
	if err != nil || r.text != `a/messages/"` || r.location(lockID{1, "T"}) != "/v1/t/a%2Fmessages/%22/messages/1/T" {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzPath checks that no path makes trouble, and that a location leads back to what it was made of.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/v1/t/a/messages", "/v1/t/a//b/messages/head", "/v1/t/..%2F%00/stream", "/v1/t/%zz/stream", "/v1//messages",
		"/v1/t/a/messages/1/AAAAAAAAAAAAAAAAAAAAAA/reject", "/v1/t/\xff\"<>/messages/head", "//", "", "/v1/t/a::b/stream",
		"/v1/?//messages",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := parsePath(raw)
		if err != nil {
			if reason := router.ReasonOf(err); reason != router.NotFound && reason != router.Malformed {
				t.Errorf("%v", err)
			}
			return
		}
		r.address()
		r.source()
		id := lockID{12, newToken()}
		u, err := url.ParseRequestURI(r.location(id))
		if err != nil {
			t.Fatalf("location of %q: %v", raw, err)
		}
		back, err := parsePath(rawPath(u))
		if err != nil || back.tenant != r.tenant || back.text != r.text || back.lock != id {
			t.Errorf("%q: %+v became %+v, %v", raw, r, back, err)
		}
	})
}

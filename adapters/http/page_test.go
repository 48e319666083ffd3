package http

import (
	"encoding/json"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// description is what the tests read of the OpenAPI document.
type description struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]json.RawMessage
}

// operation is a method of a path.
type operation struct {
	Responses map[string]struct {
		Ref     string `json:"$ref"`
		Content map[string]any
	}
}

// endpoints are the paths of the document.
var endpoints = map[endpoint]string{
	endpointMessages:     "/v1/{tenant}/{address}/messages",
	endpointBatch:        "/v1/{tenant}/{address}/messages/batch",
	endpointHead:         "/v1/{tenant}/{address}/messages/head",
	endpointLock:         "/v1/{tenant}/{address}/messages/{number}/{token}",
	endpointReject:       "/v1/{tenant}/{address}/messages/{number}/{token}/reject",
	endpointRenew:        "/v1/{tenant}/{address}/messages/{number}/{token}/renew",
	endpointSettle:       "/v1/{tenant}/{address}/messages/settle",
	endpointRequests:     "/v1/{tenant}/{address}/requests",
	endpointStream:       "/v1/{tenant}/{address}/stream",
	endpointSubscription: "/v1/{tenant}/{address}/subscription",
}

// described gives the operations by "METHOD path".
var described = sync.OnceValue(func() map[string]operation {
	var d description
	if err := json.Unmarshal(openAPI, &d); err != nil || d.OpenAPI != "3.1.0" {
		panic(err)
	}
	all := make(map[string]operation)
	for path, methods := range d.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			var o operation
			if err := json.Unmarshal(raw, &o); err != nil {
				panic(err)
			}
			all[strings.ToUpper(method)+" "+path] = o
		}
	}
	return all
})

func TestEveryRouteIsDescribed(t *testing.T) {
	var want []string
	for e := endpointMessages; int(e) < len(methods); e++ {
		for method := range strings.SplitSeq(methods[e], ", ") {
			if method != nethttp.MethodOptions {
				want = append(want, method+" "+endpoints[e])
			}
		}
	}
	for _, path := range devicePaths {
		want = append(want, "POST "+path, "PUT "+path)
	}
	for _, operation := range want {
		if _, ok := described()[operation]; !ok {
			t.Errorf("openapi.json lacks %s", operation)
		}
	}
	for operation := range described() {
		if !slices.Contains(want, operation) {
			t.Errorf("openapi.json has %s, which the door has not", operation)
		}
	}
}

// expectDocumented checks an answer of any test: the document has its status and its kind of content.
func expectDocumented(t testing.TB, method, path string, r *nethttp.Response) {
	t.Helper()
	raw, _, _ := strings.Cut(path, "?")
	parsed, err := parsePath(raw)
	if err != nil || !parsed.endpoint.allows(method) || method == nethttp.MethodOptions {
		return // the document tells of paths and methods that there are
	}
	answer, ok := described()[method+" "+endpoints[parsed.endpoint]].Responses[strconv.Itoa(r.StatusCode)]
	contentType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch {
	case !ok:
		t.Errorf("openapi.json has no answer %d to %s %s", r.StatusCode, method, endpoints[parsed.endpoint])
	case answer.Ref != "": // all of these are problems
		if contentType != "application/problem+json" {
			t.Errorf("%s %s: status %d comes as %q", method, path, r.StatusCode, contentType)
		}
	case answer.Content["*/*"] != nil:
	case answer.Content[contentType] == nil && contentType != "":
		t.Errorf("openapi.json has no content %q in answer %d to %s %s", contentType, r.StatusCode, method, endpoints[parsed.endpoint])
	}
}

func TestPagesAreForEverybody(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for path, contentType := range map[string]string{"/openapi.json": "application/json", "/try/": "text/html; charset=utf-8"} {
			a := d.do(200, "GET", path, "")
			if a.Header.Get("Content-Type") != contentType || !strings.HasPrefix(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s: %v", path, a.Header)
			}
			if again := d.do(304, "GET", path, "", "If-None-Match: "+a.Header.Get("Etag")); again.body != "" {
				t.Errorf("%s came again", path)
			}
			d.do(200, "HEAD", path, "")
			d.do(204, "OPTIONS", path, "")
			d.do(405, "POST", path, "").problem(t)
		}
		d.do(404, "GET", "/try", "")
	})
}

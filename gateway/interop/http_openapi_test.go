//go:build interop

package interop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// generated is schemathesis's count of the requests that it made up.
var generated = regexp.MustCompile(`\d+ generated, .*`)

// TestSchemathesis makes up requests from openapi.json, such as it describes and others: no answer tells of a fault, and
// each is as the document describes it.
func TestSchemathesis(t *testing.T) {
	need(t, schemathesis)
	target, err := url.Parse(startSecure(t, gatewaytest.New(t))["http"])
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(forSchemathesis(target))
	defer front.Close()
	settings, err := filepath.Abs(filepath.Join("testdata", "openapi"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ address, accept string }{
		{"jobs/a", "*/*"}, {"news/a", "application/x-ndjson"}, {"news/a::kept", "*/*"}, {"commands/a", "*/*"}, {"alerts/a", "*/*"},
	} {
		t.Run(c.address, func(t *testing.T) {
			program := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python), schemathesis),
				"--config-file", filepath.Join(settings, "schemathesis.toml"), "run", front.URL+"/openapi.json")
			program.Dir = t.TempDir() // where it leaves its notes
			program.Env = append(os.Environ(), "FOLDER="+settings, "PYTHONDONTWRITEBYTECODE=1",
				"ADDRESS="+c.address, "ACCEPT="+c.accept)
			t.Log(generated.FindString(output(t, program)))
		})
	}
}

// forSchemathesis passes requests on to the target. It ends a stream after the first that comes, as schemathesis reads
// answers to their end. A payload that was sent without a type comes back without one, which a client may take for
// octets (RFC 9110 section 8.3) and schemathesis would not.
func forSchemathesis(target *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode != http.StatusOK {
				return nil
			}
			if r.Header.Get("Content-Type") == "" {
				r.Header.Set("Content-Type", "application/octet-stream")
			}
			if r.Request.Method == http.MethodGet && strings.HasSuffix(r.Request.URL.Path, "/stream") {
				r.Body = &once{ReadCloser: r.Body}
			}
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex() // the answer to lines begins before they end
		proxy.ServeHTTP(w, r)
	})
}

// once is a body that ends after the first read.
type once struct {
	io.ReadCloser
	read bool
}

func (o *once) Read(p []byte) (int, error) {
	if o.read {
		return 0, io.EOF
	}
	o.read = true
	return o.ReadCloser.Read(p)
}

//go:build interop

package interop

import (
	"crypto/tls"
	"encoding/xml"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

const (
	// h2specTests is how many tests h2spec has.
	h2specTests = 145
	// h2specPath shows a queue with one short message, and takes what is posted. h2specLongPath shows one that is longer
	// than the first window: the tests in h2specLongSection take an answer that is still under way.
	h2specPath, h2specLongPath = "/v1/default/jobs/short/messages", "/v1/default/jobs/long/messages"
	h2specLongSection          = "http2/6.9.1"
)

// h2specPages are the messages.
var h2specPages = map[string]string{h2specPath: "short", h2specLongPath: strings.Repeat("long ", 100_000)}

// TestH2Spec runs h2spec against the HTTP door and, beside it, against Go's own server with the same settings: of what
// passes there nothing fails at the door, and what fails at the door is what docs/http.md lists.
func TestH2Spec(t *testing.T) {
	need(t, h2spec)
	from := gatewaytest.New(t)
	doors, bare := startSecure(t, from), startBare(t, from)
	for path, page := range h2specPages {
		answer, err := http.Post(doors["http"]+path, "text/plain", strings.NewReader(page))
		if err != nil || answer.StatusCode != http.StatusCreated {
			t.Fatal(answer, err)
		}
		answer.Body.Close()
	}
	for scheme, listed := range listedFailures(t) {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel() // each mostly waits
			atBare, atDoor := h2specFailures(t, bare[scheme]), h2specFailures(t, doors[scheme])
			for _, failure := range atDoor {
				if !slices.Contains(atBare, failure) {
					t.Errorf("fails only at the door: %s", failure)
				}
			}
			if !slices.Equal(atDoor, listed) {
				t.Errorf("docs/http.md lists\n  %s\nat the door there failed\n  %s",
					strings.Join(listed, "\n  "), strings.Join(atDoor, "\n  "))
			}
			t.Logf("%d of %d fail at the door, %d at net/http", len(atDoor), h2specTests, len(atBare))
		})
	}
}

// startBare serves the two pages with nothing but net/http, with TLS and without.
func startBare(t *testing.T, from *gatewaytest.Authority) (servers map[string]string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(from.Server())
	if err != nil {
		t.Fatal(err)
	}
	servers = make(map[string]string)
	for _, scheme := range []string{"http", "https"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{
			Protocols: new(http.Protocols),
			ErrorLog:  log.New(io.Discard, "", 0),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				io.WriteString(w, h2specPages[r.URL.Path])
			}),
		}
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetHTTP2(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if scheme == "https" {
				server.ServeTLS(listener, "", "")
			} else {
				server.Serve(listener)
			}
		}()
		t.Cleanup(func() { server.Close(); <-ended })
		servers[scheme] = scheme + "://" + listener.Addr().String()
	}
	return servers
}

// suites is what a report of h2spec has of interest.
type suites struct {
	Suites []struct {
		Cases []struct {
			Section string   `xml:"package,attr"`
			Name    string   `xml:"classname,attr"`
			Skipped []string `xml:"skipped"`
			Error   []string `xml:"error"`
			Failure []string `xml:"failure"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// h2specFailures runs all of h2spec against a server and gives what failed, in alphabetical order.
func h2specFailures(t *testing.T, server string) []string {
	t.Helper()
	results := h2specResults(t, server, h2specPath)
	maps.Copy(results, h2specResults(t, server, h2specLongPath, h2specLongSection))
	if len(results) != h2specTests {
		t.Fatalf("%d tests ran, want %d", len(results), h2specTests)
	}
	var failed []string
	for name, passed := range results {
		if !passed {
			failed = append(failed, name)
		}
	}
	slices.Sort(failed)
	return failed
}

// h2specResults runs sections of h2spec, or all, and tells which tests passed.
func h2specResults(t *testing.T, server, path string, sections ...string) (passed map[string]bool) {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.xml")
	args := append(sections, "-h", at.Hostname(), "-p", at.Port(), "-P", path, "-o", "4", "-j", file)
	if at.Scheme == "https" {
		args = append(args, "-t", "-k")
	}
	printed, failure := command(t, filepath.Join(programs, h2spec), args...).CombinedOutput() // it fails when a test does
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %v\n%s", failure, err, printed)
	}
	var report suites
	if err := xml.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	passed = make(map[string]bool)
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			passed[c.Section+": "+c.Name] = len(c.Skipped)+len(c.Error)+len(c.Failure) == 0
		}
	}
	return passed
}

// listedFailure is a line of docs/http.md about a test of h2spec.
var listedFailure = regexp.MustCompile("(?m)^- `([a-z0-9]+/[0-9.]+)`: (.*?)( \\(without TLS\\))?$")

// listedFailures gives the list of docs/http.md by what it is about, in alphabetical order.
func listedFailures(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "http.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{"http": nil, "https": nil}
	for _, found := range listedFailure.FindAllStringSubmatch(string(text), -1) {
		failure := found[1] + ": " + found[2]
		listed["http"] = append(listed["http"], failure)
		if found[3] == "" {
			listed["https"] = append(listed["https"], failure)
		}
	}
	for scheme := range listed {
		slices.Sort(listed[scheme])
	}
	return listed
}

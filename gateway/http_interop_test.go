//go:build interop

package gateway

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCurlSendsAndReceives runs curl as docs/http.md shows it, over each version of HTTP without TLS.
func TestCurlSendsAndReceives(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("INTEROP_PARTIAL") != "1" {
			t.Fatal("missing: curl; install it, or set INTEROP_PARTIAL=1 to leave out the tests that need it")
		}
		t.Skip("curl is missing and INTEROP_PARTIAL=1")
	}
	base := "http://" + start(t, quickstart(t))["http"] + "/v1/default/jobs/messages"
	for option, version := range map[string]string{"--http1.1": "1.1", "--http2": "1.1", "--http2-prior-knowledge": "2"} {
		curl := func(arguments ...string) string {
			t.Helper()
			arguments = append([]string{"-sS", "--fail-with-body", "--max-time", "30", option}, arguments...)
			out, err := exec.CommandContext(t.Context(), "curl", arguments...).CombinedOutput()
			if err != nil {
				t.Fatalf("curl %v: %v: %s", arguments, err, out)
			}
			return string(out)
		}
		if got := curl("-d", "hello", "-w", "%{http_version} %{http_code}", base); got != version+" 201" {
			t.Errorf("%s: sending gave %s", option, got)
		}
		if got := curl("-X", "DELETE", base+"/head"); got != "hello" {
			t.Errorf("%s: receiving gave %q", option, got)
		}
		lines := "{\"body\":\"1\"}\n{\"body\":\"2\"}\n"
		got := curl("-H", "Content-Type: application/x-ndjson", "--data-binary", lines, base+"/batch")
		if strings.Count(got, `"status":201`) != 2 {
			t.Errorf("%s: a batch of lines gave %s", option, got)
		}
		location := ""
		for line := range strings.Lines(curl("-D", "-", "-X", "POST", base+"/head")) {
			if name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); strings.EqualFold(name, "Location") {
				location = strings.TrimPrefix(value, "/v1/default/jobs/messages")
			}
		}
		curl("-X", "POST", base+location+"/renew?lock=60")
		curl("-X", "DELETE", base+location)
		if got := curl("-X", "DELETE", base+"/head?max=10"); !strings.Contains(got, `"body":"2"`) {
			t.Errorf("%s: the rest is %s", option, got)
		}
	}
}

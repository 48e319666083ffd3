//go:build interop

package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// transports are the ways in which curl speaks to the door.
var transports = map[string]string{
	"HTTP/1.1": "--http1.1",
	"HTTP/2":   "--http2-prior-knowledge",
}

// status makes a request with curl and gives the answer's status, and nothing else of it.
func status(t *testing.T, args ...string) string {
	t.Helper()
	return ask(t, "curl", append([]string{"-sS", "-o", os.DevNull, "-w", "%{http_code}"}, args...)...)
}

// allBytes makes a file of every byte there is, of which text tools lose some.
func allBytes(t *testing.T) (file string, content []byte) {
	t.Helper()
	for i := range 256 {
		content = append(content, byte(i))
	}
	file = filepath.Join(t.TempDir(), "all bytes")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, content
}

func TestCurlTakesWhatWasSentOnce(t *testing.T) {
	need(t, "mosquitto_pub", "curl")
	g := start(t, t.TempDir())
	senders := map[string]func(t *testing.T, transport string){
		"curl": func(t *testing.T, transport string) {
			code := status(t, transport, "-H", "Content-Type: text/x-greeting", "-d", "hello", g.messages("jobs"))
			if code != "201" {
				t.Fatalf("sending gave %s", code)
			}
		},
		"mosquitto_pub": func(t *testing.T, _ string) {
			ask(t, "mosquitto_pub", g.mqtt(t, "-V", "mqttv5", "-q", "1", "-t", "jobs", "-m", "hello",
				"-D", "publish", "content-type", "text/x-greeting")...)
		},
	}
	for sender, send := range senders {
		for version, transport := range transports {
			t.Run(sender+" and "+version, func(t *testing.T) {
				send(t, transport)
				answer := ask(t, "curl", "-sSi", transport, "-X", "POST", g.messages("jobs")+"/head")
				head, body, _ := strings.Cut(answer, "\r\n\r\n")
				if !strings.HasPrefix(head, version+" 200") || body != "hello" ||
					!strings.Contains(strings.ToLower(head)+"\r\n", "\r\ncontent-type: text/x-greeting\r\n") {
					t.Fatalf("received\n%s", answer)
				}
				lock := "http://" + g.doors["http"] + location.FindStringSubmatch(answer)[1]
				for _, want := range []string{"204", "404"} {
					if code := status(t, transport, "-X", "DELETE", lock); code != want {
						t.Errorf("removing gave %s, want %s", code, want)
					}
				}
				if code := status(t, transport, "-X", "POST", g.messages("jobs")+"/head?timeout=0"); code != "204" {
					t.Errorf("the second receive gave %s", code)
				}
			})
		}
	}
}

func TestMosquittoSubscriberHearsCurl(t *testing.T) {
	need(t, "mosquitto_sub", "curl")
	g := start(t, t.TempDir())
	file, content := allBytes(t)
	for _, mqtt := range versions {
		for version, transport := range transports {
			t.Run(version+" to "+mqtt, func(t *testing.T) {
				subscriber := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"},
					g.mqtt(t, "-V", mqtt, "-d", "-q", "1", "-t", "telemetry/#", "-F", "%t %x")...)...)
				subscriber.await(t, "Subscribed")
				if code := status(t, transport, "--data-binary", "@"+file, g.messages("telemetry/kitchen")); code != "201" {
					t.Fatalf("sending gave %s", code)
				}
				subscriber.await(t, "telemetry/kitchen "+hex.EncodeToString(content))
			})
		}
	}
}

func TestCurlStreamHearsBinaryPayloads(t *testing.T) {
	need(t, "mosquitto_pub", "curl")
	g := start(t, t.TempDir())
	file, content := allBytes(t)
	stream := strings.TrimSuffix(g.messages("telemetry/%23"), "messages") + "stream"
	for _, mqtt := range versions {
		for version, transport := range transports {
			t.Run(mqtt+" to "+version, func(t *testing.T) {
				events := inBackground(t, "curl", "-sSN", transport, stream)
				events.await(t, "the route is live")
				ask(t, "mosquitto_pub", g.mqtt(t, "-V", mqtt, "-q", "1", "-t", "telemetry/photo", "-f", file)...)
				events.await(t, `{"address":"telemetry/photo","bodyBase64":"`+base64.StdEncoding.EncodeToString(content)+`"}`)
			})
		}
	}
}

func TestBinaryPayloadComesBackFromTheQueue(t *testing.T) {
	need(t, "mosquitto_pub", "curl")
	g := start(t, t.TempDir())
	file, content := allBytes(t)
	for _, version := range versions {
		ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-t", "jobs", "-f", file)...)
		received := filepath.Join(t.TempDir(), "received")
		headers := ask(t, "curl", "-sS", "-D", "-", "-o", received, "-X", "POST", g.messages("jobs")+"/head")
		if got, err := os.ReadFile(received); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: received %x, %v", version, got, err)
		}
		g.remove(t, headers)
	}
}

// TestCurlDoesWhatTheDocumentShows runs curl as docs/http.md shows it, over each version of HTTP: without TLS by prior
// knowledge, with TLS by ALPN.
func TestCurlDoesWhatTheDocumentShows(t *testing.T) {
	need(t, "curl")
	from := gatewaytest.New(t)
	doors := startSecure(t, from)
	for _, c := range []struct{ scheme, option, version string }{
		{"http", "--http1.1", "1.1"},
		{"http", "--http2", "1.1"}, // asks to upgrade, which RFC 9113 has done away with
		{"http", "--http2-prior-knowledge", "2"},
		{"https", "--http1.1", "1.1"},
		{"https", "--http2", "2"},
		{"https", "--no-alpn", "1.1"},
	} {
		t.Run(c.scheme+" "+c.option, func(t *testing.T) {
			base := doors[c.scheme] + "/v1/default/jobs/documented/messages"
			curl := func(args ...string) string {
				t.Helper()
				return ask(t, "curl", append([]string{"-sS", "--fail-with-body", "--cacert", from.File, c.option}, args...)...)
			}
			if got := curl("-d", "hello", "-w", "%{http_version} %{http_code}", base); got != c.version+" 201" {
				t.Errorf("sending gave %s, want version %s", got, c.version)
			}
			if got := curl("-X", "DELETE", base+"/head"); got != "hello" {
				t.Errorf("receiving gave %q", got)
			}
			lines := "{\"body\":\"1\"}\n{\"body\":\"2\"}\n"
			got := curl("-H", "Content-Type: application/x-ndjson", "--data-binary", lines, base+"/batch")
			if strings.Count(got, `"status":201`) != 2 {
				t.Errorf("a batch of lines gave %s", got)
			}
			found := location.FindStringSubmatch(curl("-D", "-", "-X", "POST", base+"/head"))
			if found == nil {
				t.Fatal("no Location")
			}
			curl("-X", "POST", doors[c.scheme]+found[1]+"/renew?lock=60")
			curl("-X", "DELETE", doors[c.scheme]+found[1])
			if got := curl("-X", "DELETE", base+"/head?max=10"); !strings.Contains(got, `"body":"2"`) {
				t.Errorf("the rest is %s", got)
			}
		})
	}
}

package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"

	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/gateway/config"
)

func TestCoAPDefaultsAreThoseOfTheDoor(t *testing.T) {
	c := config.Default()
	got, want := coapLimits(&c.CoAP, c.DrainTimeout), coap.DefaultLimits()
	want.Datagram.MaxObservations, want.Stream.MaxObservations = want.MaxObservations, want.MaxObservations
	want.Stream.MaxExchanges = want.Datagram.MaxExchanges
	want.DTLS.MaxSessions = want.MaxPeers + want.DTLS.MaxHandshakes
	if got != want {
		t.Errorf("the configuration's defaults give\n%+v\nthe door has\n%+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// askCoAP makes a request and checks the code of its answer, of which it gives the body.
func askCoAP(
	ctx context.Context, t *testing.T, conn mux.Conn, want, code codes.Code, path string, body []byte, queries ...string,
) (answer *pool.Message, text []byte) {
	t.Helper()
	request, err := coapRequest(ctx, conn, code, strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		request.AddQuery(q)
	}
	if body != nil {
		request.SetBody(bytes.NewReader(body))
	}
	if answer, err = conn.Do(request); err != nil {
		t.Fatalf("%v %s: %v", code, path, err)
	}
	if text, err = answer.ReadBody(); err != nil {
		t.Fatal(err)
	}
	if answer.Code() != want {
		t.Fatalf("%v %s is answered %v %q, want %v", code, path, answer.Code(), text, want)
	}
	return answer, text
}

func TestCoAPOverUDPAndTCP(t *testing.T) {
	for _, door := range []string{"coap", "coap+tcp"} {
		t.Run(door, func(t *testing.T) {
			c := quickstart(t)
			c.Limits.MaxMessageSize = 512 << 10
			doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn := dialCoAP(t, doors, door)

			large := bytes.Repeat([]byte("0123456789abcdef"), 200_000/16)
			askCoAP(ctx, t, conn, codes.Changed, codes.POST, "/a/jobs", large)
			answer, body := askCoAP(ctx, t, conn, codes.Content, codes.POST, "/q/jobs/head", nil)
			if !bytes.Equal(body, large) {
				t.Errorf("%d bytes came back, want %d", len(body), len(large))
			}
			location, err := answer.Options().LocationPath()
			if err != nil {
				t.Fatal(err)
			}
			askCoAP(ctx, t, conn, codes.Deleted, codes.DELETE, location, nil)
			askCoAP(ctx, t, conn, codes.Changed, codes.POST, "/q/jobs/head", nil, "timeout=0")

			seen := make(chan string, 10)
			observation, err := conn.Observe(ctx, "/a/telemetry/room", func(m *pool.Message) {
				text, err := m.ReadBody()
				if err == nil {
					seen <- string(text)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"", "1", "2"} {
				if text != "" {
					askCoAP(ctx, t, conn, codes.Changed, codes.PUT, "/a/telemetry/room", []byte(text))
				}
				select {
				case got := <-seen:
					if got != text {
						t.Errorf("observed %q, want %q", got, text)
					}
				case <-ctx.Done():
					t.Fatalf("%q is not observed", text)
				}
			}
			if err := observation.Cancel(ctx); err != nil {
				t.Error(err)
			}
			if _, got := askCoAP(ctx, t, conn, codes.Content, codes.GET, "/a/telemetry/room", nil); string(got) != "2" {
				t.Errorf("the topic has kept %q, want 2", got)
			}
		})
	}
}

func TestMetricsTellOfCoAP(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := dialCoAP(t, doors, "coap")
	askCoAP(ctx, t, conn, codes.NotFound, codes.GET, "/nowhere", nil)
	_, page := get(t, "http://"+doors["admin"]+"/metrics")
	for _, line := range []string{
		`manifold_connections{protocol="coap"} 1`, "manifold_coap_requests_total 1",
		`manifold_coap_requests_refused_total{reason="not found"} 1`,
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("the metrics have no line %s", line)
		}
	}
}

package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/tcp/coder"
)

// TestStopTellsWhoWaitsOverUDP: an observation ends with 5.03, and so does a receive for which nothing has come.
func TestStopTellsWhoWaitsOverUDP(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	observed, received := make(chan codes.Code, 10), make(chan codes.Code, 1)
	t.Run("until the stop", func(life *testing.T) {
		doors := startOn(life, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
		u := &coapUser{ctx: ctx, t: t, conn: dialCoAP(t, doors, "coap")}
		request := u.request(codes.GET, "a/telemetry/#", "")
		request.SetObserve(0)
		if _, err := u.conn.DoObserve(request, func(m *pool.Message) { observed <- m.Code() }); err != nil {
			t.Fatal(err)
		}
		receive := u.request(codes.POST, "q/jobs/head", "", "timeout=60")
		go func() {
			code := codes.Empty
			if answer, err := u.conn.Do(receive); err == nil {
				code = answer.Code()
			}
			received <- code
		}()
		untilRequests(t, doors, 2)
	})
	for _, c := range []struct {
		what string
		came <-chan codes.Code
		want codes.Code
	}{
		{"the first answer", observed, codes.Content},
		{"the end of the observation", observed, codes.ServiceUnavailable},
		{"the end of the receive", received, codes.ServiceUnavailable},
	} {
		select {
		case code := <-c.came:
			if code != c.want {
				t.Errorf("%s: %v", c.what, code)
			}
		case <-ctx.Done():
			t.Errorf("%s does not come", c.what)
		}
	}
}

// untilRequests returns when so many requests have come over CoAP.
func untilRequests(t *testing.T, doors map[string]string, n int) {
	t.Helper()
	for page := ""; !strings.Contains(page, fmt.Sprintf("\nmanifold_coap_requests_total %d\n", n)); {
		_, page = get(t, "http://"+doors["admin"]+"/metrics")
	}
}

// TestStopTellsWhoWaitsOverTCP is the same with a client that reads all that is written before the end, which go-coap does
// not.
func TestStopTellsWhoWaitsOverTCP(t *testing.T) {
	var conn net.Conn
	t.Run("until the stop", func(life *testing.T) {
		doors := startOn(life, vfs.NewMem(), quickstart(t), slog.New(slog.DiscardHandler))
		var err error
		if conn, err = net.Dial("tcp", doors["coap+tcp"]); err != nil {
			t.Fatal(err)
		}
		path := func(levels ...string) (o message.Options) {
			for _, level := range levels {
				o = append(o, message.Option{ID: message.URIPath, Value: []byte(level)})
			}
			return o
		}
		observe := append(message.Options{{ID: message.Observe}}, path("a", "telemetry", "#")...)
		receive := append(path("q", "jobs", "head"), message.Option{ID: message.URIQuery, Value: []byte("timeout=60")})
		for _, m := range []message.Message{
			{Code: codes.CSM},
			{Code: codes.GET, Token: message.Token("o"), Options: observe},
			{Code: codes.POST, Token: message.Token("r"), Options: receive},
		} {
			b := make([]byte, 100)
			n, err := coder.DefaultCoder.Encode(m, b)
			if err == nil {
				_, err = conn.Write(b[:n])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		untilRequests(t, doors, 2)
	})
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	ends := make(map[string]codes.Code)
	for len(rest) > 0 {
		var h coder.MessageHeader
		if _, err := coder.DefaultCoder.DecodeHeader(rest, &h); err != nil {
			t.Fatal(err)
		}
		ends[string(h.Token)], rest = h.Code, rest[h.MessageLength:]
	}
	if ends["o"] != codes.ServiceUnavailable || ends["r"] != codes.ServiceUnavailable {
		t.Errorf("observation and receive end with %v", ends)
	}
}

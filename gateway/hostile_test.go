package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/manifoldmq/manifold/gateway/config"
)

// attack is what somebody writes to a door who means no good.
type attack struct {
	door, name string
	opening    string
	drips      bool // and then a byte at a time, for as long as the door bears it
}

// connect is an MQTT 3.1.1 CONNECT without a client identifier.
const connect = "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"

// preface is what an HTTP/2 client begins with (RFC 9113 section 3.4), with empty settings.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func attacks(garbage string) []attack {
	const post = "POST /v1/default/jobs/messages HTTP/1.1\r\nHost: x\r\n"
	return []attack{
		{"mqtt", "garbage", garbage, false},
		{"mqtt", "nothing", "", false},
		{"mqtt", "another protocol", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"mqtt", "slow CONNECT", "\x10\x7f\x00\x04MQTT\x04\x02\x00\x3c\x00\x71", true},
		{"mqtt", "CONNECT of 256 MiB", "\x10\xff\xff\xff\x7f\x00\x04MQTT", true},
		{"mqtt", "remaining length without end", "\x10\xff\xff\xff\xff\xff\xff\xff\xff", false},
		{"mqtt", "PUBLISH before CONNECT", "\x30\x06\x00\x04jobsx", false},
		{"mqtt", "garbage after CONNECT", connect + garbage, false},
		{"mqtt", "PUBLISH of 256 MiB", connect + "\x32\xff\xff\xff\x7f\x00\x04jobs\x00\x01", true},
		{"mqtt", "topic longer than its packet", connect + "\x32\x07\xff\xffjobs\x00", false},
		{"mqtt", "second CONNECT", connect + connect, false},

		{"http", "garbage", garbage, false},
		{"http", "nothing", "", false},
		{"http", "another protocol", connect, false},
		{"http", "slow headers", "GET / HTTP/1.1\r\nX-Slow: ", true},
		{"http", "headers without end", post + strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\r\n", 1000), false},
		{"http", "slow body", post + "Content-Length: 100000\r\n\r\n", true},
		{"http", "body of 8 EiB", post + "Content-Length: 9223372036854775807\r\n\r\n", true},
		{"http", "chunk of 16 EiB", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", true},
		{"http", "two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", false},
		{"http", "HTTP/2 and nothing", preface, false},
		{"http", "HTTP/2 and garbage", preface + garbage, false},
		{"http", "HTTP/2 frame of 16 MiB", preface + "\xff\xff\xff\x01\x04\x00\x00\x00\x01", true},
		{"http", "HTTP/2 header block without end", preface + "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82", true},

		{"coap+tcp", "garbage", garbage, false},
		{"coap+tcp", "nothing", "", false},
		{"coap+tcp", "another protocol", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"coap+tcp", "slow greeting", "\xd0\x7f\xe1", true},
		{"coap+tcp", "message of 4 GiB", "\x00\xe1\xf0\xff\xff\xff\xff\x02", false},
		{"coap+tcp", "garbage after the greeting", "\x00\xe1" + garbage, false},
		{"coap+tcp", "option longer than its message", "\x00\xe1\x30\x02\xbe\xff\xff", false},
		{"coap+tcp", "critical option of a signal", "\x00\xe1\x10\xe1\x90", false},

		{"admin", "garbage", garbage, false},
		{"admin", "headers without end", strings.Repeat("GET /metrics HTTP/1.1\r\n", 10_000), false},
		{"admin", "body of 8 EiB", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n", false},
	}
}

// staying are attacks that the admin door bears longer than a test lasts: a stop ends them.
var staying = []attack{
	{"admin", "nothing", "", false},
	{"admin", "slow headers", "GET / HTTP/1.1\r\nX-Slow: ", true},
	{"admin", "slow body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", true},
}

// patience is how long the doors of the test bear a slow client: longer than one that behaves well is ever held up by a machine
// that has much else to do.
const patience = 3 * time.Second

func impatient(c config.Config) config.Config {
	c.MQTT.ConnectTimeout, c.MQTT.WriteTimeout = patience, patience
	c.HTTP.HeaderTimeout, c.HTTP.BodyTimeout = patience, patience
	c.HTTP.WriteTimeout, c.HTTP.IdleTimeout = patience, patience
	c.CoAP.GreetingTimeout, c.CoAP.CloseTimeout, c.CoAP.WriteTimeout = patience, patience, patience
	return c
}

// TestHostileClientsHarmNobodyElse attacks every door at once. Each attacker is cut off, a well-behaved client is
// served all the time, nothing panics, and in the end nothing is left.
func TestHostileClientsHarmNobodyElse(t *testing.T) {
	before := goleak.IgnoreCurrent()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var log bytes.Buffer
	t.Run("attack", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), impatient(quickstart(t)), slog.New(slog.NewTextHandler(&log, nil)))
		var leaving, remaining sync.WaitGroup
		t.Cleanup(remaining.Wait)
		for _, a := range staying {
			remaining.Go(func() { a.run(t.Context(), t, doors) })
		}
		for _, a := range attacks(randomBytes(seed, 1<<16)) {
			for range 4 {
				leaving.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if a.run(ctx, t, doors); errors.Is(ctx.Err(), context.DeadlineExceeded) {
						t.Errorf("%s, %s: it was not cut off", a.door, a.name)
					}
				})
			}
		}
		over := make(chan struct{})
		go func() { leaving.Wait(); close(over) }()
		behave(t, doors, over)
	})
	if strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log has\n%s", log.String())
	}
	goleak.VerifyNone(t, before)
}

func randomBytes(seed uint64, n int) string {
	random := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return string(b)
}

// run attacks until the door or ctx ends it.
func (a attack) run(ctx context.Context, t *testing.T, doors map[string]string) {
	conn, err := net.Dial("tcp", doors[a.door])
	if err != nil {
		t.Errorf("%s, %s: %v", a.door, a.name, err)
		return
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var writing sync.WaitGroup
	writing.Go(func() { a.write(conn) })
	io.Copy(io.Discard, conn)
	conn.Close()
	writing.Wait()
}

func (a attack) write(w io.Writer) {
	_, err := io.WriteString(w, a.opening)
	if !a.drips {
		return
	}
	drip := time.NewTicker(patience / 20)
	defer drip.Stop()
	for err == nil {
		<-drip.C
		_, err = io.WriteString(w, "x")
	}
}

// behave sends over MQTT, receives over HTTP and reads the admin door, again and again until over.
func behave(t *testing.T, doors map[string]string, over <-chan struct{}) {
	publisher := dialMQTT(t, mqtt5, doors["mqtt"], "", func(arrival) {})
	client, admin := newHTTPClient(t, doors["http"]), newHTTPClient(t, doors["admin"])
	served := 0
	for ; ; served++ {
		select {
		case <-over:
			t.Logf("%d exchanges meanwhile", served)
			if served == 0 {
				t.Error("nobody was served meanwhile")
			}
			return
		default:
		}
		if err := exchange(t.Context(), publisher, client, admin, fmt.Sprint(served)); err != nil {
			t.Fatalf("exchange %d: %v", served, err)
		}
	}
}

func exchange(ctx context.Context, publisher mqttClient, client, admin *httpClient, text string) error {
	if err := publisher.publish("jobs", letter{payload: []byte(text)}, false); err != nil {
		return err
	}
	p, err := client.ask(ctx, http.MethodPost, pathOf("default", "jobs", "messages/head?timeout=5"), nil, nil)
	if err != nil || string(p.body) != text {
		return fmt.Errorf("received status %d, %q, %w", p.code, p.body, err)
	}
	if p, err = client.ask(ctx, http.MethodDelete, p.header.Get("Location"), nil, nil); p.code != http.StatusNoContent {
		return fmt.Errorf("settling gave status %d, %w", p.code, err)
	}
	if p, err = admin.ask(ctx, http.MethodGet, "/readyz", nil, nil); p.code != http.StatusOK {
		return fmt.Errorf("the admin door gave status %d, %w", p.code, err)
	}
	return nil
}

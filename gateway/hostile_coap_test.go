package gateway

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"go.uber.org/goleak"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// flood is what somebody sends to a door of datagrams again and again who means no good. In it every "?" is random, and so
// is what follows.
type flood struct{ door, name, datagram string }

var floods = []flood{
	{"coap", "garbage", ""},
	{"coap", "requests with garbage for options", "\x44\x02??????"},
	{"coap", "nothing but confirmable requests", "\x44\x01??????\xb1a\x04jobs\xff"},
	{"coap", "observations without end", "\x44\x01??????\x60\x51a\x09telemetry\x01x\xff"},
	{"coap", "beginnings of bodies", "\x44\x02??????\xb1a\x04jobs\xd1\x03\x0e\xff"}, // block 0 of 1024 bytes, more to come
	{"coap", "ends of bodies", "\x44\x02??????\xb1a\x04jobs\xd3\x03\xff\xff\xf6\xff"},
	{"coap", "acknowledgements of nothing", "\x60\x00??"},
	{"coap", "resets of nothing", "\x70\x00??"},
	{"coaps", "garbage", ""},
	{"coaps", "handshakes of garbage", "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00??\x00\x40\x01\x00\x00\x34\x00\x00\x00\x00\x00\x34"},
	{"coaps", "records of no session", "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00??\x00\x40"},
}

// make gives one of its datagrams.
func (f flood) make(random *rand.Rand) []byte {
	p := append([]byte(f.datagram), make([]byte, random.IntN(1200))...)
	for i := range p {
		if i >= len(f.datagram) || p[i] == '?' {
			p[i] = byte(random.Uint32())
		}
	}
	return p
}

// run sends a thousand a second until ctx ends.
func (f flood) run(ctx context.Context, t *testing.T, doors map[string]string, random *rand.Rand) {
	conn, err := net.Dial("udp", doors[f.door])
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
			conn.Write(f.make(random)) // an error is of a datagram before
		case <-ctx.Done():
			return
		}
	}
}

// TestFloodsOfDatagramsHarmNobodyElse: meanwhile a well-behaved client is served, nothing panics, and in the end nothing is
// left.
func TestFloodsOfDatagramsHarmNobodyElse(t *testing.T) {
	before := goleak.IgnoreCurrent()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var log bytes.Buffer
	t.Run("attack", func(t *testing.T) {
		c := quickstart(t)
		c.TLS = gatewaytest.New(t).Settings("none")
		c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
		c.DrainTimeout = patience // the attackers do not acknowledge that the gateway stops
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, over := context.WithTimeout(t.Context(), time.Minute)
		var attackers sync.WaitGroup
		defer attackers.Wait()
		defer over()
		for i, f := range floods {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			attackers.Go(func() { f.run(ctx, t, doors, random) })
		}
		u := &coapUser{ctx: ctx, t: t, conn: dialCoAP(t, doors, "coap")}
		for i := range 50 {
			text := fmt.Sprint(i)
			u.ask(codes.Changed, codes.POST, "a/jobs", text)
			location, got := u.ask(codes.Content, codes.POST, "q/jobs/head", "", "timeout=10")
			if got != text {
				t.Fatalf("received %q, want %q", got, text)
			}
			u.ask(codes.Deleted, codes.DELETE, location, "")
		}
	})
	if strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log has\n%s", log.String())
	}
	goleak.VerifyNone(t, before)
}

package mqtt

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// BenchmarkThroughTheDoor is a message of 256 bytes from the bytes of its publisher to the bytes for its subscriber,
// without the sockets.
func BenchmarkThroughTheDoor(b *testing.B) {
	for _, c := range []struct {
		name    string
		publish []byte // fixed header and what precedes the payload
		answer  int    // bytes for the publisher
	}{
		{"QoS0", []byte("\x30\x8a\x02\x00\x08alerts/x"), 0},
		{"QoS1", []byte("\x32\x8c\x02\x00\x08alerts/x\x00\x01"), 4},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := benchServer(b)
			publisher, subscriber := connected(b, s, "p"), connected(b, s, "s")
			feed(b, subscriber, []byte("\x82\x0d\x00\x01\x00\x08alerts/x\x00"))
			packet := append(c.publish, make([]byte, 256)...)
			buffer := subscriber.Flush(make([]byte, 0, 1024))
			b.ReportAllocs()
			for b.Loop() {
				feed(b, publisher, packet)
				if n := len(publisher.Flush(buffer[:0])); n != c.answer {
					b.Fatalf("%d bytes for the publisher, want %d", n, c.answer)
				}
				if n := len(subscriber.Flush(buffer[:0])); n < 256 {
					b.Fatalf("%d bytes for the subscriber", n)
				}
			}
		})
	}
}

func benchServer(b *testing.B) *Server {
	b.Helper()
	user := routertest.User(b, "default", routertest.Define(b, "alerts/#", addressing.Broadcast))
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		b.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	s, err := New(Config{
		Router:    router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Broadcast: direct}),
		Directory: directory, Sessions: new(shelf), Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler),
		Driver: transport.NewDriver(transport.Options{}),
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func connected(b *testing.B, s *Server, id string) *conn {
	b.Helper()
	nc, _ := net.Pipe()
	c := newConn(s, nc, s.newLogin(b.Context(), nc), func() {}, time.Now())
	feed(b, c, []byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"+id))
	c.login.end() // so that the verdict is there
	c.Flush(nil)
	return c
}

func feed(b *testing.B, c *conn, p []byte) {
	if err := c.Feed(time.Time{}, p); err != nil {
		b.Fatal(err)
	}
}

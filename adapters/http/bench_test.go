package http

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// BenchmarkFanOut sends one message to many event streams over loopback; an operation is one delivery.
func BenchmarkFanOut(b *testing.B) {
	const streams = 500
	d := newDoor(b, Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.server.Serve(ctx, ln) })
	arrived := make(chan struct{}, streams)
	for range streams {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprint(conn, "GET /v1/acme/news/a/stream HTTP/1.1\r\nHost: door\r\n\r\n")
		running.Go(func() {
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "data:") || strings.HasPrefix(lines.Text(), ": the") {
					arrived <- struct{}{}
				}
			}
			conn.Close()
		})
	}
	for range streams {
		<-arrived
	}
	heard := make(outcome, 1)
	sender, err := d.router.Sender(ctx, d.principal("acme"), router.Target{Address: "news/a"}, heard)
	if err != nil {
		b.Fatal(err)
	}
	l := letter{priority: 4}
	l.properties.ContentType = "text/plain"
	message, err := l.delivery([]byte(strings.Repeat("x", 100)), false, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%streams == 0 {
			sender.Send(0, message)
			<-heard
		}
		<-arrived
	}
	stop()
	running.Wait()
}

package udp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// rival is another server to measure beside, such as libcoap's coap-server with a resource now.
var rival = flag.String("rival", "", "host:port of a CoAP server that BenchmarkPost also sends the same to, as PUT")

// BenchmarkPost has clients with so many requests under way each; the figure is for a request with its answer.
func BenchmarkPost(b *testing.B) {
	if *rival != "" {
		b.Run("rival", func(b *testing.B) {
			to, err := net.ResolveUDPAddr("udp", *rival)
			if err != nil {
				b.Fatal(err)
			}
			bombard(b, to, b.N, request(codes.PUT, "now", "12345678", make([]byte, 64)))
		})
	}
	for _, lanes := range []int{1, 2} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) {
			s, _ := serve(b, newHouse(), func(o *Options) { o.Lanes = lanes })
			bombard(b, net.UDPAddrFromAddrPort(s.Address()), b.N, request(codes.POST, "now", "12345678", make([]byte, 64)))
		})
	}
}

// bombard sends n requests from a few sockets with a window each, and waits for their answers.
func bombard(b *testing.B, to *net.UDPAddr, n int, m message.Message) {
	const sockets, window = 4, 16
	m.MessageID = 1
	p := make([]byte, 2000)
	size, err := coder.DefaultCoder.Encode(m, p)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var clients sync.WaitGroup
	for i := range sockets {
		conn, err := net.DialUDP("udp", nil, to)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		clients.Go(func() {
			if err := volley(conn, bytes.Clone(p[:size]), uint32(i), n/sockets+1, window); err != nil {
				b.Error(err)
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "requests/s")
}

// volley sends n requests with batches, so many before an answer at most. Those of which nothing is heard are lost, and made
// up for.
func volley(conn *net.UDPConn, p []byte, token uint32, n, window int) error {
	out, in := newBatch(conn, 2048), newBatch(conn, 2048)
	serial, underway := uint32(0), 0
	for heard := 0; heard < n; {
		for ; underway < min(window, n-heard) && !out.full(); underway++ {
			serial++
			binary.BigEndian.PutUint16(p[2:], uint16(serial))
			binary.BigEndian.PutUint32(p[4:], serial)
			binary.BigEndian.PutUint32(p[8:], token)
			out.add(p, nil, nil)
		}
		out.write()
		if err := conn.SetReadDeadline(time.Now().Add(lost)); err != nil {
			return err
		}
		messages, err := in.read()
		switch {
		case err == nil:
			heard += len(messages)
			underway = max(0, underway-len(messages))
		case errors.Is(err, os.ErrDeadlineExceeded):
			underway = 0
		default:
			return err
		}
	}
	return nil
}

// lost is how long an answer may take.
const lost = 200 * time.Millisecond

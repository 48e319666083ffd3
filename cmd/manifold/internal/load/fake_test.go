package load

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// fakeBroker is the smallest MQTT server that a load run accepts, with one place to make it misbehave.
type fakeBroker struct {
	t        *testing.T
	listener net.Listener
	wg       sync.WaitGroup

	// deliver says what subscribers get for the n-th PUBLISH (from 0) of the connection it came on; nil: that packet.
	deliver func(n int, packet []byte) [][]byte
	// acknowledge says whether the n-th PUBLISH gets its PUBACK; nil: it does.
	acknowledge func(n int) bool
	refuse      bool          // answer CONNECT with "not authorized"
	connack     []byte        // answer CONNECT with this, whatever it is; nil: an answer of MQTT 3.1.1
	deny        bool          // answer SUBSCRIBE with a failure
	answered    chan struct{} // hears of each PINGRESP, if it is there
	hangUpAfter int           // close a connection that has published this often; 0: never

	mu          sync.Mutex // guards everything below
	subscribers map[string][]*fakeConn
	conns       []net.Conn
	published   int
	acked       int
}

type fakeConn struct {
	mu        sync.Mutex // guards writing and nextID
	conn      net.Conn
	nextID    uint16
	published int
}

// start listens until the test ends.
func (b *fakeBroker) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.t, b.listener, b.subscribers = t, l, map[string][]*fakeConn{}
	b.wg.Go(b.accept)
	t.Cleanup(func() {
		l.Close()
		b.mu.Lock()
		for _, c := range b.conns {
			c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return l.Addr().String()
}

// seen is how many PUBLISH packets have come so far.
func (b *fakeBroker) seen() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.published
}

func (b *fakeBroker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns = append(b.conns, conn)
		b.mu.Unlock()
		b.wg.Go(func() {
			defer conn.Close()
			b.serve(&fakeConn{conn: conn})
		})
	}
}

func (b *fakeBroker) serve(c *fakeConn) {
	buf, have := make([]byte, 1<<20), 0
	for {
		n, err := c.conn.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		at := 0
		for {
			f, err := nextPacket(buf[at:have], len(buf))
			if err != nil {
				b.t.Errorf("the driver sent a corrupt frame: %v", err)
				return
			}
			if f.size == 0 {
				break
			}
			if !b.handle(c, f, buf[at:at+f.size]) {
				return
			}
			at += f.size
		}
		have = copy(buf, buf[at:have])
	}
}

// handle answers one packet and says whether the connection goes on.
func (b *fakeBroker) handle(c *fakeConn, f packet, packet []byte) bool {
	switch f.first & typeMask {
	case packetConnect:
		code := byte(0)
		if b.refuse {
			code = 5
		}
		answer := []byte{packetConnack, 2, 0, code}
		if b.connack != nil {
			answer = b.connack
		}
		c.write(answer)
	case packetSubscribe & typeMask:
		b.subscribe(c, f)
	case packetPublish:
		return b.publish(c, f, packet)
	case packetPuback:
		b.mu.Lock()
		b.acked++
		b.mu.Unlock()
	case packetPingreq:
		c.write([]byte{packetPingresp, 0})
		if b.answered != nil {
			b.answered <- struct{}{}
		}
	case packetDisconnect:
		return false
	}
	return true
}

func (b *fakeBroker) subscribe(c *fakeConn, f packet) {
	var codes []byte
	for rest := f.body[2:]; len(rest) > 0; {
		size := int(rest[0])<<8 | int(rest[1])
		filter, qos := string(rest[2:2+size]), rest[2+size]
		rest = rest[3+size:]
		b.mu.Lock()
		key := filter + "\x00" + string('0'+rune(qos))
		b.subscribers[key] = append(b.subscribers[key], c)
		b.mu.Unlock()
		if b.deny {
			qos = 0x80
		}
		codes = append(codes, qos)
	}
	suback := appendLength([]byte{packetSuback}, 2+len(codes))
	c.write(append(append(suback, f.body[:2]...), codes...))
}

func (b *fakeBroker) publish(c *fakeConn, f packet, packet []byte) bool {
	n := c.published
	c.published++
	b.mu.Lock()
	b.published++
	b.mu.Unlock()
	if b.hangUpAfter > 0 && c.published > b.hangUpAfter {
		return false
	}
	packets := [][]byte{packet}
	if b.deliver != nil {
		packets = b.deliver(n, packet)
	}
	for _, p := range packets {
		b.forward(p)
	}
	if id, _, _ := f.publish(); id != 0 && (b.acknowledge == nil || b.acknowledge(n)) {
		c.write(appendPuback(nil, id))
	}
	return true
}

// forward sends a PUBLISH to everybody who subscribed to its topic, with the QoS of the subscription.
func (b *fakeBroker) forward(packet []byte) {
	f, err := nextPacket(packet, len(packet))
	if err != nil {
		b.t.Errorf("forwarding: %v", err)
		return
	}
	_, payload, _ := f.publish()
	topic := string(f.body[2 : 2+int(f.body[0])<<8+int(f.body[1])])
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, conns := range b.subscribers {
		filter, qos, _ := strings.Cut(key, "\x00")
		if filter != topic {
			continue
		}
		for _, c := range conns {
			c.push(topic, int(qos[0]-'0'), payload)
		}
	}
}

func (c *fakeConn) push(topic string, qos int, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := appendLength([]byte{packetPublish | byte(qos<<qosShift)}, 2+len(topic)+2*qos+len(payload))
	out = appendString(out, topic)
	if qos > 0 {
		c.nextID = c.nextID%maxWindow + 1
		out = append(out, byte(c.nextID>>8), byte(c.nextID))
	}
	_, _ = c.conn.Write(append(out, payload...))
}

func (c *fakeConn) write(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.conn.Write(p)
}

package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// IdleConfig describes a fleet of connections that do nothing. The zero value of a field means the default named
// beside it.
type IdleConfig struct {
	Address     string // host:port of the server under test
	Username    string
	Password    string
	ClientID    string // prefix of every client identifier; default "idle"
	Topic       string // connection i subscribes to Topic/i with QoS 0; default "idle"
	Connections int

	// Sources is how many loopback addresses (127.0.0.1 and up) the connections are spread over, so that a
	// fleet can be larger than one address has ports; default 1, which leaves the choice to the kernel.
	Sources int
	// ServerPID names a process on this machine whose memory is measured before and after; 0 means none.
	ServerPID int
	// Settle is how long the server gets to put its memory in order before it is measured again.
	Settle time.Duration
}

func (c IdleConfig) withDefaults() IdleConfig {
	if c.ClientID == "" {
		c.ClientID = "idle"
	}
	if c.Topic == "" {
		c.Topic = "idle"
	}
	if c.Sources == 0 {
		c.Sources = 1
	}
	return c
}

// Validate reports what is wrong with c.
func (c IdleConfig) Validate() error {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	const maxSources = 250
	switch {
	case c.Connections < 1:
		return fmt.Errorf("%d connections: at least one is needed", c.Connections)
	case c.Sources < 0 || c.Sources > maxSources:
		return fmt.Errorf("%d source addresses: must be 1 to %d", c.Sources, maxSources)
	case c.Settle < 0:
		return fmt.Errorf("settle time %v is negative", c.Settle)
	}
	return nil
}

// IdleResult is what a fleet cost.
type IdleResult struct {
	Connections int           `json:"connections"`
	Opening     time.Duration `json:"openingNanos"`             // from the first connect to the last SUBACK
	Answering   int           `json:"answering"`                // connections that answered a ping after Settle
	Before      uint64        `json:"residentBefore,omitempty"` // bytes of the server without the fleet
	After       uint64        `json:"residentAfter,omitempty"`  // bytes of the server with it, after Settle
}

// PerConnection is how many resident bytes of the server one idle connection costs.
func (r IdleResult) PerConnection() float64 {
	return (float64(r.After) - float64(r.Before)) / float64(max(r.Connections, 1))
}

// WriteJSON writes r as one JSON object.
func (r IdleResult) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes r for a person.
func (r IdleResult) WriteText(w io.Writer) error {
	t := &table{w: w}
	t.row("connections", "%d, %d of them answered a ping", r.Connections, r.Answering)
	t.row("opened in", "%.2f s  %.0f/s", r.Opening.Seconds(), float64(r.Connections)/r.Opening.Seconds())
	if r.After > 0 {
		t.row("server memory", "%.0f bytes/connection (%d KiB before, %d KiB after)",
			r.PerConnection(), r.Before>>10, r.After>>10)
	}
	return t.err
}

// Fleet is a number of open, subscribed, idle MQTT connections. It has no goroutine of its own. Its methods are
// for one goroutine at a time.
type Fleet struct {
	conns  []net.Conn
	result IdleResult
}

// OpenIdle opens the fleet, lets the server settle and measures it. The caller closes the fleet.
func OpenIdle(ctx context.Context, c IdleConfig) (_ *Fleet, err error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := raiseDescriptors(c.Connections); err != nil {
		return nil, err
	}
	f := &Fleet{conns: make([]net.Conn, c.Connections), result: IdleResult{Connections: c.Connections}}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if f.result.Before, err = serverMemory(c.ServerPID); err != nil {
		return nil, err
	}
	start := time.Now()
	err = inParallel(ctx, c.Connections, func(ctx context.Context, i int) (err error) {
		if f.conns[i], err = openIdleOne(ctx, c, i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	f.result.Opening = time.Since(start)
	if err := pause(ctx, c.Settle); err != nil {
		return nil, err
	}
	if f.result.After, err = serverMemory(c.ServerPID); err != nil {
		return nil, err
	}
	f.result.Answering, err = f.Ping(ctx)
	return f, err
}

// Result is what the fleet cost when it was opened.
func (f *Fleet) Result() IdleResult { return f.result }

// Ping asks every connection for an answer and returns how many gave one.
func (f *Fleet) Ping(ctx context.Context) (answering int, err error) {
	var n atomic.Int64
	err = inParallel(ctx, len(f.conns), func(_ context.Context, i int) error {
		if ping(f.conns[i]) == nil {
			n.Add(1)
		}
		return nil
	})
	return int(n.Load()), err
}

// Close ends all connections.
func (f *Fleet) Close() {
	for _, conn := range f.conns {
		if conn != nil {
			farewell(conn)
			conn.Close()
		}
	}
}

func openIdleOne(ctx context.Context, c IdleConfig, i int) (net.Conn, error) {
	var source net.Addr
	if c.Sources > 1 {
		source = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%c.Sources))}
	}
	id := fmt.Sprintf("%s-%d", c.ClientID, i)
	conn, err := dial(ctx, c.Address, source, appendConnect(nil, id, c.Username, c.Password))
	if err != nil {
		return nil, err
	}
	filter := fmt.Sprintf("%s/%d", c.Topic, i)
	request := appendSubscribe(nil, 1, 0, filter)
	const subackSize = 5
	suback, err := ask(conn, request, subackSize)
	if err == nil {
		err = suback.subackError([]string{filter}, 0)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe: %w", broken(err))
	}
	return conn, nil
}

func ping(conn net.Conn) error {
	const pingrespSize = 2
	f, err := ask(conn, appendPingreq(nil), pingrespSize)
	if err != nil {
		return err
	}
	if f.first != packetPingresp {
		return errFrameCorrupt
	}
	return nil
}

// ask sends a request and reads an answer whose size is known.
func ask(conn net.Conn, request []byte, size int) (frame, error) {
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return frame{}, err
	}
	if _, err := conn.Write(request); err != nil {
		return frame{}, err
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return frame{}, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return frame{}, err
	}
	return nextFrame(answer, size)
}

func serverMemory(pid int) (uint64, error) {
	if pid == 0 {
		return 0, nil
	}
	n, err := residentBytes(pid)
	if err != nil {
		return 0, fmt.Errorf("server's memory: is there a process %d? %w", pid, err)
	}
	return n, nil
}

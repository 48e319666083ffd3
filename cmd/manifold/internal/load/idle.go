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
	Protocol Protocol // default MQTT
	Address  string   // host:port of the server under test
	Username string
	Password string
	ClientID string // prefix of every client identifier, or container-id; default "idle"
	Tenant   string // HTTP only: whose addresses are used; default "default"
	Host     string // STOMP only: the virtual host that is named; default "/"
	// Topic is the prefix of what connection i uses, Topic/i; default "idle". In MQTT it subscribes to it with QoS 0, in
	// STOMP with ack:auto, in AMQP it has a link to it and another one from it, in HTTP it watches its stream, and in CoAP it
	// observes that path.
	Topic       string
	Connections int
	// Broadcast is how many messages all connections hear in the end; MQTT and CoAP only. With any, all of them subscribe to
	// Topic itself.
	Broadcast int
	// Hear has another fleet with the same Topic and Broadcast publish, at the same server or at one that is connected to it; MQTT only.
	Hear bool
	// Secure makes each connection a DTLS session with the pre-shared key Password for the identity Username, which sends
	// one request to its Topic and does nothing else; CoAP only.
	Secure bool
	// Move has every second connection change its port in the end, and be answered there; with Secure only.
	Move bool

	// Sources is how many loopback addresses (127.0.0.1 and up) the connections are spread over, so that a
	// fleet can be larger than one address has ports; default 1, which leaves the choice to the kernel. With more, as many
	// endpoints of CoAP share a socket, so that a fleet can be larger than a process may have files open.
	Sources int
	// FirstSource is the first of them, 1 for 127.0.0.1; default 1. Fleets that share addresses share their ports too.
	FirstSource int
	// ServerPID names a process on this machine whose memory is measured before and after; 0 means none.
	ServerPID int
	// Settle is how long the server gets to put its memory in order before it is measured again.
	Settle time.Duration
}

func (c IdleConfig) withDefaults() IdleConfig {
	if c.Protocol == "" {
		c.Protocol = MQTT
	}
	if c.ClientID == "" {
		c.ClientID = "idle"
	}
	if c.Tenant == "" {
		c.Tenant = defaultTenant
	}
	if c.Host == "" {
		c.Host = defaultHost
	}
	if c.Topic == "" {
		c.Topic = "idle"
	}
	if c.Sources == 0 {
		c.Sources = 1
	}
	if c.FirstSource == 0 {
		c.FirstSource = 1
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
	case c.Protocol.validate() != nil:
		return c.Protocol.validate()
	case c.Connections < 1:
		return fmt.Errorf("%d connections: at least one is needed", c.Connections)
	case c.Sources < 0 || c.Sources > maxSources:
		return fmt.Errorf("%d source addresses: must be 1 to %d", c.Sources, maxSources)
	case c.FirstSource < 0 || c.FirstSource+c.Sources > maxSources+1:
		return fmt.Errorf("%d source addresses from number %d on: the last is number %d", c.Sources, c.FirstSource, maxSources)
	case c.Settle < 0:
		return fmt.Errorf("settle time %v is negative", c.Settle)
	case c.Broadcast < 0 || c.Broadcast > maxBroadcast:
		return fmt.Errorf("a broadcast of %d messages: must be 0 to %d", c.Broadcast, maxBroadcast)
	case c.Broadcast > 0 && (c.Protocol != MQTT && c.Protocol != CoAP || c.Secure):
		return fmt.Errorf("only MQTT connections and those who observe can hear a broadcast")
	case c.Hear && (c.Protocol != MQTT || c.Broadcast == 0):
		return fmt.Errorf("only MQTT connections with a broadcast can hear that of others")
	case c.Secure && c.Protocol != CoAP:
		return fmt.Errorf("only CoAP endpoints can have DTLS sessions")
	case c.Move && !c.Secure:
		return fmt.Errorf("only DTLS sessions can move")
	}
	return nil
}

// IdleResult is what a fleet cost.
type IdleResult struct {
	Connections int           `json:"connections"`
	Began       time.Time     `json:"began"`
	Opening     time.Duration `json:"openingNanos"`             // from the first connect to the last answer
	Answering   int           `json:"answering"`                // connections that answered a ping after Settle
	Before      uint64        `json:"residentBefore,omitempty"` // bytes of the server without the fleet
	After       uint64        `json:"residentAfter,omitempty"`  // bytes of the server with it, after Settle
	Broadcast   *Broadcast    `json:"broadcast,omitempty"`
	Moved       int           `json:"moved,omitempty"`    // connections that changed their port
	Returned    int           `json:"returned,omitempty"` // of them, those that were answered there
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
	if r.Broadcast != nil {
		r.Broadcast.write(t)
	}
	if r.Moved > 0 {
		t.row("moved", "%d to another port, %d of them answered there", r.Moved, r.Returned)
	}
	return t.err
}

// idler is one idle connection, in the words of one protocol.
type idler interface {
	// open connects and returns when the server has granted what the connection is for.
	open(ctx context.Context, source net.Addr) error
	// ping asks the server for an answer, and waits for it.
	ping(ctx context.Context) error
	// beat sends a heartbeat if one is due.
	beat() error
	farewell()
	close()
}

// Fleet is a number of open, subscribed, idle connections. It has no goroutine of its own, but for what reads the sockets
// that several CoAP endpoints share, and DTLS. Its methods are for one goroutine at a time.
type Fleet struct {
	idlers []idler
	result IdleResult
}

// OpenIdle opens the fleet, lets the server settle and measures it. The caller closes the fleet.
func OpenIdle(ctx context.Context, c IdleConfig) (_ *Fleet, err error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := raiseDescriptors(c.sockets()); err != nil {
		return nil, err
	}
	f := &Fleet{result: IdleResult{Connections: c.Connections}}
	f.idlers = newIdlers(c)
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if f.result.Before, err = serverMemory(c.ServerPID); err != nil {
		return nil, err
	}
	start := time.Now()
	f.result.Began = start
	err = inParallel(ctx, c.Connections, func(ctx context.Context, i int) error {
		return who("connection", i, f.idlers[i].open(ctx, c.source(i)))
	})
	if err != nil {
		return nil, err
	}
	f.result.Opening = time.Since(start)
	if err := f.Hold(ctx, c.Settle); err != nil {
		return nil, err
	}
	if f.result.After, err = serverMemory(c.ServerPID); err != nil {
		return nil, err
	}
	if f.result.Answering, err = f.Ping(ctx); err != nil {
		return f, err
	}
	if c.Broadcast > 0 {
		f.result.Broadcast, err = f.broadcast(ctx, c)
	}
	if c.Move && err == nil {
		err = f.move(ctx)
	}
	return f, err
}

// Result is what the fleet cost when it was opened.
func (f *Fleet) Result() IdleResult { return f.result }

// Hold lets time pass, in which nothing is sent but the heartbeats that the server asks for.
func (f *Fleet) Hold(ctx context.Context, d time.Duration) error {
	const look = time.Second
	for end := time.Now().Add(d); ; {
		if err := pause(ctx, min(look, time.Until(end))); err != nil {
			return err
		}
		if !time.Now().Before(end) {
			return nil
		}
		for _, one := range f.idlers {
			_ = one.beat() // who is gone does not answer the ping
		}
	}
}

// Ping asks every connection for an answer and returns how many gave one.
func (f *Fleet) Ping(ctx context.Context) (answering int, err error) {
	var n atomic.Int64
	err = inParallel(ctx, len(f.idlers), func(ctx context.Context, i int) error {
		if f.idlers[i].ping(ctx) == nil {
			n.Add(1)
		}
		return nil
	})
	return int(n.Load()), err
}

// mover is an idle connection that can change its port.
type mover interface {
	// move goes to another port, and waits for an answer there.
	move(ctx context.Context) error
}

// move has every second connection change its port.
func (f *Fleet) move(ctx context.Context) error {
	f.result.Moved = (len(f.idlers) + 1) / 2
	var n atomic.Int64
	err := inParallel(ctx, f.result.Moved, func(ctx context.Context, i int) error {
		if f.idlers[2*i].(mover).move(ctx) == nil {
			n.Add(1)
		}
		return nil
	})
	f.result.Returned = int(n.Load())
	return err
}

// Close ends all connections.
func (f *Fleet) Close() {
	for _, one := range f.idlers {
		one.farewell()
		one.close()
	}
}

// newIdlers gives all connections, not yet open.
func newIdlers(c IdleConfig) []idler {
	if c.Protocol == CoAP {
		return newCoAPIdlers(c)
	}
	var all []idler
	for i := range c.Connections {
		all = append(all, newIdler(c, i))
	}
	return all
}

// newIdler gives connection i, not yet open.
func newIdler(c IdleConfig, i int) idler {
	switch {
	case c.Protocol == AMQP:
		return &amqpIdler{config: c, number: i}
	case c.Protocol == STOMP:
		return &stompIdler{config: c, number: i}
	case c.Protocol.isHTTP():
		return newHTTPIdler(c, i)
	default:
		return &mqttIdler{config: c, number: i}
	}
}

func (c IdleConfig) httpDoor() httpDoor {
	return httpDoor{protocol: c.Protocol, address: c.Address, tenant: c.Tenant, username: c.Username,
		password: c.Password, atOnce: 1}
}

// source is where connection i comes from; nil lets the kernel choose.
func (c IdleConfig) source(i int) net.Addr {
	if c.Sources <= 1 && c.FirstSource <= 1 {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(c.FirstSource+i%c.Sources))}
}

// sockets is how many the fleet needs.
func (c IdleConfig) sockets() int {
	if c.Protocol == CoAP && !c.Secure {
		return (c.Connections + c.Sources - 1) / c.Sources
	}
	return c.Connections
}

// name is the client identifier or container-id of connection i.
func (c IdleConfig) name(i int) string { return fmt.Sprintf("%s-%d", c.ClientID, i) }

// topic is what connection i uses.
func (c IdleConfig) topic(i int) string {
	if c.Broadcast > 0 {
		return c.Topic
	}
	return fmt.Sprintf("%s/%d", c.Topic, i)
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

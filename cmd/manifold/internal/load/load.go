// Package load puts MQTT 3.1.1 traffic on a server and measures what the server does with it.
//
// A client library costs more CPU than the servers it would measure, so this driver works on the wire: it writes
// batches of PUBLISH packets that were encoded once, finds incoming packets by their fixed header alone, and
// acknowledges everything of one read with one write.
//
// Its promises: every message carries a number, and each one that is lost, doubled or out of order is counted.
// The loop is closed: a publisher is never further ahead of the slowest subscriber than Config.Outstanding, so a
// server that drops messages does it on its own account. A run ends in bounded time whatever the server does.
// Nothing is shared between runs; Run and OpenIdle may be called concurrently.
package load

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Run connects to the server, sends traffic as c says and returns what it saw. It returns an error when c is
// invalid, a connection is refused or breaks, or ctx ends; loss is not an error but a number in the Result.
func Run(ctx context.Context, c Config) (Result, error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	if err := raiseDescriptors(c.Publishers + c.Subscribers); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := newRun(c, cancel)
	defer r.close()
	if err := r.connect(ctx); err != nil {
		return Result{}, err
	}
	defer context.AfterFunc(ctx, r.cut)()
	r.startReaders()
	window, err := r.measure(ctx)
	if err != nil {
		return Result{}, err
	}
	r.close()
	return r.result(window), nil
}

// run is one load run: its connections and the goroutines on them.
type run struct {
	config      Config
	id          uint32
	epoch       time.Time
	publishers  []*publisher
	subscribers []*subscriber

	counting atomic.Bool // the measured window is open
	over     atomic.Bool // connections end because we say so
	fail     context.CancelCauseFunc
	closing  sync.Once
	readers  sync.WaitGroup
	writers  sync.WaitGroup
}

func newRun(c Config, fail context.CancelCauseFunc) *run {
	return &run{config: c, id: rand.Uint32(), epoch: time.Now(), fail: fail}
}

// connect opens all connections, subscribers first, and has every subscription granted before it returns.
func (r *run) connect(ctx context.Context) error {
	c := r.config
	for i := range c.Publishers {
		r.publishers = append(r.publishers, r.newPublisher(i))
	}
	for i := range c.Subscribers {
		r.subscribers = append(r.subscribers, r.newSubscriber(i))
	}
	if err := inParallel(ctx, c.Subscribers, r.connectSubscriber); err != nil {
		return err
	}
	return inParallel(ctx, c.Publishers, r.connectPublisher)
}

func (r *run) newPublisher(i int) *publisher {
	c := r.config
	p := &publisher{
		gate: newGate(), batch: c.batch(), rate: c.Rate, epoch: r.epoch,
		plate: newPlate(c.batch(), c.publishTopic(i), c.PublishQoS, c.PayloadSize, r.id, uint32(i)),
	}
	if c.Topics > 0 {
		p.plate.spread(c.Topics)
	}
	if c.PublishQoS == 1 {
		p.ackMeter = p.gate.add(c.Window)
	}
	return p
}

func (r *run) newSubscriber(i int) *subscriber {
	c := r.config
	from, to := c.hears(i)
	s := &subscriber{
		run: r.id, epoch: r.epoch, qos: c.SubscribeQoS, first: uint32(from), streams: make([]stream, to-from),
		counting: &r.counting,
	}
	for p := from; p < to; p++ {
		s.streams[p-from].meter = r.publishers[p].gate.add(c.Outstanding)
	}
	if c.Latency {
		s.latency = hdrhistogram.New(latencyLowest, latencyHighest, latencyDigits)
	}
	return s
}

func (r *run) connectSubscriber(ctx context.Context, i int) error {
	c, s := r.config, r.subscribers[i]
	conn, err := dial(ctx, c.Address, nil, appendConnect(nil, r.clientID("s", i), c.Username, c.Password))
	if err != nil {
		return fmt.Errorf("subscriber %d: %w", i, err)
	}
	s.conn = conn
	// All read buffers together stay within a fixed budget, but each holds two messages.
	const budget, most, least = 64 << 20, 256 << 10, 8 << 10
	message := c.PayloadSize + len(c.Topic) + 64
	size := max(min(most, budget/c.Subscribers), least, 2*message)
	ahead := 1
	if !c.Latency {
		ahead = c.Outstanding / 4 * c.PayloadSize
	}
	s.reader = newBatchReader(conn, size, ahead)
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := s.subscribe(c.filters(i)); err != nil {
		return fmt.Errorf("subscriber %d: %w", i, cmp.Or(context.Cause(ctx), err))
	}
	return nil
}

func (r *run) connectPublisher(ctx context.Context, i int) error {
	c, p := r.config, r.publishers[i]
	conn, err := dial(ctx, c.Address, nil, appendConnect(nil, r.clientID("p", i), c.Username, c.Password))
	if err != nil {
		return fmt.Errorf("publisher %d: %w", i, err)
	}
	p.conn = conn
	const pubackSize, size = 4, 16 << 10
	p.ackReader = newBatchReader(conn, size, c.Window/4*pubackSize)
	return nil
}

func (r *run) clientID(role string, i int) string {
	return fmt.Sprintf("%s-%08x-%s%d", r.config.ClientID, r.id, role, i)
}

// startReaders starts a goroutine for everybody who reads. They end when the connections do.
func (r *run) startReaders() {
	for i, s := range r.subscribers {
		r.readers.Go(func() { r.ended("subscriber", i, s.receive()) })
	}
	for i, p := range r.publishers {
		if p.ackMeter != nil {
			r.readers.Go(func() { r.ended("publisher", i, p.readAcks()) })
		}
	}
}

// startWriters lets all publishers send up to goal more messages, until stop closes.
func (r *run) startWriters(goal uint64, stop <-chan struct{}) {
	for i, p := range r.publishers {
		if goal == unlimited {
			p.goal.Store(unlimited)
		} else {
			p.goal.Store(p.sent.Load() + goal)
		}
		r.writers.Go(func() { r.ended("publisher", i, p.publish(stop)) })
	}
}

// ended notes why a goroutine has ended; a connection that breaks by itself ends the run.
func (r *run) ended(role string, i int, err error) {
	if err != nil && !r.over.Load() {
		r.fail(fmt.Errorf("%s %d: %w", role, i, broken(err)))
	}
}

// cut ends all connections at once, whatever is going on on them.
func (r *run) cut() {
	r.over.Store(true)
	for _, p := range r.publishers {
		if p.conn != nil {
			p.conn.Close()
		}
	}
	for _, s := range r.subscribers {
		if s.conn != nil {
			s.conn.Close()
		}
	}
}

// close says goodbye and waits for all goroutines. Publishers must have been stopped. It may be called twice.
func (r *run) close() {
	r.closing.Do(func() {
		r.over.Store(true)
		for _, p := range r.publishers {
			farewell(p.conn)
		}
		for _, s := range r.subscribers {
			farewell(s.conn)
		}
		r.cut()
		r.writers.Wait()
		r.readers.Wait()
	})
}

// result adds up; the goroutines have ended.
func (r *run) result(w window) Result {
	begin, end := w.begin, w.end
	res := Result{
		Elapsed:      end.at.Sub(begin.at),
		Published:    end.sent - begin.sent,
		Acknowledged: end.acked - begin.acked,
		Delivered:    end.received - begin.received,
		DriverCPU:    end.driver - begin.driver,
	}
	if r.config.ServerPID != 0 {
		cpu := end.server - begin.server
		res.ServerCPU = &cpu
	}
	for _, p := range r.publishers {
		if p.ackMeter != nil {
			res.Unacknowledged += p.sent.Load() - p.acked.Load()
			res.Unexpected += p.acksTwice
		}
	}
	all := hdrhistogram.New(latencyLowest, latencyHighest, latencyDigits)
	for _, s := range r.subscribers {
		res.Foreign += s.foreign.Load()
		for i := range s.streams {
			l := &s.streams[i].ledger
			res.Lost += l.lost(r.publishers[int(s.first)+i].sent.Load())
			res.Duplicated += l.duplicated
			res.Misordered += l.misordered
		}
		if s.latency != nil {
			all.Merge(s.latency)
		}
	}
	if r.config.Latency {
		res.Latency = newLatency(all)
	}
	return res
}

// processUsage reads the CPU time of this process, and of the server if one is named.
func (r *run) processUsage() (driver, server time.Duration, err error) {
	driver, _ = cpuTime(os.Getpid()) // unknown is shown as none
	if r.config.ServerPID != 0 {
		if server, err = cpuTime(r.config.ServerPID); err != nil {
			return 0, 0, fmt.Errorf("server's CPU time: is there a process %d? %w", r.config.ServerPID, err)
		}
	}
	return driver, server, nil
}

// Package load puts MQTT 3.1.1, AMQP 1.0, STOMP 1.2, HTTP or CoAP traffic on a server and measures what the server does with it.
//
// A client library costs more CPU than the servers it would measure, so this driver works close to the wire: it writes
// batches of messages that were encoded once, and acknowledges everything of one read with one write. HTTP alone, where
// each message is a request, goes through a library. What a run does is the same for all protocols; what belongs to one
// of them is behind the interface line.
//
// Its promises: every message carries a number, and each one that is lost, doubled or out of order is counted.
// The loop is closed: a publisher is never further ahead of the slowest subscriber than Config.Outstanding, so a
// server that drops messages does it on its own account. A run ends in bounded time whatever the server does.
// Nothing is shared between runs; Run and OpenIdle may be called concurrently.
package load

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Run connects to the server, sends traffic as c says and returns what it saw. It returns an error when c is
// invalid, a connection is refused or breaks, or ctx ends; loss is not an error but a number in the Result.
func Run(ctx context.Context, c Config) (Result, error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	if err := raiseDescriptors(c.connections()); err != nil {
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
	stalled     []*mqttStalled
	tallies     []*tally // of each publisher, when subscribers share what it sends

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
	for i := range c.Stalled {
		r.stalled = append(r.stalled, r.newStalled(i))
	}
	err := inParallel(ctx, c.Subscribers, func(ctx context.Context, i int) error {
		return who("subscriber", i, r.subscribers[i].connect(ctx))
	})
	if err != nil {
		return err
	}
	err = inParallel(ctx, c.Stalled, func(ctx context.Context, i int) error {
		return who("stalled subscriber", i, r.stalled[i].connect(ctx))
	})
	if err != nil {
		return err
	}
	return inParallel(ctx, c.Publishers, func(ctx context.Context, i int) error {
		return who("publisher", i, r.publishers[i].connect(ctx))
	})
}

func (r *run) newPublisher(i int) *publisher {
	c := r.config
	p := &publisher{gate: newGate(), batch: c.batch(), rate: c.Rate, epoch: r.epoch, counting: &r.counting}
	if c.answered() {
		p.acks = &acks{meter: p.gate.add(c.Window)}
		if c.Latency && (c.Protocol == AMQP || c.Protocol == CoAP) {
			p.confirmations = newHistogram()
		}
	}
	if c.Layout == Workers && c.Subscribers > 0 {
		r.tallies = append(r.tallies, &tally{meter: p.gate.add(c.Outstanding)})
	}
	p.outlet = r.newOutlet(i, p)
	return p
}

func (r *run) newSubscriber(i int) *subscriber {
	c := r.config
	from, to := c.hears(i)
	s := &subscriber{
		run: r.id, epoch: r.epoch, first: uint32(from), streams: make([]stream, to-from), counting: &r.counting,
	}
	for p := from; p < to; p++ {
		if c.Layout == Workers {
			s.streams[p-from].share = &share{tally: r.tallies[p]}
		} else {
			s.streams[p-from].meter = r.publishers[p].gate.add(c.Outstanding)
		}
	}
	if c.Latency {
		s.latency = newHistogram()
	}
	s.line = r.newInlet(i, s)
	return s
}

func (r *run) clientID(role string, i int) string {
	return fmt.Sprintf("%s-%08x-%s%d", r.config.ClientID, r.id, role, i)
}

// who says whose error it is.
func who(role string, i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %d: %w", role, i, err)
}

// lines gives all connections.
func (r *run) lines() iter.Seq[line] {
	return func(yield func(line) bool) {
		for _, p := range r.publishers {
			if !yield(p) {
				return
			}
		}
		for _, s := range r.subscribers {
			if !yield(s) {
				return
			}
		}
		for _, s := range r.stalled {
			if !yield(s) {
				return
			}
		}
	}
}

// startReaders starts a goroutine for everybody who reads. They end when the connections do.
func (r *run) startReaders() {
	for i, s := range r.subscribers {
		r.readers.Go(func() { r.ended("subscriber", i, s.listen()) })
	}
	for i, p := range r.publishers {
		r.readers.Go(func() { r.ended("publisher", i, p.listen()) })
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
		r.fail(who(role, i, broken(err)))
	}
}

// cut ends all connections at once, whatever is going on on them.
func (r *run) cut() {
	r.over.Store(true)
	for l := range r.lines() {
		l.close()
	}
}

// close says goodbye and waits for all goroutines. Publishers must have been stopped. It may be called twice.
func (r *run) close() {
	r.closing.Do(func() {
		r.over.Store(true)
		for l := range r.lines() {
			l.farewell()
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
		Unordered:    r.config.unordered(),
	}
	if r.config.Ends > 0 {
		res.Beginning, res.Ending = w.beginning.rateSince(begin), end.rateSince(w.ending)
	}
	if r.config.ServerPID != 0 {
		cpu := end.server - begin.server
		res.ServerCPU, res.ServerPeak = &cpu, end.peak
	}
	confirmations, latency := newHistogram(), newHistogram()
	for _, p := range r.publishers {
		if p.confirmations != nil {
			confirmations.Merge(p.confirmations)
		}
		if a := p.acks; a != nil {
			res.Unacknowledged += p.sent.Load() - a.count.Load() - a.refused
			res.Unexpected += a.unexpected
			res.Refused += a.refused
			res.Repeated += a.repeated
		}
	}
	for i, t := range r.tallies {
		res.Lost += r.publishers[i].sent.Load() - t.unique
		res.Duplicated += t.duplicated
	}
	for _, s := range r.subscribers {
		res.Foreign += s.foreign.Load()
		for i := range s.streams {
			if share := s.streams[i].share; share != nil {
				res.Misordered += share.misordered
				continue
			}
			l := &s.streams[i].ledger
			res.Lost += l.lost(r.publishers[int(s.first)+i].sent.Load())
			res.Duplicated += l.duplicated
			res.Misordered += l.misordered
		}
		if s.latency != nil {
			latency.Merge(s.latency)
		}
	}
	if r.config.Latency && r.config.Subscribers > 0 {
		res.Latency = newLatency(latency)
	}
	if confirmations.TotalCount() > 0 {
		res.Confirmation = newLatency(confirmations)
	}
	return res
}

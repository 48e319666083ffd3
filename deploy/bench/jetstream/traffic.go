package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// traffic is one load run. Handlers of the client count; measure looks at what they have counted.
type traffic struct {
	config  config
	epoch   time.Time
	conns   []*nats.Conn
	streams []jetstream.JetStream // of the senders
	windows []chan struct{}       // of the senders: one element for each message under way
	ahead   chan struct{}         // one for each message that no receiver has yet; nil without receivers

	sent, acknowledged, delivered, refused atomic.Uint64

	counting atomic.Bool // the measured time is running
	mu       sync.Mutex  // guards the times
	answers  []time.Duration
	arrivals []time.Duration
}

// connect makes the stream and its consumer, and opens all connections.
func connect(ctx context.Context, c config) (*traffic, error) {
	t := &traffic{config: c, epoch: time.Now()}
	err := t.receive(ctx)
	for range c.senders {
		if err == nil {
			err = t.addSender()
		}
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *traffic) open() (*nats.Conn, error) {
	conn, err := nats.Connect("nats://"+t.config.server, nats.NoReconnect())
	if err == nil {
		t.conns = append(t.conns, conn)
	}
	return conn, err
}

// receive has all receivers pull from one consumer.
func (t *traffic) receive(ctx context.Context) error {
	c := t.config
	conn, err := t.open()
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: c.address, Subjects: []string{c.address},
		Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy})
	if err != nil || c.receivers == 0 {
		return err
	}
	t.ahead = make(chan struct{}, c.outstanding*c.senders)
	const consumer = "workers"
	_, err = js.CreateConsumer(ctx, c.address, jetstream.ConsumerConfig{Durable: consumer,
		AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 2 * c.outstanding * c.receivers})
	for range c.receivers {
		if err == nil {
			err = t.addReceiver(ctx, consumer)
		}
	}
	return err
}

func (t *traffic) addReceiver(ctx context.Context, name string) error {
	conn, err := t.open()
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	consumer, err := js.Consumer(ctx, t.config.address, name)
	if err != nil {
		return err
	}
	_, err = consumer.Consume(t.take, jetstream.PullMaxMessages(2*t.config.outstanding))
	return err
}

// take counts and acknowledges a message that has come.
func (t *traffic) take(m jetstream.Msg) {
	t.note(&t.arrivals, m.Data())
	if err := m.Ack(); err != nil {
		return // the connection has ended, and the message counts as lost
	}
	t.delivered.Add(1)
	select {
	case <-t.ahead:
	default: // it came twice
	}
}

func (t *traffic) addSender() error {
	window := make(chan struct{}, t.config.window)
	conn, err := t.open()
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(t.config.window+1),
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, m *nats.Msg, _ *jetstream.PubAck) {
			t.note(&t.answers, m.Data)
			t.acknowledged.Add(1)
			<-window
		}),
		jetstream.WithPublishAsyncErrHandler(func(jetstream.JetStream, *nats.Msg, error) {
			t.refused.Add(1)
			<-window
		}))
	t.streams, t.windows = append(t.streams, js), append(t.windows, window)
	return err
}

// stampSize is the room for when a message was due, at the head of its payload.
const stampSize = 8

// note records how long ago a message was due, if that is wanted.
func (t *traffic) note(times *[]time.Duration, payload []byte) {
	if !t.config.latency || !t.counting.Load() {
		return
	}
	took := time.Since(t.epoch) - time.Duration(binary.LittleEndian.Uint64(payload))
	t.mu.Lock()
	defer t.mu.Unlock()
	*times = append(*times, took)
}

// send publishes until ctx ends, as sender i.
func (t *traffic) send(ctx context.Context, i int) error {
	begin := time.Since(t.epoch)
	for n := 0; ; n++ {
		due := time.Since(t.epoch)
		if t.config.rate > 0 {
			due = begin + time.Duration(float64(n)/t.config.rate*float64(time.Second))
			time.Sleep(due - time.Since(t.epoch))
		}
		select {
		case t.windows[i] <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		if t.ahead != nil {
			select {
			case t.ahead <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		payload := make([]byte, t.config.size) // the client keeps it until the answer
		binary.LittleEndian.PutUint64(payload, uint64(due))
		if _, err := t.streams[i].PublishAsync(t.config.address, payload); err != nil {
			return err
		}
		t.sent.Add(1)
	}
}

// measure runs the traffic: warm-up, measured time, and what is late.
func (t *traffic) measure(ctx context.Context) (r result, err error) {
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var senders sync.WaitGroup
	for i := range t.config.senders {
		senders.Go(func() {
			if err := t.send(sending, i); err != nil {
				stop(fmt.Errorf("sender %d: %w", i, err))
			}
		})
	}
	if err := pause(sending, t.config.warmUp); err != nil {
		return r, err
	}
	begin, err := t.look()
	if err != nil {
		return r, err
	}
	t.counting.Store(true)
	if err := pause(sending, t.config.duration); err != nil {
		return r, err
	}
	t.counting.Store(false)
	end, err := t.look()
	if err != nil {
		return r, err
	}
	stop(nil)
	senders.Wait()
	if err := t.settle(ctx); err != nil {
		return r, err
	}
	return t.result(begin, end), nil
}

// settle returns when everything has arrived, or when nothing has moved for a while.
func (t *traffic) settle(ctx context.Context) error {
	const look, patience = 2 * time.Millisecond, 5 * time.Second
	last, since := uint64(0), time.Now()
	for {
		acknowledged, delivered := t.acknowledged.Load(), t.delivered.Load()
		done := acknowledged+t.refused.Load() == t.sent.Load() && (t.ahead == nil || delivered >= acknowledged)
		if now := acknowledged + delivered; now != last {
			last, since = now, time.Now()
		}
		if done || time.Since(since) > patience {
			return nil
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
}

func (t *traffic) result(begin, end snapshot) result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := result{
		Elapsed:        end.at.Sub(begin.at),
		Published:      end.sent - begin.sent,
		Acknowledged:   end.acknowledged - begin.acknowledged,
		Delivered:      end.delivered - begin.delivered,
		DriverCPU:      end.driver - begin.driver,
		ServerCPU:      end.server - begin.server,
		ServerPeak:     end.peak,
		Latency:        newLatency(t.arrivals),
		Confirmation:   newLatency(t.answers),
		Refused:        t.refused.Load(),
		Unacknowledged: t.sent.Load() - t.acknowledged.Load() - t.refused.Load(),
	}
	if t.ahead != nil {
		acknowledged, delivered := t.acknowledged.Load(), t.delivered.Load()
		r.Lost, r.Duplicated = acknowledged-min(acknowledged, delivered), delivered-min(acknowledged, delivered)
	}
	return r
}

func (t *traffic) close() {
	for _, c := range t.conns {
		c.Close()
	}
}

// pause waits for d, or for the end of ctx, which is an error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// window is the measured part of a run, as two snapshots of everything that counts up.
type window struct {
	begin, end        snapshot
	beginning, ending snapshot // the end of its first part and the begin of its last one, each as long as Config.Ends
}

type snapshot struct {
	at                    time.Time
	sent, acked, received uint64
	driver, server        time.Duration
	peak                  uint64
}

// measure runs the traffic: warm-up, measured window, and the time until everything sent has arrived.
func (r *run) measure(ctx context.Context) (window, error) {
	if r.config.Messages > 0 {
		return r.measureCount(ctx)
	}
	return r.measureDuration(ctx)
}

// measureDuration opens and closes the window while traffic flows.
func (r *run) measureDuration(ctx context.Context) (w window, err error) {
	stop := make(chan struct{})
	r.startWriters(unlimited, stop)
	defer func() { r.stopWriters(stop) }()
	if err := pause(ctx, r.config.WarmUp); err != nil {
		return w, err
	}
	if w.begin, err = r.open(); err != nil {
		return w, err
	}
	if err := r.passWindow(ctx, &w); err != nil {
		return w, err
	}
	if w.end, err = r.shut(); err != nil {
		return w, err
	}
	r.stopWriters(stop)
	stop = nil
	return w, r.settle(ctx)
}

// passWindow lets the window pass, and takes snapshots within it if those are asked for.
func (r *run) passWindow(ctx context.Context, w *window) (err error) {
	middle := r.config.Duration - 2*r.config.Ends
	if r.config.Ends == 0 {
		return pause(ctx, middle)
	}
	if err = pause(ctx, r.config.Ends); err != nil {
		return err
	}
	if w.beginning, err = r.snapshot(); err != nil {
		return err
	}
	if err = pause(ctx, middle); err != nil {
		return err
	}
	if w.ending, err = r.snapshot(); err != nil {
		return err
	}
	return pause(ctx, r.config.Ends)
}

// measureCount warms up, waits for silence, and measures until the last of the counted messages has arrived.
func (r *run) measureCount(ctx context.Context) (w window, err error) {
	if r.config.WarmUp > 0 {
		stop := make(chan struct{})
		r.startWriters(unlimited, stop)
		err := pause(ctx, r.config.WarmUp)
		r.stopWriters(stop)
		if err != nil {
			return w, err
		}
		if err := r.settle(ctx); err != nil {
			return w, err
		}
	}
	if w.begin, err = r.open(); err != nil {
		return w, err
	}
	stop := make(chan struct{})
	r.startWriters(r.config.Messages, stop)
	defer r.stopWriters(stop)
	if err := r.settle(ctx); err != nil {
		return w, err
	}
	w.end, err = r.shut()
	return w, err
}

// stopWriters ends the publishers where they are: what they have sent is all there will be. A nil stop means
// that it was done before. A write that a stuck server holds up gets Patience to end.
func (r *run) stopWriters(stop chan struct{}) {
	if stop == nil {
		return
	}
	close(stop)
	stuck := time.AfterFunc(r.config.Patience, r.cut)
	r.writers.Wait()
	stuck.Stop()
	for _, p := range r.publishers {
		p.goal.Store(p.sent.Load())
	}
}

// settle returns when everything has arrived, or when nothing has moved for as long as Patience. Looks are counted and not
// the time between them: a driver that the machine has held up does not blame the server for that.
func (r *run) settle(ctx context.Context) error {
	const look = 2 * time.Millisecond
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	still, last := time.Duration(0), r.progress()
	for !r.arrived() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		if p := r.progress(); p != last {
			still, last = 0, p
		} else if still += look; still >= r.config.Patience {
			return nil
		}
	}
	return nil
}

func (r *run) arrived() bool {
	for _, p := range r.publishers {
		if !p.arrived() {
			return false
		}
	}
	return !r.config.unordered() || r.complete()
}

// complete tells whether every subscriber has all that it is to hear: where messages may overtake each other, that the
// last has come says nothing of those before it.
func (r *run) complete() bool {
	for _, s := range r.subscribers {
		var due uint64
		for i := range s.streams {
			if s.streams[i].share != nil {
				return true // the tally of all subscribers counts each message
			}
			due += r.publishers[int(s.first)+i].sent.Load()
		}
		if s.received.Load() < due {
			return false
		}
	}
	return true
}

// progress is a number that changes whenever anything moves.
func (r *run) progress() uint64 {
	s := r.counters()
	return s.sent + s.acked + s.received
}

// open takes the snapshot at the start of the measured window.
func (r *run) open() (s snapshot, err error) {
	if s, err = r.snapshot(); err == nil {
		r.counting.Store(true)
	}
	return s, err
}

// shut takes the snapshot at its end.
func (r *run) shut() (snapshot, error) {
	r.counting.Store(false)
	return r.snapshot()
}

func (r *run) snapshot() (s snapshot, err error) {
	s = r.counters()
	s.at = time.Now()
	s.driver, _ = cpuTime(os.Getpid()) // unknown is shown as none
	if r.config.ServerPID == 0 {
		return s, nil
	}
	for _, pid := range append([]int{r.config.ServerPID}, r.config.AlsoPIDs...) {
		used, err := cpuTime(pid)
		peak, also := peakBytes(pid)
		if err := errors.Join(err, also); err != nil {
			return s, fmt.Errorf("server's CPU time and memory: is there a process %d? %w", pid, err)
		}
		s.server += used
		s.peak += peak
	}
	return s, nil
}

// rateSince is messages per second since an earlier snapshot: delivered ones, or without subscribers those acknowledged.
func (s snapshot) rateSince(earlier snapshot) float64 {
	n := s.received - earlier.received
	if n == 0 {
		n = s.acked - earlier.acked
	}
	return float64(n) / s.at.Sub(earlier.at).Seconds()
}

func (r *run) counters() (s snapshot) {
	for _, p := range r.publishers {
		s.sent += p.sent.Load()
		if p.acks != nil {
			s.acked += p.acks.count.Load()
		}
	}
	for _, sub := range r.subscribers {
		s.received += sub.received.Load()
	}
	return s
}

// pause waits for d, or for the end of ctx.
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

// farewellTime is how long a goodbye may wait for the socket.
const farewellTime = 20 * time.Millisecond

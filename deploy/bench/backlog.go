package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// backlogRun is what the scenario backlog measures: a queue is filled while nobody consumes, and emptied again.
type backlogRun struct {
	waiting uint64 // resident bytes when all messages wait

	restart   time.Duration // after a kill then, from start until it is ready; 0 when nobody asked
	restarted uint64        // resident bytes when it is

	drained
	resident uint64 // bytes, the most ever

	disk      uint64        // bytes, the most ever
	left      uint64        // bytes on disk when that was last looked at, after the last message was accepted
	reclaimed time.Duration // until then
}

// What is asked of a backlog.
const (
	backlogMemory   = 300 // MB, the most
	backlogEvenness = 0.8 // speed at the end of the backlog as a multiple of that at its start, at least
	backlogLeft     = 5   // percent of the most bytes on disk that are left, at most
)

// slowest is how long the load driver may take for a message of the backlog, on average.
const slowest = 100 * time.Microsecond

// backlogScenario is about Manifold alone.
func backlogScenario() scenario {
	return scenario{name: "backlog", about: "durable queue, filled and then drained", protocol: amqp, servers: []string{ours},
		place: queueTopic, args: parties(1, 0), size: smallSize, count: acknowledged, kind: backlog}
}

func backlogTargets(o options) []target {
	claim := fmt.Sprintf("%d messages of %d bytes into a queue and out again ", o.backlog, smallSize)
	return []target{
		{claim: claim + fmt.Sprintf("take at most %d MB resident throughout", backlogMemory), scenario: "backlog",
			of: backlogResident, limit: backlogMemory, format: "%.0f MB"},
		{claim: claim + fmt.Sprintf("go out at the end at no less than %g × the rate of the start", backlogEvenness),
			scenario: "backlog", of: evenness, limit: backlogEvenness, atLeast: true, format: "%.2f ×"},
		{claim: claim + fmt.Sprintf("leave at most %d %% of the most bytes on disk after %v", backlogLeft, reclaimTime),
			scenario: "backlog", of: diskLeft, limit: backlogLeft, format: "%.1f %%"},
	}
}

func backlogResident(_ scenario, s sample) float64 { return megabytes(s.Backlog.resident) }
func evenness(_ scenario, s sample) float64        { return s.Backlog.evenness() }
func diskLeft(_ scenario, s sample) float64        { return s.Backlog.percentLeft() }

// backlogTable is that of the scenario backlog.
func (b *bench) backlogTable(sc scenario) table {
	part := partOf(b.options.backlog)
	rows := []metric{
		{title: "messages/s into it, nobody consuming", format: "%.0f", of: rate},
		{title: "resident MB when all messages wait", format: "%.0f",
			of: func(_ scenario, s sample) float64 { return megabytes(s.Backlog.waiting) }},
		{title: fmt.Sprintf("messages/s out of it, the first %d", part), format: "%.0f",
			of: func(_ scenario, s sample) float64 { return s.Backlog.firstRate() }},
		{title: fmt.Sprintf("messages/s out of it, the last %d", part), format: "%.0f",
			of: func(_ scenario, s sample) float64 { return s.Backlog.lastRate() }},
		{title: "server CPU, µs per message, of the first of them", format: "%.2f",
			of: func(_ scenario, s sample) float64 { return micros(s.Backlog.first.cpu, uint64(part)) }},
		{title: "server CPU, µs per message, of the last of them", format: "%.2f",
			of: func(_ scenario, s sample) float64 { return micros(s.Backlog.last.cpu, uint64(part)) }},
		{title: "seconds until it is drained", format: "%.1f",
			of: func(_ scenario, s sample) float64 { return s.Backlog.whole.took.Seconds() }},
		{title: "most resident MB", format: "%.0f", of: backlogResident},
		{title: "most MB on disk", format: "%.0f",
			of: func(_ scenario, s sample) float64 { return megabytes(s.Backlog.disk) }},
		{title: "MB on disk after it is drained", format: "%.1f",
			of: func(_ scenario, s sample) float64 { return megabytes(s.Backlog.left) }},
		{title: "seconds until then", format: "%.1f",
			of: func(_ scenario, s sample) float64 { return s.Backlog.reclaimed.Seconds() }},
	}
	if b.options.kill {
		rows = append(rows,
			metric{title: "seconds from start to ready with all messages waiting, after kill -9", format: "%.2f",
				of: func(_ scenario, s sample) float64 { return s.Backlog.restart.Seconds() }},
			metric{title: "resident MB then", format: "%.0f",
				of: func(_ scenario, s sample) float64 { return megabytes(s.Backlog.restarted) }})
	}
	return b.list(sc, fmt.Sprintf("Backlog of %d durable messages in one queue", b.options.backlog), rows)
}

// backlogNote says how the figures of the scenario backlog come about.
func (b *bench) backlogNote(sc scenario) string {
	return fmt.Sprintf("%s: one run. One AMQP sender with 1,000 messages under way fills the queue, one receiver with a "+
		"credit of %d accepts each message as it comes. The most resident is VmHWM of the process; disk is what the file "+
		"system has allocated to the data, looked at every %v, and after the last message until %d %% of the full "+
		"queue's are left or %v have passed.", sc.name, drainCredit, diskPulse, backlogLeft, reclaimTime)
}

// percentLeft is how much of the disk has not been given back.
func (r backlogRun) percentLeft() float64 { return 100 * float64(r.left) / float64(max(r.disk, 1)) }

// measureBacklog fills a queue and drains it, with a look at the disk all the time.
func (b *bench) measureBacklog(ctx context.Context, sc scenario, s server, dir string) (got sample, err error) {
	g, err := configureBacklog(dir)
	if err != nil {
		return got, err
	}
	watched, stop := context.WithCancel(ctx)
	var (
		watch   sync.WaitGroup
		most    uint64
		blinded error
	)
	watch.Go(func() { most, blinded = mostOnDisk(watched, g.data) })
	got, err = b.fillAndDrain(ctx, sc, s, g)
	stop()
	watch.Wait()
	if err := errors.Join(err, blinded); err != nil {
		return got, err
	}
	got.Backlog.disk = most
	got.Misordered += got.Backlog.misplaced
	return got, nil
}

// fillAndDrain is measureBacklog but for the most bytes on disk.
func (b *bench) fillAndDrain(ctx context.Context, sc scenario, s server, g gateway) (got sample, err error) {
	p, err := launch(ctx, s, g.plan())
	if err != nil {
		return got, err
	}
	defer func() { p.stop() }()
	if got, err = b.fill(ctx, sc, s, p); err != nil {
		return got, fmt.Errorf("filling: %w", err)
	}
	r := &got.Backlog
	full, err := onDisk(g.data)
	if err != nil {
		return got, err
	}
	if r.resident, err = p.peak(); err != nil {
		return got, err
	}
	if b.options.kill {
		p.kill()
		again, err := launch(ctx, s, g.plan())
		if err != nil {
			return got, err
		}
		p = again
		if r.restart, r.restarted, err = p.recovered(ctx, g.admin); err != nil {
			return got, fmt.Errorf("recovering: %w", err)
		}
	}
	return got, r.drain(ctx, p, g, b.options.backlog, full*backlogLeft/100)
}

// drain empties the queue of n messages, and waits until the disk has no more than enough bytes.
func (r *backlogRun) drain(ctx context.Context, p *process, g gateway, n int, enough uint64) (err error) {
	if r.drained, err = drainQueue(ctx, p, queueTopic, n); err != nil {
		return fmt.Errorf("draining: %w", err)
	}
	if r.left, r.reclaimed, err = reclaim(ctx, g.data, enough); err != nil {
		return fmt.Errorf("looking at the disk: %w", err)
	}
	peak, err := p.peak()
	r.resident = max(r.resident, peak)
	return err
}

// configureBacklog declares the one queue.
func configureBacklog(dir string) (gateway, error) {
	var c strings.Builder
	declare(&c, queueTopic, "queue")
	return newGateway(dir, c.String())
}

// fill has the load driver send all messages while nobody consumes.
func (b *bench) fill(ctx context.Context, sc scenario, s server, p *process) (got sample, err error) {
	if got, err = b.drive(ctx, sc, s, p); err != nil {
		return got, err
	}
	if want := uint64(b.options.backlog); got.Acknowledged != want {
		return got, fmt.Errorf("%d of %d messages were acknowledged", got.Acknowledged, want)
	}
	got.Backlog.waiting, err = p.resident()
	return got, err
}

// recovered tells how long after its start the server was ready, and what it has in RAM then.
func (p *process) recovered(ctx context.Context, admin string) (took time.Duration, bytes uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := p.ready(ctx, admin); err != nil {
		return 0, 0, err
	}
	took = time.Since(p.started)
	bytes, err = p.resident()
	return took, bytes, err
}

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// manyQueues is what the scenario queues measures. Both times begin when the process is started.
type manyQueues struct {
	create    time.Duration // until the message of the last queue is acknowledged
	created   uint64        // resident bytes then
	recover   time.Duration // after a kill, until it is ready and queues have given their messages
	recovered uint64        // resident bytes then
	idle      uint64        // resident bytes after restTime without traffic, before the kill or after it: the more of both
}

// restTime is for a server to become idle when its clients have left.
const restTime = 5 * time.Second

// queueTargets are those of so many queues. From 100,000 on they are other ones.
func queueTargets(n int) []target {
	const (
		seconds = "%.2f s"
		memory  = "%.0f MB"
		many    = 100_000 // queues
	)
	claim := strconv.Itoa(n) + " queues declared with one message each "
	all := []target{{claim: claim + "are created in under 60 s", scenario: "queues", of: createTime, limit: 60, format: seconds}}
	if n >= many {
		return append(all,
			target{claim: claim + "recover at start in under 20 s", scenario: "queues", of: recoveryTime, limit: 20, format: seconds},
			target{claim: claim + "take under 300 MB when idle", scenario: "queues", of: idleMemory, limit: 300, format: memory})
	}
	return append(all,
		target{claim: claim + "recover at start in under 30 s", scenario: "queues", of: recoveryTime, limit: 30, format: seconds},
		target{claim: claim + "take under 500 MB when created", scenario: "queues", of: createMemory, limit: 500, format: memory},
		target{claim: claim + "take under 500 MB when recovered", scenario: "queues", of: recoveryMemory, limit: 500,
			format: memory})
}

func megabytes(bytes uint64) float64 { return float64(bytes) / 1e6 }

// measureQueues declares many queues, sends one message to each, kills the server and starts it again on its data.
func (b *bench) measureQueues(ctx context.Context, sc scenario, s server, dir string) (got sample, err error) {
	g, err := configureQueues(dir, b.options.queues)
	if err != nil {
		return got, err
	}
	if got, err = b.createQueues(ctx, sc, s, g); err != nil {
		return got, fmt.Errorf("creating: %w", err)
	}
	if err := b.recoverQueues(ctx, s, g, &got.Many); err != nil {
		return got, fmt.Errorf("recovering: %w", err)
	}
	return got, nil
}

// createQueues runs the server until every queue has its message, and kills it.
func (b *bench) createQueues(ctx context.Context, sc scenario, s server, g gateway) (got sample, err error) {
	p, err := launch(ctx, s, g.plan())
	if err != nil {
		return got, err
	}
	defer p.kill()
	if got, err = b.drive(ctx, sc, s, p); err != nil {
		return got, err
	}
	got.Many.create = time.Since(p.started)
	if want := uint64(b.options.queues); got.Acknowledged != want {
		return got, fmt.Errorf("%d of %d messages were acknowledged", got.Acknowledged, want)
	}
	if got.Many.created, err = p.resident(); err != nil {
		return got, err
	}
	got.Many.idle, err = p.rested(ctx)
	return got, err
}

// recoverQueues runs the server on what a killed one has left.
func (b *bench) recoverQueues(ctx context.Context, s server, g gateway, m *manyQueues) error {
	p, err := launch(ctx, s, g.plan())
	if err != nil {
		return err
	}
	defer p.stop()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := p.ready(ctx, g.admin); err != nil {
		return err
	}
	const probes = 10
	n := b.options.queues
	for i := range probes {
		if err := probe(ctx, g.http, i*n/probes, n); err != nil {
			return err
		}
	}
	m.recover = time.Since(p.started)
	if m.recovered, err = p.resident(); err != nil {
		return err
	}
	idle, err := p.rested(ctx)
	m.idle = max(m.idle, idle)
	return err
}

// rested is what the server has in RAM when nobody has asked anything for restTime.
func (p *process) rested(ctx context.Context) (bytes uint64, err error) {
	if err := rest(ctx); err != nil {
		return 0, err
	}
	return p.resident()
}

// rest lets restTime pass.
func rest(ctx context.Context) error {
	timer := time.NewTimer(restTime)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// ready returns once the server says at its admin door that it takes clients.
func (p *process) ready(ctx context.Context, admin string) error {
	retry := time.NewTicker(retryTime)
	defer retry.Stop()
	for {
		status, _, err := ask(ctx, http.MethodGet, "http://"+admin+"/readyz")
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %v\n%s", p.cmd.ProcessState, p.output)
		case <-ctx.Done():
			return fmt.Errorf("not ready: status %d, %w", status, errors.Join(err, context.Cause(ctx)))
		case <-retry.C:
		}
	}
}

// sequenceAt is where the load driver's payload has its number, little-endian.
const sequenceAt = 8

// probe takes the message of queue i of n over HTTP and looks whether it is the one that was sent there.
func probe(ctx context.Context, door string, i, n int) error {
	queue := queueName(i, n)
	status, body, err := ask(ctx, http.MethodPost, "http://"+door+"/v1/default/"+queue+"/messages/head?timeout=30")
	switch {
	case err != nil:
		return fmt.Errorf("queue %s: %w", queue, err)
	case status != http.StatusOK:
		return fmt.Errorf("queue %s has no message: status %d", queue, status)
	case len(body) != smallSize || binary.LittleEndian.Uint64(body[sequenceAt:]) != uint64(i):
		return fmt.Errorf("queue %s has a message that was not sent there", queue)
	}
	return nil
}

// ask makes one request and reads the whole answer.
func ask(ctx context.Context, method, url string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

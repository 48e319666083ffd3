//go:build interop

package soak

import (
	"context"
	"time"
)

// outlet publishes letters of a stream, over one connection at a time.
type outlet interface {
	open(ctx context.Context, doors map[string]string) error
	// send publishes letters, notes each that is acknowledged, and returns when all are.
	send(ctx context.Context, letters []letter) error
	close()
}

// publisher is a worker that publishes bursts.
type publisher struct {
	outlet
	stream *stream
	name   string
}

func (p *publisher) String() string { return p.name }

func (p *publisher) work(l *life) error {
	if l.last {
		return nil
	}
	select {
	case <-l.opened:
	case <-l.ctx.Done():
	}
	clock := time.NewTicker(pace)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
		case <-l.ctx.Done():
			return l.ctx.Err()
		}
		if p.stream.crowded() {
			continue
		}
		if err := p.send(l.ctx, p.stream.write(burst)); err != nil {
			return err
		}
	}
}

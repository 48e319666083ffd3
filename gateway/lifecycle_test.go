package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// fakeDoor tells when it serves and when it drains, and ends when it is let go.
func fakeDoor(draining, release chan struct{}) door {
	return door{name: "fake", serve: func(ctx context.Context, _ net.Listener) error {
		<-ctx.Done()
		close(draining)
		<-release
		return nil
	}}
}

func newLifecycle(doors ...door) *lifecycle {
	return &lifecycle{doors: doors, admin: new(adminDoor), log: slog.New(slog.DiscardHandler)}
}

func readiness(d *adminDoor) int {
	answer := httptest.NewRecorder()
	d.handler(http.NotFoundHandler(), http.NotFoundHandler()).ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
	return answer.Code
}

func TestReadinessEndsBeforeDrainDoes(t *testing.T) {
	draining, release := make(chan struct{}), make(chan struct{})
	l := newLifecycle(fakeDoor(draining, release))
	if code := readiness(l.admin); code != http.StatusServiceUnavailable {
		t.Errorf("before the start /readyz answers %d", code)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	started := make(chan struct{})
	go func() { ended <- l.run(ctx, func() { close(started) }) }()
	<-started
	if code := readiness(l.admin); code != http.StatusOK {
		t.Errorf("while it serves /readyz answers %d", code)
	}
	stop()
	<-draining
	close(release)
	if err := <-ended; err != nil {
		t.Errorf("a stop ended with %v", err)
	}
	if code := readiness(l.admin); code != http.StatusServiceUnavailable {
		t.Errorf("after the stop /readyz answers %d", code)
	}
}

func TestDoorThatFailsStopsTheOthers(t *testing.T) {
	broken := errors.New("broken")
	draining, release := make(chan struct{}), make(chan struct{})
	close(release)
	failing := door{name: "failing", serve: func(context.Context, net.Listener) error { return broken }}
	l := newLifecycle(fakeDoor(draining, release), failing)
	if err := l.run(t.Context(), func() {}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	<-draining
}

func TestStoreThatFailsStopsTheGateway(t *testing.T) {
	failed := make(chan struct{})
	close(failed)
	l := newLifecycle()
	l.failed = failed
	if err := l.run(t.Context(), func() {}); !errors.Is(err, errStoreFailed) {
		t.Errorf("got %v, want %v", err, errStoreFailed)
	}
}

package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// adminDoor tells those who run the gateway how it is.
type adminDoor struct {
	listener net.Listener // nil when the door is not enabled
	server   *http.Server
	ready    atomic.Bool // whether every door serves and none is stopping
}

func (a *assembly) newAdmin(listener net.Listener, doors []door) *adminDoor {
	d := &adminDoor{listener: listener}
	d.server = &http.Server{
		Handler:           d.handler(a.metrics(doors, d.ready.Load)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.With("door", "admin").Handler(), slog.LevelDebug),
	}
	return d
}

// run serves until ctx ends. Nothing that it answers is worth waiting for.
func (d *adminDoor) run(ctx context.Context) error {
	if d.listener == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { d.server.Close() })()
	if err := d.server.Serve(d.listener); ctx.Err() == nil {
		return fmt.Errorf("admin door: %w", err)
	}
	return nil
}

func (d *adminDoor) handler(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.Handle("GET /metrics", metrics)
	return mux
}

// readyz answers 200 while the gateway takes new clients, and 503 while it starts or stops.
func (d *adminDoor) readyz(w http.ResponseWriter, _ *http.Request) {
	if !d.ready.Load() {
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

const indexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Manifold</title>
<h1>Manifold</h1>
<ul>
<li><a href="/healthz">/healthz</a> whether the process is alive
<li><a href="/readyz">/readyz</a> whether it takes new clients
<li><a href="/metrics">/metrics</a> numbers for Prometheus
</ul>
`

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, indexPage)
}

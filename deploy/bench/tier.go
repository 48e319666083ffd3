package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tier is a router of a network, and an edge router that is connected to it.
type tier struct{ interior, edge *tierRouter }

// tierRouter is one of them.
type tierRouter struct {
	*process
	admin string // host:port
}

// startTier starts both and returns when they are connected. With an error it gives those that run.
func startTier(ctx context.Context, s server, dir string) (t tier, err error) {
	port, err := freePort()
	if err != nil {
		return t, err
	}
	t.interior, err = startTierRouter(ctx, s, dir, "interior", fmt.Sprintf(`amqp: {listeners: [{name: edges, port: %d, role: edge}]}
network: {router: {id: interior}}
`, port))
	if err != nil {
		return t, err
	}
	t.edge, err = startTierRouter(ctx, s, dir, "edge", fmt.Sprintf(`amqp: {port: 0}
network:
  router: {id: edge, mode: edge, port: 0}
  connectors: [{name: uplink, role: edge, hosts: [%q]}]
`, loopback(port)))
	if err != nil {
		return t, err
	}
	return t, t.interior.connected(ctx)
}

// startTierRouter starts a router with what its place in the network is.
func startTierRouter(ctx context.Context, s server, dir, id, place string) (*tierRouter, error) {
	var ports [2]int
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(dir, id+".yaml")
	config := fmt.Appendf(nil, `anonymous: true
mqtt: {port: %d, webSocket: {port: 0}}
admin: {port: %d, profiling: true}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
addresses:
  - {name: "%s/#", kind: broadcast}
%s`, ports[0], ports[1], crowdTopic, place)
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	p, err := launch(ctx, s, plan{
		args:  []string{"run", "-c", file, "--data", filepath.Join(dir, id)},
		doors: map[protocol]string{mqtt: loopback(ports[0])},
	})
	if err != nil {
		return nil, fmt.Errorf("router %s: %w", id, err)
	}
	return &tierRouter{p, loopback(ports[1])}, nil
}

func (t tier) stop() {
	for _, r := range []*tierRouter{t.edge, t.interior} {
		if r != nil {
			r.stop()
		}
	}
}

// measure has so many clients of the edge router receive from addresses, and then from more of them.
func (t tier) measure(ctx context.Context, clients, addresses int) (run edgeRun, err error) {
	run.clients = clients
	if run.none, err = t.weigh(ctx, 0); err != nil {
		return run, err
	}
	c, err := gather(ctx, t.edge.doors[mqtt], clients)
	defer c.leave()
	if err != nil {
		return run, err
	}
	if err := t.use(ctx, c, "few", addresses); err != nil {
		return run, err
	}
	if run.few, err = t.weigh(ctx, min(addresses, clients)); err != nil {
		return run, err
	}
	more := (edgeGrowth - 1) * addresses
	if err := t.use(ctx, c, "more", more); err != nil {
		return run, err
	}
	run.many, err = t.weigh(ctx, run.few.addresses+min(more, clients))
	return run, err
}

// use spreads the clients over so many addresses more. It returns when each has heard what was sent to its own.
func (t tier) use(ctx context.Context, c crowd, name string, addresses int) error {
	topic := func(i int) string { return fmt.Sprintf("%s/%s/%d", crowdTopic, name, i%addresses) }
	if err := c.subscribe(ctx, topic); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := t.interior.send(ctx, topic, min(addresses, len(c))); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := c.hear(ctx, topic); err != nil {
		return fmt.Errorf("hearing: %w", err)
	}
	return nil
}

// send sends a message to each of n topics, again as long as the router does not know yet that somebody receives it.
func (r *tierRouter) send(ctx context.Context, topic func(i int) string, n int) error {
	client, err := connectMQTT(ctx, r.doors[mqtt], nil, "herald")
	if err != nil {
		return err
	}
	defer client.conn.Close()
	for i := range n {
		if err := r.eventually(ctx, func() (bool, error) { return client.publish(topic(i), "hello") }); err != nil {
			return fmt.Errorf("to %s: %w", topic(i), err)
		}
	}
	return nil
}

// connected returns when the router has one connection.
func (r *tierRouter) connected(ctx context.Context) error {
	return r.eventually(ctx, func() (bool, error) {
		metrics, err := r.metrics(ctx)
		return err == nil && total(metrics, "manifold_connections") == 1, nil
	})
}

// eventually asks until it is so.
func (r *tierRouter) eventually(ctx context.Context, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	retry := time.NewTicker(retryTime)
	defer retry.Stop()
	for {
		if is, err := so(); is || err != nil {
			return err
		}
		select {
		case <-r.ended:
			return fmt.Errorf("the router ended: %v\n%s", r.cmd.ProcessState, r.output)
		case <-ctx.Done():
			return errors.New("not within " + startTime.String())
		case <-retry.C:
		}
	}
}

// weigh tells what both routers have when they are idle.
func (t tier) weigh(ctx context.Context, addresses int) (s edgeStage, err error) {
	s.addresses = addresses
	if err := rest(ctx); err != nil {
		return s, err
	}
	metrics, err := t.interior.metrics(ctx)
	if err != nil {
		return s, err
	}
	s.connections = int(total(metrics, "manifold_connections"))
	if s.interior, err = t.interior.footprint(ctx); err != nil {
		return s, err
	}
	s.edge, err = t.edge.footprint(ctx)
	return s, err
}

func (r *tierRouter) footprint(ctx context.Context) (f footprint, err error) {
	if f.resident, err = r.status("RssAnon"); err != nil {
		return f, err
	}
	if _, err = r.get(ctx, "/debug/pprof/heap?gc=1"); err != nil {
		return f, err
	}
	metrics, err := r.metrics(ctx)
	f.live = uint64(total(metrics, "go_memstats_heap_alloc_bytes") + total(metrics, "go_memstats_stack_inuse_bytes"))
	return f, err
}

func (r *tierRouter) metrics(ctx context.Context) (string, error) { return r.get(ctx, "/metrics") }

// get asks the router's admin door.
func (r *tierRouter) get(ctx context.Context, path string) (string, error) {
	status, body, err := ask(ctx, http.MethodGet, "http://"+r.admin+path)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, status)
	}
	return string(body), err
}

// total adds up a metric over all of its labels, in the text format of Prometheus.
func total(metrics, name string) (sum float64) {
	for line := range strings.Lines(metrics) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if found, _, _ := strings.Cut(series, "{"); found != name {
			continue
		}
		if n, err := strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64); err == nil {
			sum += n
		}
	}
	return sum
}

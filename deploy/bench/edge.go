package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What the clients of an edge router may cost the router that it is connected to.
//
// An address in use has a name there, a link, a way for messages and its counters: some 4 kB. What no address accounts for are the
// buffers of the one connection, and garbage that is not worth collecting yet. Together they leave nothing for clients: as connections
// of its own, 20,000 of them would take 200 MB.
const (
	edgePerAddress = 16_000    // bytes of each address in use, at most
	edgeSlack      = 8_000_000 // bytes besides, at most
)

// edgeTime is how long a run may take.
const edgeTime = 10 * time.Minute

// edgeGrowth is how many times as many addresses are in use in the end as at first.
const edgeGrowth = 10

// crowdTopic is what the addresses of the scenario edge-clients are below.
const crowdTopic = "crowd"

// edgeRun is what the scenario edge-clients measures.
type edgeRun struct {
	clients         int
	none, few, many edgeStage
}

// edgeStage is what there is while clients receive from so many addresses at the edge router.
type edgeStage struct {
	addresses   int
	connections int // of the interior router, with whomsoever
	interior    footprint
	edge        footprint
}

// footprint is the memory of a router, in bytes.
type footprint struct {
	resident uint64 // in RAM, without the pages of its program
	live     uint64 // on the heap after a collection, and on stacks, whether it was ever touched or not
}

// edgeScenario is about Manifold alone.
func edgeScenario() scenario {
	return scenario{name: "edge-clients", about: "clients of an edge router", apart: true, protocol: mqtt, servers: []string{ours},
		place: crowdTopic, kind: edged}
}

func edgeTargets(o options) []target {
	claim := fmt.Sprintf("MQTT clients of an edge router, %d or as many as files may be open, cost the interior router ", o.crowd)
	return []target{
		{claim: claim + "one connection", scenario: "edge-clients", of: edgeConnections, limit: 1, format: "%.0f"},
		{claim: claim + fmt.Sprintf("at most %d kB for each address in use", edgePerAddress/1000), scenario: "edge-clients",
			of: bytesOfAddress, limit: edgePerAddress, format: "%.0f bytes"},
	}
}

func edgeConnections(_ scenario, s sample) float64 {
	return float64(max(s.Edge.few.connections, s.Edge.many.connections))
}

// bytesOfAddress is by how much the interior router grows for each address more.
func bytesOfAddress(_ scenario, s sample) float64 {
	few, many := s.Edge.few, s.Edge.many
	return (float64(many.interior.live) - float64(few.interior.live)) / float64(max(many.addresses-few.addresses, 1))
}

// bytesOfClient is by how much the edge router grows for each client.
func bytesOfClient(_ scenario, s sample) float64 {
	return (float64(s.Edge.few.edge.resident) - float64(s.Edge.none.edge.resident)) / float64(max(s.Edge.clients, 1))
}

// fault tells what costs the interior router more than it may, nil if nothing does.
func (r edgeRun) fault() error {
	var errs []error
	for _, s := range []edgeStage{r.few, r.many} {
		if s.connections != 1 {
			errs = append(errs, fmt.Errorf("%d clients at %d addresses of the edge router: the interior router has %d connections",
				r.clients, s.addresses, s.connections))
		}
		grown, most := int64(s.interior.resident)-int64(r.none.interior.resident), int64(edgeSlack+s.addresses*edgePerAddress)
		if grown > most {
			errs = append(errs, fmt.Errorf("%d clients at %d addresses of the edge router: the interior router grows by %d bytes, more than %d",
				r.clients, s.addresses, grown, most))
		}
	}
	return errors.Join(errs...)
}

// edgeTable is that of the scenario edge-clients.
func (b *bench) edgeTable(sc scenario) table {
	number := func(title, format string, of func(edgeRun) float64) metric {
		return metric{title: title, format: format, of: func(_ scenario, s sample) float64 { return of(s.Edge) }}
	}
	rows := []metric{
		number("clients", "%.0f", func(r edgeRun) float64 { return float64(r.clients) }),
		{title: "connections of the interior router", format: "%.0f", of: edgeConnections},
		number("MB of the interior router without clients", "%.1f", func(r edgeRun) float64 { return megabytes(r.none.interior.resident) }),
	}
	for _, stage := range []func(edgeRun) edgeStage{func(r edgeRun) edgeStage { return r.few }, func(r edgeRun) edgeStage { return r.many }} {
		rows = append(rows,
			number("addresses in use", "%.0f", func(r edgeRun) float64 { return float64(stage(r).addresses) }),
			number("MB of the interior router then", "%.1f", func(r edgeRun) float64 { return megabytes(stage(r).interior.resident) }))
	}
	rows = append(rows,
		metric{title: "bytes of the interior router in use for each address more", format: "%.0f", of: bytesOfAddress},
		metric{title: "bytes of the edge router for each client", format: "%.0f", of: bytesOfClient})
	return b.list(sc, "Clients of an edge router", rows)
}

// edgeNote says how the figures of the scenario edge-clients come about.
func (b *bench) edgeNote(sc scenario) string {
	o := b.options
	asked := fmt.Sprintf("%d clients", o.crowd)
	if n := o.clients(openFiles()); n < o.crowd {
		asked = fmt.Sprintf("%d clients instead of %d, for no process may have more open files here", n, o.crowd)
	}
	return fmt.Sprintf("%s: %s subscribe at an edge router to %d broadcast addresses, and then to %d more. A client of the interior router "+
		"sends a message to each address, and every client hears its own. Connections are those of all doors of the interior router, by its "+
		"metrics, when that client has left. Memory is that of the process without the pages of its program, %v later; in use is what "+
		"is on the heap after a collection, and stacks.", sc.name, asked, o.addresses, (edgeGrowth-1)*o.addresses, restTime)
}

func describeEdge(s sample) string {
	r := s.Edge
	return fmt.Sprintf("%d clients: %.0f connection at the interior router, which has %.1f MB without them, %.1f MB with %d addresses and "+
		"%.1f MB with %d, %.0f bytes each; %.0f bytes/client at the edge", r.clients, edgeConnections(scenario{}, s),
		megabytes(r.none.interior.resident), megabytes(r.few.interior.resident), r.few.addresses, megabytes(r.many.interior.resident),
		r.many.addresses, bytesOfAddress(scenario{}, s), bytesOfClient(scenario{}, s))
}

// clients is how many of the clients that were asked for there can be where a process may have so many open files.
func (o options) clients(openFiles uint64) int {
	if room := openFiles - min(openFiles, otherFiles); room < uint64(o.crowd) {
		return int(room)
	}
	return o.crowd
}

// measureEdge does one run on fresh routers. Costing more than allowed is an error.
func (b *bench) measureEdge(ctx context.Context, s server, dir string) (got sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, edgeTime)
	defer cancel()
	t, err := startTier(ctx, s, dir)
	defer t.stop()
	if err != nil {
		return got, err
	}
	if got.Edge, err = t.measure(ctx, b.options.clients(openFiles()), b.options.addresses); err != nil {
		return got, err
	}
	return got, got.Edge.fault()
}

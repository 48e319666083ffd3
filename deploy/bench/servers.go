package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// server is one column of the tables.
type server struct {
	name    string
	binary  string
	absent  error // why it cannot take part
	note    string
	version []string // arguments that make it say in its first line which version it is

	// versionAt finds the version out without running anything; nil for a server that says it.
	versionAt func(binary string) string

	// configure writes what the server needs into dir and says how it runs.
	configure func(dir string) (plan, error)
	// router is configure for a router in a network, nil for a server that is none.
	router func(dir string, r routerPlan) (plan, error)
	// place gives the name that the place of a scenario has here; nil for the same.
	place func(sc scenario) string
	// speaks is what it is spoken to in, whatever the scenario says; empty for that.
	speaks protocol
	// flags are more of them for `manifold bench`.
	flags []string
	// driver puts the load on this server. It takes the flags of `manifold bench`; empty for that.
	driver string
}

// plan is how a server runs.
type plan struct {
	before []string // arguments with which the server's binary first lays out its files; nil for nothing
	binary string   // laid out then, to run instead of the server's own; empty for that
	args   []string
	env    []string            // beyond our own environment
	doors  map[protocol]string // where it listens
	after  *exec.Cmd           // run when the server has ended, to end what it leaves behind; nil for nothing
}

// findServers looks for all servers. Only Manifold is indispensable, because it is the load driver too.
func findServers(ctx context.Context, o options, dir string) ([]server, error) {
	binary := o.manifold
	if binary == "" {
		binary = filepath.Join(dir, "manifold")
		build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/manifold")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build ./cmd/manifold: %w\n%s", err, out)
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	return []server{
		{name: ours, binary: binary, version: []string{"version"}, configure: configureManifold, router: configureRouter,
			note: "non-durable topics " + loadTopic + "/# and " + idleTopic + "/#, anycast " + anycastAddress +
				"/#, durable queue " + queueTopic + " acknowledged after fsync; maxMessageSize 16 MiB"},
		found(server{name: mosquitto, version: []string{"-h"}, configure: configureMosquitto,
			note: "persistence off; max_inflight_messages, max_queued_messages and max_queued_bytes 0 (unlimited), " +
				"so that it does not drop; sys_interval 0; set_tcp_nodelay off as by default, which costs it least CPU"},
			"mosquitto", "/usr/sbin/mosquitto"),
		found(server{name: nats, version: []string{"--version"}, configure: configureNATS,
			note: "JetStream on, because its MQTT needs it; its QoS 1 stores every message in a file, answers, and syncs every two " +
				"minutes, its default, so it stands beside our durable queue"},
			os.Getenv("NATS_SERVER"), "nats-server"),
		found(server{name: qdrouterd, version: []string{"--version"}, configure: configureQdrouterd,
			router: configureDispatchRouter,
			note: fmt.Sprintf("standalone, its default of 4 worker threads, balanced; linkCapacity %d instead of 250, so that it "+
				"does not drop settled messages", qdrouterdCapacity)},
			os.Getenv("QDROUTERD"), "qdrouterd"),
		foundRabbitMQ(rabbitmq, "classic", "; has no anycast: a queue of messages that are not durable stands in"),
		foundRabbitMQ(quorum, "quorum", ""),
		found(server{name: artemis, version: []string{"version"}, configure: configureArtemis,
			note: "as `artemis create` configures it for this disk, with an ASYNCIO journal if libaio is installed; syncs " +
				"before it accepts"},
			filepath.Join(os.Getenv("ARTEMIS_HOME"), "bin", "artemis"), "artemis"),
		foundJetStream(ctx, o, dir),
		foundActiveMQ(),
		foundBare(ctx, o, dir),
		foundOverMQTT(binary),
		foundLibcoap(),
	}, nil
}

// found completes s with the first of the candidates that is an executable, or says that it is absent.
func found(s server, candidates ...string) server {
	var errs []error
	for _, c := range candidates {
		if c == "" {
			continue
		}
		path, err := exec.LookPath(c)
		if err == nil {
			s.binary = path
			return s
		}
		errs = append(errs, err)
	}
	s.absent = errors.Join(errs...)
	return s
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort returns a port that nobody listens on at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// configureArtemis has the distribution make an instance, which measures the disk and sets its journal accordingly. One
// acceptor takes all protocols.
func configureArtemis(dir string) (plan, error) {
	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	instance := filepath.Join(dir, "instance")
	return plan{
		before: []string{"create", instance, "--silent", "--name", "bench", "--user", "bench", "--password", "bench",
			"--allow-anonymous", "--host", "127.0.0.1", "--default-port", strconv.Itoa(port), "--queues", queueTopic,
			"--no-web", "--no-amqp-acceptor", "--no-mqtt-acceptor", "--no-stomp-acceptor", "--no-hornetq-acceptor"},
		binary: filepath.Join(instance, "bin", "artemis"),
		args:   []string{"run"},
		doors:  map[protocol]string{amqp: loopback(port)},
	}, nil
}

// foundJetStream looks for nats-server, and builds a driver for it if a scenario asks for that.
func foundJetStream(ctx context.Context, o options, dir string) server {
	s := found(server{name: jetstream, version: []string{"--version"}, configure: configureJetStream,
		note: "nats-server through its own client, deploy/bench/jetstream: a stream in files with a work queue's retention, one " +
			"pull consumer, each message acknowledged; it syncs every two minutes, its default, and answers before"},
		os.Getenv("NATS_SERVER"), "nats-server")
	if s.absent == nil && o.needs(jetstream) {
		s.driver = filepath.Join(dir, "jetstream-driver")
		build := exec.CommandContext(ctx, "go", "build", "-C", "deploy/bench/jetstream", "-o", s.driver, ".")
		if out, err := build.CombinedOutput(); err != nil {
			s.absent = fmt.Errorf("its driver, deploy/bench/jetstream: go build: %w: %s", err, out)
		}
	}
	return s
}

// configureJetStream opens one door, of NATS's protocol: the driver speaks it where others speak AMQP.
func configureJetStream(dir string) (plan, error) {
	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	config := fmt.Sprintf("server_name: bench\nlisten: %q\njetstream { store_dir: %q }\n", loopback(port),
		filepath.Join(dir, "jetstream"))
	file := filepath.Join(dir, "nats.conf")
	p := plan{args: []string{"-c", file}, doors: map[protocol]string{amqp: loopback(port)}}
	return p, os.WriteFile(file, []byte(config), 0o644)
}

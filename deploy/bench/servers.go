package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
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

	// configure writes what the server needs into dir and returns its arguments and the address of its MQTT listener.
	configure func(dir string) (args []string, address string, err error)
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
		{name: ours, binary: binary, version: []string{"version"}, configure: configureManifold,
			note: "non-durable topics " + loadTopic + "/# and " + idleTopic + "/#, durable queue " + queueTopic +
				" acknowledged after fsync"},
		found(server{name: mosquitto, version: []string{"-h"}, configure: configureMosquitto,
			note: "persistence off; max_inflight_messages, max_queued_messages and max_queued_bytes 0 (unlimited), " +
				"so that it does not drop; sys_interval 0; set_tcp_nodelay off as by default, which costs it least CPU"},
			"mosquitto", "/usr/sbin/mosquitto"),
		found(server{name: nats, version: []string{"--version"}, configure: configureNATS,
			note: "JetStream on, because its MQTT needs it; only QoS 0 is compared, its QoS 1 stores every message"},
			os.Getenv("NATS_SERVER"), "nats-server"),
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

func configureMosquitto(dir string) ([]string, string, error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	me, err := user.Current()
	if err != nil {
		return nil, "", err
	}
	config := fmt.Sprintf(`listener %d 127.0.0.1
user %s
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
max_queued_bytes 0
max_connections -1
sys_interval 0
log_type error
log_dest stderr
`, port, me.Username)
	file := filepath.Join(dir, "mosquitto.conf")
	return []string{"-c", file}, loopback(port), os.WriteFile(file, []byte(config), 0o644)
}

func configureNATS(dir string) ([]string, string, error) {
	client, err := freePort()
	if err != nil {
		return nil, "", err
	}
	mqtt, err := freePort()
	if err != nil {
		return nil, "", err
	}
	config := fmt.Sprintf(`server_name: bench
listen: %q
jetstream { store_dir: %q }
mqtt { listen: %q }
`, loopback(client), filepath.Join(dir, "jetstream"), loopback(mqtt))
	file := filepath.Join(dir, "nats.conf")
	return []string{"-c", file}, loopback(mqtt), os.WriteFile(file, []byte(config), 0o644)
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

package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
)

func configureMosquitto(dir string) (plan, error) {
	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	me, err := user.Current()
	if err != nil {
		return plan{}, err
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
	p := plan{args: []string{"-c", file}, doors: map[protocol]string{mqtt: loopback(port)}}
	return p, os.WriteFile(file, []byte(config), 0o644)
}

func configureNATS(dir string) (plan, error) {
	client, err := freePort()
	if err != nil {
		return plan{}, err
	}
	listener, err := freePort()
	if err != nil {
		return plan{}, err
	}
	config := fmt.Sprintf(`server_name: bench
listen: %q
jetstream { store_dir: %q }
mqtt { listen: %q }
`, loopback(client), filepath.Join(dir, "jetstream"), loopback(listener))
	file := filepath.Join(dir, "nats.conf")
	p := plan{args: []string{"-c", file}, doors: map[protocol]string{mqtt: loopback(listener)}}
	return p, os.WriteFile(file, []byte(config), 0o644)
}

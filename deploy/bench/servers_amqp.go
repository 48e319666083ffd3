package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// qdrouterdCapacity is how many messages may be on their way on a link of qdrouterd: the senders of a scenario together
// are never further ahead.
const qdrouterdCapacity = 4000

func configureQdrouterd(dir string) (plan, error) {
	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	config := fmt.Sprintf(`router {
    mode: standalone
    id: bench
}
listener {
    host: 127.0.0.1
    port: %d
    role: normal
    authenticatePeer: no
    saslMechanisms: ANONYMOUS
    linkCapacity: %d
}
address {
    prefix: %s
    distribution: balanced
}
log {
    module: DEFAULT
    enable: error+
    outputFile: stderr
}
`, port, qdrouterdCapacity, anycastAddress)
	file := filepath.Join(dir, "qdrouterd.conf")
	p := plan{args: []string{"-c", file}, doors: map[protocol]string{amqp: loopback(port)}}
	return p, os.WriteFile(file, []byte(config), 0o644)
}

// foundRabbitMQ looks for a broker whose durable queue is of a type.
func foundRabbitMQ(name, queueType, more string) server {
	return found(server{name: name, versionAt: rabbitmqVersion, place: rabbitmqPlace,
		configure: func(dir string) (plan, error) { return configureRabbitMQ(dir, queueType) },
		note: "plugins rabbitmq_amqp1_0 and rabbitmq_stomp; the durable queue is a " + queueType + " queue, which syncs before " +
			"it accepts" + more},
		os.Getenv("RABBITMQ_SERVER"), "/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
}

// configureRabbitMQ gives the node a home of its own, and an epmd of its own that is ended with it. Its AMQP 1.0 declares
// no durable queues, so one is there from the start. Who names no user to its STOMP is guest.
func configureRabbitMQ(dir, queueType string) (plan, error) {
	var ports [4]int
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return plan{}, err
		}
	}
	doors := map[protocol]string{amqp: loopback(ports[0]), stomp: loopback(ports[1])}
	distribution, epmd := strconv.Itoa(ports[2]), strconv.Itoa(ports[3])
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{
		"enabled_plugins": "[rabbitmq_amqp1_0,rabbitmq_stomp].\n",
		"rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = %s\nlog.console = true\nlog.console.level = error\nlog.file = false\n"+
			"load_definitions = %s\nstomp.listeners.tcp.1 = %s\nstomp.default_user = guest\nstomp.default_pass = guest\n",
			doors[amqp], at("definitions.json"), doors[stomp]),
		"definitions.json": fmt.Sprintf(`{
  "vhosts": [{"name": "/"}],
  "users": [{"name": "guest", "password": "guest", "tags": ""}],
  "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
  "queues": [{"name": %q, "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": %q}}]
}
`, queueTopic, queueType),
	} {
		if err := os.WriteFile(at(name), []byte(content), 0o644); err != nil {
			return plan{}, err
		}
	}
	return plan{
		doors: doors,
		env: []string{
			"HOME=" + dir, "ERL_EPMD_PORT=" + epmd, "ERL_EPMD_ADDRESS=127.0.0.1",
			"RABBITMQ_ALLOW_INPUT=1", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput", // the script becomes the node itself
			"RABBITMQ_NODENAME=bench@localhost", "RABBITMQ_DIST_PORT=" + distribution,
			"RABBITMQ_CONFIG_FILE=" + at("rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE=" + os.DevNull,
			"RABBITMQ_ADVANCED_CONFIG_FILE=" + at("advanced.config"), "RABBITMQ_GENERATED_CONFIG_DIR=" + at("generated"),
			"RABBITMQ_ENABLED_PLUGINS_FILE=" + at("enabled_plugins"), "RABBITMQ_MNESIA_BASE=" + at("data"),
			"RABBITMQ_LOG_BASE=" + at("log"), "RABBITMQ_PID_FILE=" + at("pid"),
		},
		after: exec.Command("epmd", "-port", epmd, "-kill"),
	}, nil
}

// rabbitmqPlace: an address names a queue that is there, or one that it declares, and has no further levels.
func rabbitmqPlace(sc scenario) string {
	switch {
	case sc.kind == idle:
		return "/queue" // the driver adds a level for each connection
	case sc.isDurable():
		return "/amq/queue/" + sc.place
	}
	return "/queue/" + sc.place
}

// rabbitmqVersion is in the name of the folder that the scripts are installed in: rabbitmq_server-VERSION/sbin. To ask
// one of the scripts would leave an epmd behind.
func rabbitmqVersion(binary string) string {
	script, err := filepath.EvalSymlinks(binary)
	if err != nil {
		return unknown
	}
	return filepath.Base(filepath.Dir(filepath.Dir(script)))
}

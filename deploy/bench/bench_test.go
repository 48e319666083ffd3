package main

import (
	"archive/zip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDriverIsToldWhereAndWhat looks at the command line for one scenario of each kind.
func TestDriverIsToldWhereAndWhat(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p := &process{doors: map[protocol]string{mqtt: "m:1", amqp: "a:2", stomp: "s:3", coap: "c:4", coapSecure: "d:5"}, cmd: &exec.Cmd{Process: self}}
	b := &bench{options: options{duration: 2 * time.Second, warmUp: time.Second, idle: 10, idleAMQP: 20, queues: 30, fleet: 50_000,
		backlog: 40}}
	plain, rabbit := server{name: ours}, server{name: rabbitmq, place: rabbitmqPlace}
	stream, active := server{name: jetstream, driver: "a program"}, server{name: activemq, place: stompQueue}
	device := server{name: libcoap, place: libcoapPlace, flags: []string{"--put"}}
	for _, c := range []struct {
		scenario string
		server   server
		want     []string
	}{
		{"qos0-1x1", plain, []string{"bench mqtt --size 256", "--topic bench ", "--server m:1", "--duration 2s"}},
		{"idle", plain, []string{"bench mqtt idle --connections 10 ", "--topic idle "}},
		{"connections", plain, []string{"bench mqtt idle --connections 50000 ", "--broadcast 10 ", "--sources 10"}},
		{"stalled-qos1", plain, []string{"--size 1024 ", "--qos 1 ", "--latency ", "--warm-up 6s"}},
		{"queues", plain, []string{"--topics 30 --messages 30", "--warm-up 0s"}},
		{"amqp-settled-4x4", plain, []string{"bench amqp --size 256 ", "--receivers 4", "--settled", "--address anycast ",
			"--server a:2"}},
		{"amqp-paced-unsettled-4x4", plain, []string{"--latency", "--rate 2500 "}},
		{"amqp-10m", plain, []string{"--size 10485760 "}},
		{"amqp-idle", plain, []string{"bench amqp idle --connections 20 ", "--address anycast "}},
		{"amqp-unsettled-1x1", rabbit, []string{"--address /queue/anycast "}},
		{"amqp-idle", rabbit, []string{"--address /queue "}},
		{"amqp-durable-4x4", plain, []string{" --durable --senders 4 --receivers 4 ", "--address jobs ", "--warm-up 5s"}},
		{"amqp-durable-64x1", rabbit, []string{"--senders 64 ", "--window 1 ", "--address /amq/queue/jobs "}},
		{"backlog", plain, []string{" --durable --senders 1 --receivers 0 ", "--address jobs ", "--messages 40 --warm-up 0s"}},
		{"stomp-queue-4x4", plain, []string{"bench stomp --size 256 --senders 4 --receivers 4 --durable --destination jobs " +
			"--server s:3 ", "--warm-up 5s"}},
		{"stomp-queue-1x1", rabbit, []string{"--destination /amq/queue/jobs "}},
		{"stomp-4x4", active, []string{" --unconfirmed --auto --destination /queue/anycast "}},
		{"coap-post", plain, []string{"bench coap --size 64 --endpoints 4 --window 16 --path a/bench --server c:4 ", "--duration 2s"}},
		{"coap-post", device, []string{"--put --path bench --server c:4 "}},
		{"coap-sustained", plain, []string{"--ends 10s ", "--duration 1m0s"}},
		{"coap-observers", plain, []string{"bench coap idle --connections 20000 ", "--broadcast 10 --path a/idle ", "--sources 4"}},
		{"coap-dtls", plain, []string{"bench coap idle --connections 10000 --dtls ", "--move ", "--server d:5 "}},
		{"amqp-durable-paced", stream, []string{"^--size 256 ", "--latency --rate 5000 ", "--address jobs --server a:2 "}},
	} {
		chosen, err := chooseScenarios(c.scenario)
		if err != nil {
			t.Fatal(err)
		}
		line := "^" + strings.Join(b.driverArgs(chosen[0], c.server, p), " ")
		for _, want := range c.want {
			if !strings.Contains(line, want) {
				t.Errorf("%s on %s: %q is missing in %q", c.scenario, c.server.name, want, line)
			}
		}
	}
}

func TestVersionOfRabbitMQIsThatOfItsFolder(t *testing.T) {
	dir := t.TempDir()
	sbin := filepath.Join(dir, "rabbitmq_server-1.2.3", "sbin")
	script, link := filepath.Join(sbin, "rabbitmq-server"), filepath.Join(dir, "rabbitmq-server")
	if err := errors.Join(os.MkdirAll(sbin, 0o755), os.WriteFile(script, nil, 0o755), os.Symlink(script, link)); err != nil {
		t.Fatal(err)
	}
	if got := rabbitmqVersion(link); got != "rabbitmq_server-1.2.3" {
		t.Errorf("got %q", got)
	}
}

// TestVersionOfActiveMQIsThatOfItsManifest, wherever it is installed; a folder without it has none.
func TestVersionOfActiveMQIsThatOfItsManifest(t *testing.T) {
	home := t.TempDir()
	t.Setenv("ACTIVEMQ_HOME", home)
	if got := activemqVersion(""); got != unknown {
		t.Errorf("nothing has version %q", got)
	}
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(activemqJar())
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	manifest, err := archive.Create("META-INF/MANIFEST.MF")
	if err != nil {
		t.Fatal(err)
	}
	_, err = manifest.Write([]byte("Manifest-Version: 1.0\r\nImplementation-Version: 5.17.2\r\n"))
	if err := errors.Join(err, archive.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	if got := activemqVersion(""); got != "ActiveMQ 5.17.2" {
		t.Errorf("got %q", got)
	}
}

func TestDurableGroupIsAboutAMQP(t *testing.T) {
	chosen, err := chooseScenarios(durableGroup)
	if err != nil || len(chosen) == 0 {
		t.Fatalf("%d scenarios, %v", len(chosen), err)
	}
	for _, sc := range chosen {
		if sc.protocol != amqp {
			t.Errorf("%s speaks %s", sc.name, sc.protocol)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	queueTopic = "jobs"  // a durable queue in our configuration
	loadTopic  = "bench" // everything below it is a non-durable topic in our configuration
	idleTopic  = "idle"  // likewise
	manyTopic  = "q"     // below it are the queues of the scenario queues: q/00000 and so on

	anycastAddress = "anycast" // this and everything below it is anycast in our configuration
	idleAddress    = "anycast" // below it are the addresses of idle AMQP connections
)

// gateway is one way to run Manifold: its arguments, and where it listens with them.
type gateway struct {
	args                           []string
	mqtt, amqp, stomp, http, admin string
	https                          string // of one with a certificate
	coap, coaps                    string // the latter likewise, or with a user's key
	data                           string // the folder of what it stores
}

// configureManifold is for the scenarios that compare. Its doors are open for TLS too.
func configureManifold(dir string) (plan, error) {
	certificate, key, err := writeCertificate(dir)
	if err != nil {
		return plan{}, err
	}
	var c strings.Builder
	declare(&c, loadTopic+"/#", "topic")
	declare(&c, idleTopic+"/#", "topic")
	declare(&c, queueTopic, "queue")
	declare(&c, anycastAddress, "anycast")
	declare(&c, anycastAddress+"/#", "anycast")
	fmt.Fprintf(&c, "tls: {certificate: %q, key: %q}\n", certificate, key)
	fmt.Fprintf(&c, "users:\n  - {name: %s, preSharedKey: %q}\n", coapUser, coapKey)
	g, err := newGateway(dir, c.String())
	p := g.plan()
	p.doors[webSecure], p.doors[coapSecure] = g.https, g.coaps
	return p, err
}

func (g gateway) plan() plan {
	return plan{args: g.args, doors: map[protocol]string{mqtt: g.mqtt, amqp: g.amqp, stomp: g.stomp, web: g.http, coap: g.coap}}
}

// configureQueues declares n queues, each by its own name.
func configureQueues(dir string, n int) (gateway, error) {
	var c strings.Builder
	for i := range n {
		declare(&c, queueName(i, n), "queue")
	}
	return newGateway(dir, c.String())
}

// queueName is the queue that the load driver sends message i to when it spreads messages over n topics.
func queueName(i, n int) string { return fmt.Sprintf("%s/%0*d", manyTopic, len(strconv.Itoa(n-1)), i) }

// declare adds an address to a configuration.
func declare(c *strings.Builder, name, kind string) {
	fmt.Fprintf(c, "  - name: %s\n    kind: %s\n", name, kind)
}

// newGateway writes a configuration with addresses to dir. Nothing in it is not a default, but for the size of messages.
func newGateway(dir, addresses string) (gateway, error) {
	file := filepath.Join(dir, "manifold.yaml")
	config := "anonymous: true\nlimits: {maxMessageSize: 16MiB}\naddresses:\n" + addresses
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return gateway{}, err
	}
	offset, err := freeOffset()
	if err != nil {
		return gateway{}, err
	}
	data := filepath.Join(dir, "data")
	return gateway{
		args: []string{"run", "-c", file, "--data", data, "--port-offset", strconv.Itoa(offset)}, data: data,
		mqtt: loopback(1883 + offset), amqp: loopback(5672 + offset), stomp: loopback(61613 + offset),
		http: loopback(8080 + offset), https: loopback(8443 + offset), coap: loopback(5683 + offset), coaps: loopback(5684 + offset),
		admin: loopback(8081 + offset),
	}, nil
}

// freeOffset returns a distance by which the usual ports of all of Manifold's protocols can be moved.
func freeOffset() (int, error) {
	const first, last, step = 101, 3901, 19 // the highest usual port is STOMP's 61613
	usual := []int{1883, 5672, 5671, 5683, 5684, 8080, 8081, 8083, 8084, 8443, 8883, 61613, 61614}
	for offset := first; offset <= last; offset += step {
		free := true
		for _, port := range usual {
			l, err := net.Listen("tcp", loopback(port+offset))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return offset, nil
		}
	}
	return 0, errors.New("no distance at which all usual ports are free")
}

package isolation

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway"
	"github.com/manifoldmq/manifold/gateway/config"
)

// What must not cross.
const (
	secret = "thevictimssecret0f7a" // in every message of the victim, and in the name of one of its queues
	mark   = "theintrudersmark91c4" // in every message of the intruder
)

// cheapCredential is that of the password "a", at the lowest cost.
const cheapCredential = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
	"$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="

// declaration is of two tenants that have the same addresses. Roles give everybody every right within his tenant.
const declaration = `
tenants:
  - name: victim
    addresses:
      - {name: "telemetry/#", kind: topic}
      - {name: jobs, kind: queue, deadLetter: dead, maxDeliveries: 1}
      - {name: dead, kind: queue}
      - {name: "commands/#", kind: anycast}
      - {name: alerts, kind: broadcast}
      - {name: "private/` + secret + `", kind: queue}
    roles: [{name: all, send: ["#"], receive: ["#"], browse: ["#"], manage: ["#"], admin: true}]
    users: [{name: vic, credential: "` + cheapCredential + `", roles: [all]}]
  - name: intruder
    addresses:
      - {name: "telemetry/#", kind: topic}
      - {name: jobs, kind: queue, deadLetter: dead, maxDeliveries: 1}
      - {name: dead, kind: queue}
      - {name: "commands/#", kind: anycast}
      - {name: alerts, kind: broadcast}
    roles: [{name: all, send: ["#"], receive: ["#"], browse: ["#"], manage: ["#"], admin: true}]
    users: [{name: mal, credential: "` + cheapCredential + `", roles: [all]}]
`

// world is a gateway with the two tenants, and what the victim does there.
type world struct {
	doors  map[string]string // host:port by the names of doors
	client *http.Client
	ear    *mqttConn // hears whatever is sent to a topic, an anycast or a broadcast address of the victim
}

// newWorld starts a gateway until the test ends. The victim has a message everywhere where one may wait.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{doors: startGateway(t), client: &http.Client{Transport: new(http.Transport), Timeout: time.Minute}}
	t.Cleanup(w.client.CloseIdleConnections)
	w.ask(t, "POST", "telemetry/kept/messages", secret, "Manifold-Retain", "true")
	w.ask(t, "PUT", "telemetry/%23::reports/subscription", "")
	w.ask(t, "POST", "dead/messages", secret)
	keeper := w.visit(t, &attempt{seat: victim})
	keeper.mqtt(5, "device-1", false, "").subscribe("telemetry/#") // a session that goes on
	keeper.leave()
	w.ear = w.stay(t, &attempt{seat: victim}, time.Hour).mqtt(5, "ear", true, "")
	for _, filter := range []string{"telemetry/#", "commands/#", "alerts"} {
		w.ear.subscribe(filter)
	}
	return w
}

func startGateway(t *testing.T) (doors map[string]string) {
	t.Helper()
	declared, err := config.Parse("isolation.yaml", []byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Quickstart()
	if err != nil {
		t.Fatal(err)
	}
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	c.DataDir = t.TempDir()
	c.MQTT.Port, c.AMQP.Port, c.STOMP.Port, c.HTTP.Port, c.CoAP.Port, c.Admin.Port = 0, 0, 0, 0, 0, 0
	c.MQTT.WebSocket.Port, c.MQTT.WebSocket.TLSPort = 0, 0
	c.CoAP.QueryCredentials = true
	c.Login.Delay = 0
	c.Admin.Anonymous, c.Admin.Profiling = "nobody", true
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	doors = make(map[string]string)
	go func() {
		ended <- gateway.Run(ctx, c, gateway.Process{
			Log: slog.New(slog.DiscardHandler),
			Ready: func(endpoints []gateway.Endpoint) {
				for _, e := range endpoints {
					doors[e.Door] = e.Address.String()
				}
				close(ready)
			},
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the gateway did not start: %v", err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	return doors
}

// ask makes a request as the victim, perhaps with a header and its value. The answer has to be a good one.
func (w *world) ask(t *testing.T, method, path, body string, header ...string) (answer []byte) {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+w.doors["http"]+"/v1/victim/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("vic", "a")
	request.Header.Set("Content-Type", "text/plain")
	if len(header) > 0 {
		request.Header.Set(header[0], header[1])
	}
	reply, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	answer, err = io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode/100 != 2 {
		t.Fatalf("%s %s: status %d, %v: %s", method, path, reply.StatusCode, err, answer)
	}
	return answer
}

// speak has the victim send to everything, so that whoever listens where he should not hears it.
func (w *world) speak(t *testing.T) {
	t.Helper()
	for _, address := range []string{"jobs", "dead", "private/" + secret, "telemetry/x", "alerts"} {
		w.ask(t, http.MethodPost, escapedPath(address)+"/messages", secret)
	}
	w.ask(t, http.MethodPost, "commands/x/messages?ack=none", secret) // the ear acknowledges it later
}

// drain takes everything from a queue of the victim, and gives it.
func (w *world) drain(t *testing.T, queue string) (all []byte) {
	t.Helper()
	for {
		p := w.ask(t, http.MethodDelete, escapedPath(queue)+"/messages/head?timeout=0&max=100", "")
		if len(p) == 0 {
			return all
		}
		all = append(all, p...)
	}
}

// found tells where in the victim's tenant the intruder's mark is.
func (w *world) found(t *testing.T) (all []string) {
	t.Helper()
	w.ear.roundTrip()
	if w.ear.tap.has(mark) {
		all = append(all, "a subscriber heard "+w.ear.tap.text())
	}
	w.ear.tap.forget()
	for _, queue := range []string{"jobs", "dead", "private/" + secret, "telemetry/#::reports"} {
		if text := w.drain(t, queue); bytes.Contains(text, []byte(mark)) {
			all = append(all, "in "+queue+" is "+string(text))
		}
	}
	return all
}

// escapedPath escapes what is not to be a level of its own.
func escapedPath(address string) string {
	return strings.ReplaceAll(url.PathEscape(address), "%2F", "/")
}

// tap keeps what has been read from connections.
type tap struct {
	mu  sync.Mutex
	all []byte
}

// has tells whether a word is in what has been read, as it is or in the middle of base64.
func (p *tap) has(word string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.Contains(p.all, []byte(word)) {
		return true
	}
	for skip := range 3 { // the word may begin at any byte of a group of three
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + word))
		if bytes.Contains(p.all, []byte(encoded[4:len(encoded)-4])) {
			return true
		}
	}
	return false
}

func (p *tap) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = nil
}

func (p *tap) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.all)
}

// tapped is a connection with a tap.
type tapped struct {
	net.Conn
	tap *tap
}

func (c tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.tap.all = append(c.tap.all, p[:n]...)
	return n, err
}

//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// The builds of libcoap's client, as Debian calls them: without security, and with two implementations of it.
const (
	libcoapPlain   = "coap-client-notls"
	libcoapOpenSSL = "coap-client-openssl"
	libcoapGnuTLS  = "coap-client-gnutls"
)

// answered is what libcoap's client has to tell of an exchange.
type answered struct {
	code string // of the last answer, such as 2.04; empty without any
	body []byte
	log  string // every message of either side
}

var (
	answerCode = regexp.MustCompile(`(?m)^v:\S+ t:\w+ c:([245]\.\d\d) `)
	coapLock   = regexp.MustCompile(`Location-Path:l, Location-Path:([\w-]+)`)
)

// libcoap runs libcoap's client to its end.
func libcoap(t *testing.T, build string, args ...string) answered {
	t.Helper()
	file := filepath.Join(t.TempDir(), "received")
	a := answered{log: ask(t, build, append([]string{"-v", "6", "-B", "30", "-o", file}, args...)...)}
	if found := answerCode.FindAllStringSubmatch(a.log, -1); found != nil {
		a.code = found[len(found)-1][1]
	}
	body, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	a.body = body
	return a
}

// want checks the code of an answer.
func (a answered) want(t *testing.T, code string) {
	t.Helper()
	if a.code != code {
		t.Fatalf("answered %q, want %s:\n%.2000s", a.code, code, a.log)
	}
}

// libcoapCarriers are the ways in which libcoap's client speaks, each with its build and what it needs to know.
func libcoapCarriers(t *testing.T, g *gateway, from *gatewaytest.Authority) map[string][]string {
	t.Helper()
	doors := g.coapDoors()
	certificate, key := from.Client("device")
	return map[string][]string{
		"coap":      {libcoapPlain, doors["coap"]},
		"coaps":     {libcoapOpenSSL, doors["coaps"], "-u", "sensor1", "-k", coapKey},
		"coap+tcp":  {libcoapPlain, doors["coap+tcp"]},
		"coaps+tcp": {libcoapOpenSSL, doors["coaps+tcp"], "-C", from.File, "-c", certificate, "-j", key},
	}
}

// TestLibcoapBlocks moves bodies in blocks of each size in both directions, the small one and the large one: what PUT leaves at
// a topic comes back with GET, what POST leaves in a queue comes out over HTTP, and what AMQP leaves there with POST.
func TestLibcoapBlocks(t *testing.T) {
	need(t, libcoapPlain, libcoapOpenSSL, "curl")
	from := gatewaytest.New(t)
	g := startCoAP(t, from)
	for scheme, carrier := range libcoapCarriers(t, g, from) {
		for _, bytes := range []int{6_668, 200_000} {
			file, content := pattern(t, bytes)
			for _, size := range []string{"16", "32", "64", "128", "256", "512", "1024"} {
				t.Run(fmt.Sprintf("%s %d in blocks of %s", scheme, bytes, size), func(t *testing.T) {
					name := strings.ReplaceAll(scheme, "+", "-") + "-" + strconv.Itoa(bytes) + "-" + size
					g.movesBlocks(t, carrier, size, name, file, content)
				})
			}
		}
	}
}

func (g *gateway) movesBlocks(t *testing.T, carrier []string, size, name, file string, content []byte) {
	t.Helper()
	run := func(method, path string, more ...string) answered {
		t.Helper()
		args := append(append(carrier[2:len(carrier):len(carrier)], "-b", size, "-m", method), more...)
		return libcoap(t, carrier[0], append(args, carrier[1]+path)...)
	}
	same := func(what string, got []byte) {
		t.Helper()
		if !bytes.Equal(got, content) {
			t.Fatalf("%s: %d bytes came back, or others, want %d", what, len(got), len(content))
		}
	}
	topic, queue := "/a/telemetry/"+name, "queues/"+name

	run("put", topic, "-f", file, "-t", "42").want(t, "2.04")
	got := run("get", topic)
	got.want(t, "2.05")
	same("PUT and GET", got.body)

	run("post", "/a/"+queue, "-f", file, "-t", "42").want(t, "2.04")
	received := filepath.Join(t.TempDir(), "received")
	headers := ask(t, "curl", "-sS", "-D", "-", "-o", received, "-X", "POST", g.messages(queue)+"/head")
	body, err := os.ReadFile(received)
	if err != nil || !strings.Contains(strings.ToLower(headers), "content-type: application/octet-stream") {
		t.Fatalf("received %v with\n%s", err, headers)
	}
	same("POST and HTTP", body)
	g.remove(t, headers)

	g.sendAMQP(t, queue, "--file", file)
	got = run("post", "/q/"+queue+"/head")
	got.want(t, "2.05")
	same("AMQP and POST", got.body)
	run("delete", "/l/"+got.lock(t)).want(t, "2.02")
	g.isEmpty(t, queue)
}

// lock gives the token of the lock that an answer brings.
func (a answered) lock(t *testing.T) string {
	t.Helper()
	found := coapLock.FindStringSubmatch(a.log)
	if found == nil {
		t.Fatalf("no lock in\n%.2000s", a.log)
	}
	return found[1]
}

// TestLibcoapObserves: what a confirmable request brings is notified by a confirmable message, and what is not by one that is
// not; over TCP there is no such difference.
func TestLibcoapObserves(t *testing.T) {
	need(t, libcoapPlain, libcoapOpenSSL, "curl")
	from := gatewaytest.New(t)
	g := startCoAP(t, from)
	for scheme, carrier := range libcoapCarriers(t, g, from) {
		t.Run(scheme, func(t *testing.T) {
			uri := carrier[1] + "/a/telemetry/" + strings.ReplaceAll(scheme, "+", "-")
			options := carrier[2:len(carrier):len(carrier)]
			observe := append([]string{"-oL", carrier[0], "-v", "6", "-s", "60", "-w"}, options...)
			observer := inBackground(t, "stdbuf", append(observe, uri)...)
			observer.await(t, "c:2.05")                   // the answer: what it asks for it prints before it asks
			for _, kind := range []string{"CON", "NON"} { // the first is acknowledged, which proves the address (RFC 9175 section 2.4)
				args := append([]string{"-m", "post", "-e", "by " + kind}, options...)
				if kind == "NON" {
					args = append(args, "-N")
				}
				args = append(args, uri)
				libcoap(t, carrier[0], args...).want(t, "2.04")
				if strings.HasSuffix(scheme, "+tcp") {
					kind = "CON" // which libcoap prints where there is neither
					observer.await(t, "c:2.05")
				} else {
					observer.await(t, "t:"+kind+" c:2.05")
				}
			}
			if code := status(t, "-d", "by HTTP", g.messages("telemetry/"+strings.ReplaceAll(scheme, "+", "-"))); code != "201" {
				t.Fatalf("sending gave %s", code)
			}
			observer.await(t, "by HTTP")
		})
	}
}

// TestLibcoapLogsIn by pre-shared keys and by certificates. Its events go to the address of the user that it is (docs/coap.md,
// Eclipse Hono), which says who the gateway takes it for.
func TestLibcoapLogsIn(t *testing.T) {
	need(t, libcoapPlain, libcoapOpenSSL, libcoapGnuTLS)
	from, stranger := gatewaytest.New(t), gatewaytest.New(t)
	g := startCoAP(t, from)
	doors := g.coapDoors()
	certificate, key := from.Client("device")
	unknown, unknownKey := stranger.Client("device")
	for _, build := range []string{libcoapOpenSSL, libcoapGnuTLS} {
		for _, c := range []struct {
			name, scheme string
			args         []string
			user         string // nobody when it is refused
		}{
			{"key", "coaps", []string{"-u", "sensor1", "-k", coapKey}, "sensor1"},
			{"key in its tenant", "coaps", []string{"-u", "sensor1@default", "-k", coapKey}, "sensor1"},
			{"wrong key", "coaps", []string{"-u", "sensor1", "-k", "sesame"}, ""},
			{"key of nobody", "coaps", []string{"-u", "sensor2", "-k", coapKey}, ""},
			{"key in no tenant", "coaps", []string{"-u", "sensor1@nowhere", "-k", coapKey}, ""},
			{"certificate", "coaps", []string{"-C", from.File, "-c", certificate, "-j", key}, "device"},
			{"certificate of a stranger", "coaps", []string{"-R", from.File, "-c", unknown, "-j", unknownKey}, ""},
			{"distrust", "coaps", []string{"-C", stranger.File, "-c", certificate, "-j", key}, ""},
			{"certificate", "coaps+tcp", []string{"-C", from.File, "-c", certificate, "-j", key}, "device"},
			{"certificate of a stranger", "coaps+tcp", []string{"-R", from.File, "-c", unknown, "-j", unknownKey}, ""},
			{"distrust", "coaps+tcp", []string{"-C", stranger.File, "-c", certificate, "-j", key}, ""},
		} {
			t.Run(build+" "+c.scheme+" "+c.name, func(t *testing.T) {
				sent := libcoap(t, build, append(c.args, "-B", "10", "-m", "post", "-e", c.name, doors[c.scheme]+"/event")...)
				if c.user == "" {
					sent.want(t, "")
					g.isEmpty(t, "event/sensor1")
					g.isEmpty(t, "event/device")
					return
				}
				sent.want(t, "2.04")
				got := libcoap(t, libcoapPlain, "-m", "delete", doors["coap"]+"/q/event/"+c.user+"/head")
				if string(got.body) != c.name {
					t.Errorf("%q came with\n%s", got.body, got.log)
				}
			})
		}
	}
}

// TestLibcoapIsAnswered: each answer has its code, over each carrier.
func TestLibcoapIsAnswered(t *testing.T) {
	need(t, libcoapPlain, libcoapOpenSSL)
	from := gatewaytest.New(t)
	g := startCoAP(t, from)
	large, _ := pattern(t, 2<<20)
	for scheme, carrier := range libcoapCarriers(t, g, from) {
		for _, c := range []struct{ args, want string }{
			{"get /nothing", "4.04"},
			{"get /a/telemetry/empty", "4.04"},
			{"post /a/nowhere -e x", "4.04"},
			{"delete /l/AAAAAAAAAAAAAAAAAAAAAA", "4.04"},
			{"delete /a/queues/x", "4.05"},
			{"get /a/telemetry/x -O 65001,x", "4.02"}, // critical, and nobody knows it
			{"post /a/queues/x -e x -O 65000,x", "2.04"},
			{"delete /q/queues/x/head", "2.05"},
			{"get /a/telemetry/x -O 35,coap://127.0.0.1/x", "5.05"},
			{"post /a/queues/x?colour=red -e x", "4.00"},
			{"post /a/commands/x -e x", "5.03"}, // nobody is there to take it
			{"post /a/queues/x -f " + large, "4.13"},
			{"put /a/telemetry/x -e 1 -t 0", "2.04"},
			{"get /a/telemetry/x -A 60", "4.06"},
			{"put /a/telemetry/x -e 2 -O 5,", "4.12"}, // If-None-Match
			{"get /.well-known/core", "2.05"},
			{"post /q/queues/x/head?timeout=0", "2.04"},
		} {
			t.Run(scheme+" "+strings.ReplaceAll(c.args, large, "large"), func(t *testing.T) {
				words := strings.Fields(c.args)
				args := append(append(carrier[2:len(carrier):len(carrier)], "-m", words[0]), words[2:]...)
				libcoap(t, carrier[0], append(args, carrier[1]+words[1])...).want(t, c.want)
			})
		}
		g.isEmpty(t, "queues/x")
	}
}

// TestLibcoapDiscovers what there is, and selects of it.
func TestLibcoapDiscovers(t *testing.T) {
	need(t, libcoapPlain)
	g := startCoAP(t, gatewaytest.New(t))
	for _, door := range []string{g.coapDoors()["coap"], g.coapDoors()["coap+tcp"]} {
		all := libcoap(t, libcoapPlain, door+"/.well-known/core")
		some := libcoap(t, libcoapPlain, door+"/.well-known/core?rt=manifold.broadcast")
		if !strings.Contains(all.log, "Content-Format:application/link-format") || !bytes.Contains(all.body, []byte("</ps>")) ||
			!bytes.HasPrefix(some.body, []byte("</a/alerts>;")) || bytes.Contains(some.body, []byte("</ps>")) {
			t.Errorf("there is %s, of which %s is selected", all.body, some.body)
		}
	}
}

// TestLibcoapRepeatsWhatIsLost: a request whose datagrams are lost at first is handled once.
func TestLibcoapRepeatsWhatIsLost(t *testing.T) {
	need(t, libcoapPlain)
	g := startCoAP(t, gatewaytest.New(t))
	file, content := pattern(t, 3000)
	libcoap(t, libcoapPlain, "-l", "1,3", "-m", "post", "-f", file, g.coapDoors()["coap"]+"/a/queues/lossy").want(t, "2.04")
	got := libcoap(t, libcoapPlain, "-m", "delete", g.coapDoors()["coap"]+"/q/queues/lossy/head")
	if !bytes.Equal(got.body, content) {
		t.Errorf("%d bytes came", len(got.body))
	}
	g.isEmpty(t, "queues/lossy")
}

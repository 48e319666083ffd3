package main

import (
	"os/exec"
	"strconv"
	"strings"
)

// foundLibcoap looks for libcoap's example server, which makes a resource of what is put somewhere, and keeps the last.
func foundLibcoap() server {
	return found(server{name: libcoap, versionAt: libcoapVersion, configure: configureLibcoap, place: libcoapPlace,
		flags: []string{"--put"},
		note: "libcoap's example server without DTLS, which keeps what a PUT brings in a resource that it makes for it, in one " +
			"thread, and remembers nothing of requests: a duplicate is done again"},
		"coap-server-notls", "coap-server")
}

func configureLibcoap(string) (plan, error) {
	port, err := freePort()
	const resources = "10"
	return plan{args: []string{"-A", "127.0.0.1", "-p", strconv.Itoa(port), "-d", resources},
		doors: map[protocol]string{coap: loopback(port)}}, err
}

func libcoapPlace(sc scenario) string { return strings.TrimPrefix(sc.place, coapPath("")) }

// libcoapVersion reads the first line of what the server says of its arguments, which it does not end well.
func libcoapVersion(binary string) string {
	out, _ := exec.Command(binary, "-h").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if _, version, ok := strings.Cut(line, " v"); ok {
			number, _, _ := strings.Cut(version, " ")
			return "libcoap " + number
		}
	}
	return "unknown"
}

//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// guarded runs a gateway behind TLS with users whose password is "secret", each kept in another form, and device, who
// shows a certificate.
func guarded(t *testing.T, from *gatewaytest.Authority) *gateway {
	t.Helper()
	var users strings.Builder
	for name, form := range map[string]string{"ann": "SCRAM-SHA-256", "ben": "SCRAM-SHA-512"} {
		passwd := exec.Command(binary, "passwd", name, "--form", form)
		passwd.Stdin = strings.NewReader("secret\n")
		line, err := passwd.Output()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&users, "  %s", line)
	}
	certificate, key := from.Server()
	return startWith(t, t.TempDir(), fmt.Sprintf(`
tls: {certificate: %s, key: %s, clientCA: %s, clientAuth: optional}
mqtt: {port: 0, tlsPort: 0, webSocket: {enabled: false}}
amqp: {port: 0, tlsPort: 0}
stomp: {port: 0, tlsPort: 0}
coap: {enabled: false}
http: {port: 0, tlsPort: 0}
admin: {port: 0}
addresses: [{name: jobs, kind: queue}]
users:
  - {name: device}
%s`, certificate, key, from.File, &users))
}

// succeeds runs a client and tells whether it ended well.
func succeeds(t *testing.T, name string, args ...string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Logf("%s: %v\n%s", name, err, bytes.TrimSpace(out))
	}
	return err == nil
}

func TestProtonLogsIn(t *testing.T) {
	need(t, "python3-qpid-proton")
	from := gatewaytest.New(t)
	g := guarded(t, from)
	certificate, key := from.Client("device")
	plain, secure := "amqp://"+g.doors["amqp"], "amqps://"+strings.Replace(g.doors["amqps"], "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		args string
		want string
	}{
		{plain + " jobs PLAIN ann secret", "in by PLAIN"},
		{plain + " jobs PLAIN ben secret", "in by PLAIN"},
		{plain + " jobs PLAIN ann wrong", "refused: amqp:unauthorized-access"},
		{plain + " jobs PLAIN nobody secret", "refused: amqp:unauthorized-access"},
		{plain + " jobs PLAIN ann@nobody secret", "refused: amqp:unauthorized-access"},
		{plain + " jobs ANONYMOUS", "refused: amqp:unauthorized-access"},
		{secure + " jobs PLAIN ann secret " + from.File, "in by PLAIN"},
		{secure + " jobs EXTERNAL device - " + from.File + " " + certificate + " " + key, "in by EXTERNAL"},
		{secure + " jobs EXTERNAL device - " + from.File, "refused: amqp:unauthorized-access"},
	} {
		script := append([]string{filepath.Join("testdata", "sasl", "login.py")}, strings.Fields(c.args)...)
		if got := strings.TrimSpace(ask(t, debianPython, script...)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
}

// TestQpidJMSLogsIn: of what is offered, and of what it is told to use, Qpid JMS takes SCRAM before PLAIN.
func TestQpidJMSLogsIn(t *testing.T) {
	need(t, "javac", "mvn", qpidJMS)
	g := guarded(t, gatewaytest.New(t))
	classes, libraries := t.TempDir(), filepath.Join(jars, "*")
	ask(t, "javac", "-encoding", "UTF-8", "-d", classes, "-cp", libraries, filepath.Join("testdata", "sasl", "Login.java"))
	args := []string{"-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", classes + ":" + libraries, "Login"}
	var want []string
	for _, c := range []struct {
		mechanism, user, password, want string
	}{
		{"SCRAM-SHA-256", "ann", "secret", "in"},
		{"SCRAM-SHA-512", "ben", "secret", "in"},
		{"PLAIN", "ann", "secret", "in"},
		{"SCRAM-SHA-256", "ann@default", "secret", "in"},
		{"SCRAM-SHA-256", "ann", "wrong", "refused"},
		{"SCRAM-SHA-256", "nobody", "secret", "refused"},
		{"SCRAM-SHA-512", "ann", "secret", "refused"},
		{"PLAIN", "ann", "wrong", "refused"},
		{"ANONYMOUS", "ann", "secret", "refused"},
	} {
		url := "amqp://" + g.doors["amqp"] + "?amqp.saslMechanisms=" + c.mechanism
		args, want = append(args, url, c.user, c.password), append(want, c.want)
	}
	if got := strings.Fields(ask(t, "java", args...)); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMosquittoLogsInOverTLS(t *testing.T) {
	need(t, "mosquitto_pub")
	from := gatewaytest.New(t)
	g := guarded(t, from)
	certificate, key := from.Client("device")
	_, port, _ := strings.Cut(g.doors["mqtts"], ":")
	for _, version := range versions {
		for _, c := range []struct {
			args []string
			want bool
		}{
			{[]string{"-u", "ann", "-P", "secret"}, true},
			{[]string{"-u", "ann@default", "-P", "secret"}, true},
			{[]string{"--cert", certificate, "--key", key}, true},
			{[]string{"-u", "ann", "-P", "wrong"}, false},
			{[]string{"-u", "nobody", "-P", "secret"}, false},
			{[]string{"-u", "ann@nobody", "-P", "secret"}, false},
			{nil, false},
		} {
			args := append([]string{"-h", "localhost", "-p", port, "--cafile", from.File, "-V", version, "-q", "1",
				"-t", "jobs", "-m", "x"}, c.args...)
			if succeeds(t, "mosquitto_pub", args...) != c.want {
				t.Errorf("%s %v: want success %t", version, c.args, c.want)
			}
		}
	}
}

func TestCurlLogsInOverTLS(t *testing.T) {
	need(t, "curl")
	from := gatewaytest.New(t)
	g := guarded(t, from)
	certificate, key := from.Client("device")
	_, port, _ := strings.Cut(g.doors["https"], ":")
	for _, version := range []string{"--http1.1", "--http2"} {
		for _, c := range []struct {
			args []string
			path string
			want string
		}{
			{[]string{"-u", "ann:secret"}, "default", "201"},
			{[]string{"-u", "ann@default:secret"}, "default", "201"},
			{[]string{"--cert", certificate, "--key", key}, "default", "201"},
			{[]string{"-u", "ann:wrong"}, "default", "401"},
			{[]string{"-u", "nobody:secret"}, "default", "401"},
			{[]string{"-u", "ann:secret"}, "nobody", "401"},
			{[]string{"-H", "Authorization: Bearer x"}, "default", "401"},
			{nil, "default", "401"},
		} {
			args := append([]string{version, "--cacert", from.File, "-d", "x"}, c.args...)
			code := status(t, append(args, "https://localhost:"+port+"/v1/"+c.path+"/jobs/messages")...)
			if code != c.want {
				t.Errorf("%s %v: status %s, want %s", version, c.args, code, c.want)
			}
		}
	}
}

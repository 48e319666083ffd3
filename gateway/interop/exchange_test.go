//go:build interop

package interop

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a client may run, and a server may take to start, on a machine that has much else to do.
const patience = 5 * time.Minute

// command makes a client that is killed when it runs too long, and with the test what it has started and left behind.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	process := exec.CommandContext(ctx, name, args...)
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }
	process.WaitDelay = time.Second
	t.Cleanup(func() {
		cancel()
		if process.Process != nil {
			process.Cancel()
		}
	})
	return process
}

// ask runs a client to its end and gives what it printed.
func ask(t *testing.T, name string, args ...string) string {
	t.Helper()
	return output(t, command(t, name, args...))
}

// output is ask for a client that needs more than arguments.
func output(t *testing.T, process *exec.Cmd) string {
	t.Helper()
	out, err := process.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(process.Args, " "), err, out)
	}
	return string(out)
}

// mqtt gives the arguments that lead a mosquitto client to the gateway.
func (g *gateway) mqtt(t *testing.T, args ...string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(g.doors["mqtt"])
	if err != nil {
		t.Fatalf("no MQTT door: %v", err)
	}
	return append([]string{"-h", host, "-p", port}, args...)
}

// messages is the path of an address at the HTTP door.
func (g *gateway) messages(address string) string {
	return "http://" + g.doors["http"] + "/v1/default/" + address + "/messages"
}

// background is a client that goes on while the test does.
type background struct {
	process *exec.Cmd
	input   io.Writer
	lines   *bufio.Scanner
}

func inBackground(t *testing.T, name string, args ...string) *background {
	t.Helper()
	b := &background{process: command(t, name, args...)}
	b.process.Stderr = os.Stderr
	out, err := b.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if b.input, err = b.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := b.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.process.Process.Kill()
		b.process.Wait()
	})
	b.lines = bufio.NewScanner(out)
	return b
}

// await reads what the client prints up to a line that has a text in it.
func (b *background) await(t *testing.T, text string) {
	t.Helper()
	for b.lines.Scan() {
		if strings.Contains(b.lines.Text(), text) {
			return
		}
	}
	t.Fatalf("%s ended without printing %q", b.process.Args[0], text)
}

// say writes a line to the client's input.
func (b *background) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(b.input, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// versions are the MQTT versions as mosquitto names them.
var versions = []string{"mqttv31", "mqttv311", "mqttv5"}

func TestMosquittoSubscriberHearsMosquittoPublisher(t *testing.T) {
	need(t, "mosquitto_pub", "mosquitto_sub")
	g := start(t, t.TempDir())
	for _, version := range versions {
		for _, address := range []string{"telemetry/a", "jobs", "commands/a", "alerts"} {
			t.Run(version+" "+address, func(t *testing.T) {
				subscriber := inBackground(t, "stdbuf", append([]string{"-oL", "mosquitto_sub"},
					g.mqtt(t, "-V", version, "-d", "-q", "1", "-t", address)...)...)
				subscriber.await(t, "Subscribed")
				ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-t", address, "-m", "over "+version)...)
				subscriber.await(t, "over "+version)
			})
		}
	}
}

func TestMQTTPublisherFillsQueueForCurl(t *testing.T) {
	need(t, "mosquitto_pub", "curl")
	g := start(t, t.TempDir())
	for _, version := range versions {
		ask(t, "mosquitto_pub", g.mqtt(t, "-V", version, "-q", "1", "-t", "jobs", "-m", "job over "+version)...)
		answer := ask(t, "curl", "-sSi", "-X", "POST", g.messages("jobs")+"/head")
		if !strings.Contains(answer, "job over "+version) {
			t.Fatalf("received\n%s", answer)
		}
		g.remove(t, answer)
	}
}

func TestQueueSurvivesRestart(t *testing.T) {
	need(t, "curl")
	folder := t.TempDir()
	before := start(t, folder)
	if code := ask(t, "curl", "-sS", "-w", "%{http_code}", "-d", "kept", before.messages("jobs")); code != "201" {
		t.Fatalf("sending gave %s", code)
	}
	before.stop(t)
	after := start(t, folder)
	answer := ask(t, "curl", "-sSi", "-X", "POST", after.messages("jobs")+"/head")
	if !strings.Contains(answer, "kept") {
		t.Fatalf("received\n%s", answer)
	}
	after.remove(t, answer)
}

func TestCurlStreamHearsMosquittoPublisher(t *testing.T) {
	need(t, "mosquitto_pub", "curl")
	g := start(t, t.TempDir())
	url := strings.TrimSuffix(g.messages("telemetry/a"), "messages") + "stream"
	stream := inBackground(t, "curl", "-sSNi", url)
	stream.await(t, "200")
	ask(t, "mosquitto_pub", g.mqtt(t, "-q", "1", "-t", "telemetry/a", "-m", "streamed")...)
	stream.await(t, "streamed")
}

// location is the header that names the lock of a received message.
var location = regexp.MustCompile(`(?mi)^location: (\S+)`)

// remove settles a message that curl received: it is taken for good.
func (g *gateway) remove(t *testing.T, answer string) {
	t.Helper()
	found := location.FindStringSubmatch(answer)
	if found == nil {
		t.Fatalf("no Location in\n%s", answer)
	}
	url := "http://" + g.doors["http"] + found[1]
	if code := ask(t, "curl", "-sS", "-w", "%{http_code}", "-X", "DELETE", url); code != "204" {
		t.Errorf("removing gave %s", code)
	}
}

package check

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// onFreePorts is a gateway of which tests need HTTP and the admin door only.
const onFreePorts = `
anonymous: true
mqtt: {enabled: false}
amqp: {enabled: false}
stomp: {enabled: false}
coap: {enabled: false}
http: {port: 0}
admin: {port: 0}
addresses: [{name: jobs, kind: queue}, {name: alerts, kind: broadcast}]
webhooks: [{name: hook, from: jobs, url: "https://hook.example"}]
tracing: {endpoint: "http://127.0.0.1:9", ratio: 1} # nobody is there
`

// door is a line of what manifold says when it is ready.
var door = regexp.MustCompile(`^  (\w+) +(\S+:\d+)`)

// start runs a gateway until the test ends and gives the addresses of its doors by name.
func start(t *testing.T) (doors map[string]string) {
	t.Helper()
	gateway := exec.Command(binary, "run", "-c", write(t, "manifold.yaml", onFreePorts), "--data", t.TempDir())
	out, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		gateway.Process.Signal(syscall.SIGTERM)
		if err := gateway.Wait(); err != nil {
			t.Errorf("manifold ended with %v", err)
		}
	})
	doors = make(map[string]string)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := door.FindStringSubmatch(lines.Text()); found != nil {
			doors[found[1]] = found[2]
		} else if lines.Text() == "" && len(doors) > 0 {
			return doors
		}
	}
	t.Fatal("manifold ended before it was ready")
	return nil
}

// get fetches a page.
func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %s", url, answer.StatusCode, err, page)
	}
	return string(page)
}

// send sends a message and wants a status.
func send(t *testing.T, doors map[string]string, address string, status int) {
	t.Helper()
	answer, err := http.Post("http://"+doors["http"]+"/v1/default/"+address+"/messages", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != status {
		t.Fatalf("sending to %s gave %d, want %d", address, answer.StatusCode, status)
	}
}

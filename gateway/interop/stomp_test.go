//go:build interop

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// stompConfiguration has the users and addresses that the tests of stomp.py and stompjs expect, on fixed ports.
const stompConfiguration = `
http: {port: 15674}
addresses:
  - {name: chat.general, kind: topic}
  - {name: "#", kind: queue}
users:
`

// startSTOMP starts manifold for tests with fixed ports in a network of its own, which it gives.
func startSTOMP(t *testing.T) network {
	t.Helper()
	text := stompConfiguration
	for _, user := range [][2]string{{"guest", "guest"}, {"admin", "password"}, {"testuser", "password"}} {
		make := exec.Command(binary, "passwd", user[0])
		make.Stdin = strings.NewReader(user[1] + "\n")
		line, err := make.Output()
		if err != nil {
			t.Fatal(err)
		}
		text += "  " + string(line)
	}
	n := newNetwork(t)
	startIn(t, n, t.TempDir(), text)
	return n
}

// TestStompPyOwnTests runs the tests that stomp.py has of its own client, of those that need a broker: with the sources that
// they belong to, and with Debian's version.
func TestStompPyOwnTests(t *testing.T) {
	need(t, stompPy, stompPySources)
	tests := []string{
		"test_s10", "test_s11", "test_s12", "test_basic", "test_nonascii", "test_context", "test_threading", "test_rabbitmq",
		"test_artemis", "test_activemq",
	}
	for version, c := range map[string]struct {
		python string
		more   []string
	}{
		"sources": {python, []string{"test_rabbitmq_ws", "test_misc", "test_cli", "test_ss"}},
		"Debian":  {debianPython, nil},
	} {
		t.Run(version, func(t *testing.T) {
			n, folder, library := startSTOMP(t), t.TempDir(), os.Getenv(stompPySources)
			if version == "Debian" {
				library = ""
			}
			if err := os.CopyFS(filepath.Join(folder, "tests"), os.DirFS(filepath.Join(os.Getenv(stompPySources), "tests"))); err != nil {
				t.Fatal(err)
			}
			args := []string{c.python, "-m", "pytest", "-q", "--timeout", "60"}
			for _, name := range append(tests, c.more...) {
				args = append(args, filepath.Join("tests", name+".py"))
			}
			pytest := n.command(t, args...)
			pytest.Dir = folder
			pytest.Env = append(os.Environ(), "PYTHONPATH="+library,
				"STD_HOST=127.0.0.1", "STD_PORT=61613", "RABBITMQ_HOST=127.0.0.1", "RABBITMQ_PORT=61613",
				"RABBITMQ_WS_HOST=127.0.0.1", "RABBITMQ_WS_PORT=15674", "ARTEMIS_HOST=127.0.0.1", "ARTEMIS_PORT=61613")
			t.Log(lastLine(output(t, pytest)))
		})
	}
}

// TestStompPy runs the checks of testdata/stomp/flow.py with the newest stomp.py.
func TestStompPy(t *testing.T) {
	need(t, stompPy)
	g := start(t, t.TempDir())
	report(t, command(t, python, filepath.Join("testdata", "stomp", "flow.py"), g.doors["stomp"]))
}

// stompJSTimed are the specifications of stompjs in which a client has to be back before a delay has passed one and a half times,
// with as little as 200 ms for all that a process, a broker and the machine do in between. A busy machine makes any of them late,
// with any broker, so that each is run by itself and has to hold in one of stompJSAttempts.
var stompJSTimed = []string{
	"Reconnection delays Default Linear mode Should ensure the reconnect delays stay the same in default linear mode",
	"Reconnection delays Default Linear mode Should ignore maxReconnectDelay and only use reconnectDelay",
	"Reconnection delays Exponential mode Should ensure the reconnect delays increase in backoff mode",
	"Reconnection delays Exponential mode Should respect maxReconnectDelay in exponential mode",
	"Reconnection delays Exponential mode Should use maxReconnectDelay as base when less than reconnectDelay",
	"Recconection delay lifecycle with activation/deactivation Should use new reconnectDelay after deactivate/activate cycle",
	"Recconection delay lifecycle with activation/deactivation Should reset delays after deactivate",
}

const stompJSAttempts = 5

// TestStompJS runs stompjs's own specifications over WebSocket and over TCP.
func TestStompJS(t *testing.T) {
	need(t, "node", "npm", stompJSSources)
	n, folder := startSTOMP(t), t.TempDir()
	for _, name := range []string{"spec", "bundles"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join(os.Getenv(stompJSSources), name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(nodeModules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"websocket", "tcp"} {
		run := func(pattern string) (out string) {
			jasmine := n.command(t, "node", filepath.Join(nodeModules, ".bin", "jasmine"), "--filter=^"+pattern)
			jasmine.Dir = folder
			jasmine.Env = append(os.Environ(), "CONN_MODE="+transport)
			said, _ := jasmine.CombinedOutput() // whose code tells no more than that
			return string(said)
		}
		const reconnect = "Stomp Reconnect "
		t.Run(transport, func(t *testing.T) {
			out := run("(?!" + reconnect + "(" + strings.Join(stompJSTimed, "|") + ")$)")
			if !strings.Contains(out, " 0 failures") {
				t.Error(out)
			}
			t.Log(jasmineCount.FindString(out))
		})
		for _, name := range stompJSTimed {
			t.Run(transport+" "+name, func(t *testing.T) {
				var out string
				for attempt := range stompJSAttempts {
					if out = run(reconnect + name + "$"); strings.Contains(out, "1 spec, 0 failures") {
						t.Logf("attempt %d of %d", attempt+1, stompJSAttempts)
						return
					}
				}
				t.Error(out)
			})
		}
	}
}

// jasmineCount is what jasmine says that it has run.
var jasmineCount = regexp.MustCompile(`\d+ specs?, \d+ failures?.*`)

// TestStompit runs the checks of testdata/stomp/stompit.cjs.
func TestStompit(t *testing.T) {
	need(t, "node", "npm")
	g := start(t, t.TempDir())
	report(t, node(t, filepath.Join("testdata", "stomp", "stompit.cjs"), g.doors["stomp"]))
}

// TestStompInJava runs the checks of testdata/stomp with the clients of Spring and of ActiveMQ.
func TestStompInJava(t *testing.T) {
	need(t, "javac", "mvn", springMessaging)
	g := start(t, t.TempDir())
	sources, err := filepath.Glob(filepath.Join("testdata", "stomp", "*.java"))
	if err != nil {
		t.Fatal(err)
	}
	classes, libraries := t.TempDir(), filepath.Join(stompJars, "*")
	ask(t, "javac", append([]string{"-encoding", "UTF-8", "-d", classes, "-cp", libraries}, sources...)...)
	report(t, exec.CommandContext(t.Context(), "java", "-Dfile.encoding=UTF-8",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", classes+":"+libraries, "Run", g.doors["stomp"], g.doors["http"]))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

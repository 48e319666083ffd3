//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// qpidTools are the tools of the Qpid Dispatch Router, from its sources, and where they ask.
type qpidTools struct {
	bus     []string // the flags that lead them to a gateway
	modules string   // a folder with the module that a build of the router would make with Debian's libwebsockets
}

// newQpidTools leads the tools to a gateway.
func newQpidTools(t *testing.T, bus ...string) *qpidTools {
	t.Helper()
	need(t, "python3-qpid-proton", qpidDispatch)
	modules := t.TempDir()
	site := "VERSION = 'sources'\nLIBWEBSOCKETS_VERSION = (4, 1, 6)\nSKIP_DELETE_HTTP_LISTENER = True\n\n\ndef populate_pythonpath():\n    pass\n"
	if err := os.WriteFile(filepath.Join(modules, "qpid_dispatch_site.py"), []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	return &qpidTools{bus: bus, modules: modules}
}

// command prepares a tool.
func (q *qpidTools) command(t *testing.T, tool string, args ...string) *exec.Cmd {
	t.Helper()
	sources := os.Getenv(qpidDispatch)
	process := exec.CommandContext(t.Context(), debianPython, append(append([]string{filepath.Join(sources, "tools", tool)}, q.bus...), args...)...)
	process.Env = append(os.Environ(), "PYTHONPATH="+q.modules+string(filepath.ListSeparator)+filepath.Join(sources, "python"))
	return process
}

// stat is what qdstat prints.
func (q *qpidTools) stat(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, q.command(t, "qdstat", args...))
}

// manage is what qdmanage prints, read as JSON.
func (q *qpidTools) manage(t *testing.T, args ...string) (read any) {
	t.Helper()
	text := output(t, q.command(t, "qdmanage", args...))
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatalf("qdmanage %v: %v\n%s", args, err, text)
	}
	return read
}

// fails expects a tool to end with an error that has words in it.
func (q *qpidTools) fails(t *testing.T, words, tool string, args ...string) {
	t.Helper()
	out, err := q.command(t, tool, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), words) {
		t.Errorf("%s %v: %v, want %q in it\n%s", tool, args, err, words, out)
	}
}

func TestQdstatPrintsItsTables(t *testing.T) {
	g := start(t, t.TempDir())
	q := newQpidTools(t, "-b", g.doors["amqp"])
	ask(t, binary, "send", "--url", "amqp://"+g.doors["amqp"], "jobs", "x")
	printed := make(map[string]string) // by flags
	for _, c := range []struct{ flags, want string }{
		{"-g", `(?m)^  Mode +standalone$`},
		{"-g", `(?m)^  Addresses +9$`},
		{"-g", `(?m)^  Connections +[1-9]`},
		{"-g", `(?m)^  VmSize +[1-9]`},
		{"-c", `(?m)^  id +host +container +role +proto +dir +security +authentication +tenant +last dlv +uptime$`},
		{"-c", `(?m)^  \d+ +127\.0\.0\.1:\d+ +\S+ +normal +amqp +in +no-security +no-auth +default `},
		{"-l", `(?m)^  endpoint +in +\d+ +\S+ +mobile +\$management +0 `},
		{"-l", `(?m)^  endpoint +out +\d+ +\S+ +local +temp/\w+ `},
		{"-a", `(?m)^  mobile +jobs +0 +balanced +- +0 +0 +1 +0 `},
		{"-a", `(?m)^  mobile +telemetry/# +0 +multicast `},
		{"-a --limit 2", `(?m)^  mobile +alerts +0 +multicast `},
		{"-a --csv", `"mobile","jobs","0","balanced"`},
		{"-m", `(?m)^  heap/objects +1 +0 +0 +[1-9][0-9,]+ `},
		{"-n", `Router is Standalone`},
		{"--policy", `Maximum Message Size +1048576`},
		{"--autolinks", `No AutoLinks found`},
		{"--linkroutes", `No Link Routes found`},
		{"--vhosts", `No Vhosts`},
		{"-a -v", `to-proc +from-proc`},
		{"-l -v", `admin +oper +name`},
	} {
		if printed[c.flags] == "" {
			printed[c.flags] = q.stat(t, strings.Fields(c.flags)...)
		}
		if got := printed[c.flags]; !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("qdstat %s: no %s in\n%s", c.flags, c.want, got)
		}
	}
	name := regexp.MustCompile(`(?m)^  Router Id +(\S+)$`).FindStringSubmatch(printed["-g"])
	if name == nil {
		t.Fatal("the router has no name")
	}
	if got := q.stat(t, "-r", name[1], "-a"); !strings.Contains(got, "jobs") {
		t.Errorf("a router that is called by its name: %s", got)
	}
}

func TestQdmanageManagesAnAddress(t *testing.T) {
	g := start(t, t.TempDir())
	q := newQpidTools(t, "-b", g.doors["amqp"])
	field := func(entity any, name string) any {
		t.Helper()
		fields, ok := entity.(map[string]any)
		if !ok {
			t.Fatalf("%v is no entity", entity)
		}
		return fields[name]
	}
	named := []string{"--type", "address", "--name", "orders"}
	made := q.manage(t, append([]string{"create"}, append(named, "prefix=orders", "waypoint=true")...)...)
	if field(made, "distribution") != "balanced" || field(made, "kind") != "queue" {
		t.Errorf("made %v", made)
	}
	ask(t, binary, "send", "--url", "amqp://"+g.doors["amqp"], "orders/1", "x")
	if got := ask(t, binary, "receive", "--url", "amqp://"+g.doors["amqp"], "orders/1", "--count", "1"); got != "x\n" {
		t.Errorf("received %q", got)
	}
	if got := field(q.manage(t, "read", "--name", "orders"), "prefix"); got != "orders" {
		t.Errorf("read %v", got)
	}
	if got := field(q.manage(t, append([]string{"update"}, append(named, "distribution=multicast")...)...), "kind"); got != "topic" {
		t.Errorf("updated to %v", got)
	}
	var names []string
	for _, entity := range q.manage(t, "query", "--type", "address").([]any) {
		names = append(names, fmt.Sprint(field(entity, "name")))
	}
	if got := strings.Join(names, " "); !strings.Contains(got, "orders") || !strings.Contains(got, "jobs") {
		t.Errorf("declared are %s", got)
	}
	q.fails(t, "BadRequestStatus", "qdmanage", append([]string{"create"}, append(named, "prefix=orders")...)...)
	q.fails(t, "ForbiddenStatus", "qdmanage", "delete", "--type", "address", "--name", "jobs")
	q.fails(t, "BadRequestStatus", "qdmanage", "create", "--type", "address", "distribution=balanced")
	q.manage(t, append([]string{"delete"}, named...)...)
	q.fails(t, "NotFoundStatus", "qdmanage", append([]string{"delete"}, named...)...)
	if succeeds(t, binary, "send", "--url", "amqp://"+g.doors["amqp"], "orders/1", "x") {
		t.Error("what has been deleted is there")
	}
}

func TestQdmanageIsToldTheSchema(t *testing.T) {
	g := start(t, t.TempDir())
	q := newQpidTools(t, "-b", g.doors["amqp"])
	const address = "org.apache.qpid.dispatch.router.config.address"
	for operation, want := range map[string]string{
		"get-types": "org.apache.qpid.dispatch.configurationEntity", "get-attributes": "waypoint", "get-operations": "DELETE",
	} {
		of, _ := q.manage(t, operation, "--type", "address").(map[string]any)
		if list, _ := of[address].([]any); !strings.Contains(fmt.Sprint(list...), want) {
			t.Errorf("%s: %v", operation, of)
		}
		if all, _ := q.manage(t, operation).(map[string]any); len(all) < 20 {
			t.Errorf("%s: %d types", operation, len(all))
		}
	}
	if schema, _ := q.manage(t, "get-schema").(map[string]any); schema["prefix"] != "org.apache.qpid.dispatch" {
		t.Errorf("the schema begins with %v", schema["prefix"])
	}
	q.manage(t, "get-json-schema", "indent=2")
	if nodes, _ := q.manage(t, "get-mgmt-nodes").([]any); len(nodes) != 0 {
		t.Errorf("other nodes: %v", nodes)
	}
	for _, listener := range q.manage(t, "query", "--type", "listener", "port", "role").([]any) {
		if of := listener.(map[string]any); of["role"] != "normal" || of["port"] == "" {
			t.Errorf("a listener: %v", of)
		}
	}
	q.fails(t, "BadRequestStatus", "qdmanage", "query", "--type", "wings")
	if log := q.manage(t, "get-log"); !strings.Contains(fmt.Sprint(log), "ready") {
		t.Errorf("the log: %v", log)
	}
}

// TestQpidToolsLogIn as somebody who may look, and not change.
func TestQpidToolsLogIn(t *testing.T) {
	passwd := exec.Command(binary, "passwd", "ann")
	passwd.Stdin = strings.NewReader("secret\n")
	user, err := passwd.Output()
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSuffix(strings.TrimSpace(string(user)), "}") + ", roles: [keeper]}"
	g := startWith(t, t.TempDir(), fmt.Sprintf(`
amqp: {port: 0}
mqtt: {enabled: false}
stomp: {enabled: false}
coap: {enabled: false}
http: {enabled: false}
admin: {enabled: false}
addresses: [{name: jobs, kind: queue}]
roles: [{name: keeper, manage: ["#"]}, {name: device, send: ["#"]}]
defaultRoles: [device]
anonymous: true
users:
  %s
`, line))
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q := newQpidTools(t, "-b", g.doors["amqp"], "--sasl-mechanisms", "PLAIN", "--sasl-username", "ann", "--sasl-password-file", file)
	if got := q.stat(t, "-c"); !regexp.MustCompile(`ann\(\S+\) +default`).MatchString(got) {
		t.Errorf("ann is not there:\n%s", got)
	}
	q.fails(t, "ForbiddenStatus", "qdmanage", "create", "--type", "address", "prefix=orders")
	anybody := newQpidTools(t, "-b", g.doors["amqp"])
	anybody.fails(t, "ForbiddenStatus", "qdstat", "-a")
}

package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

func TestEmptyFileIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "log:\nmqtt:\n"} {
		got, err := Parse("empty.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if want := Default(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestFileChangesOnlyWhatItNames(t *testing.T) {
	got, err := Parse("some.yaml", []byte(`
listen: "::1"
drainTimeout: 1m30s
mqtt: {port: 2883, maxPacketSize: 256KiB}
tenants:
  - name: acme
    anonymous: true
    addresses:
      - {name: 'commands/*', kind: anycast, distribution: closest}
      - {name: "#", kind: queue, maxMessages: 10, maxBytes: 1GB}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen, want.DrainTimeout = "::1", 90*time.Second
	want.MQTT.Port, want.MQTT.MaxPacketSize = 2883, 256<<10
	commands, _ := addressing.ParseFilter("commands/*")
	rest, _ := addressing.ParseFilter("#")
	want.Tenants = []Tenant{{Name: "acme", Anonymous: true, Addresses: []Address{
		{Name: commands, Kind: addressing.Anycast, Distribution: addressing.Closest},
		{Name: rest, Kind: addressing.Queue, MaxMessages: 10, MaxBytes: 1e9},
	}}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestProblemsNameFileLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "\nlistne: x", `f.yaml:2: key "listne" does not exist; did you mean "listen"?`},
		{"unknown key by case", "portoffset: 1", `f.yaml:1: key "portoffset" does not exist; did you mean "portOffset"?`},
		{"unknown inner key", "mqtt:\n  prot: 1", `f.yaml:2: mqtt: key "prot" does not exist; did you mean "port"?`},
		{"unlike any key", "log: {zzzzzz: 1}", `f.yaml:1: log: key "zzzzzz" does not exist; the keys here are level, format, burst, interval`},
		{"collector without a scheme", "tracing: {endpoint: localhost:4318}",
			`f.yaml:1: tracing.endpoint: "localhost:4318" is no URL, such as http://localhost:4318`},
		{"collector with a password", "tracing: {endpoint: \"http://a:b@localhost\"}",
			`f.yaml:1: tracing.endpoint: has a password; it belongs into tracing.headersFile`},
		{"more than all", "tracing: {ratio: 1.5}", `f.yaml:1: tracing.ratio: 1.5 is not from 0 to 1`},
		{"headers for nobody", "tracing: {headersFile: x}", `f.yaml:1: tracing.headersFile: needs tracing.endpoint`},
		{"fsync is no setting", "store: {fsync: false}",
			`f.yaml:1: store: key "fsync" does not exist; ` +
				`the keys here are cacheSize, memTableSize, maxPending, minFree, maxQueues, maxSubscriptions, maxVolatile, maxRetained, maxRetainedBytes`},
		{"twice", "listen: a\nlisten: b", `f.yaml:2: mapping key "listen" already defined at [1:1]`},
		{"no YAML", "a: [1", `f.yaml:1: sequence end token ']' not found`},
		{"second document", "listen: a\n---\nlisten: b", `f.yaml:3: a second document; a configuration is one`},
		{"list for section", "mqtt: [1]", `f.yaml:1: mqtt: a list, where keys with values are expected`},
		{"value for list", "addresses: jobs", `f.yaml:1: addresses: one value, where a list is expected`},
		{"section for value", "listen: {a: 1}", `f.yaml:1: listen: keys with values, where one value is expected`},
		{"list as the file", "- a", `f.yaml:1: a list, where keys with values are expected`},
		{"nothing", "listen:", `f.yaml:1: listen: nothing, where one value is expected`},
		{"bare star", "addresses:\n  - name: */x\n    kind: queue", `f.yaml:2: addresses[0].name: ` + aliasText},
		{"anchor", "listen: &l here", `f.yaml:1: listen: ` + aliasText},
		{"duration", "drainTimeout: 30", `f.yaml:1: drainTimeout: "30" is not a duration such as 500ms, 30s or 1h30m`},
		{"size", "limits: {maxMessageSize: 1 mb}",
			`f.yaml:1: limits.maxMessageSize: "mb" is no unit of size; one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB`},
		{"number", "limits: {linkCredit: 1.5}", `f.yaml:1: limits.linkCredit: "1.5" is not a whole number`},
		{"decimal number", "addresses: [{name: a, kind: queue, redeliveryDelay: {multiplier: NaN}}]",
			`f.yaml:1: addresses[0].redeliveryDelay.multiplier: "NaN" is not a number`},
		{"bool", "anonymous: yes", `f.yaml:1: anonymous: "yes" is neither true nor false`},
		{"port", "http:\n  port: 70000", `f.yaml:2: http.port: 70000 is not from 0 to 65535`},
		{"port taken", "http:\n  port: 1883", `f.yaml:2: http.port: 1883 is the port of mqtt already`},
		{"host and port", "listen: localhost:1883",
			`f.yaml:1: listen: "localhost:1883" is no host name or IP address; a port does not belong here`},
		{"origin", "http:\n  origins: ['*', app.example]",
			`f.yaml:2: http.origins[1]: "app.example" is neither an origin such as https://app.example nor "*"`},
		{"level", "log:\n  level: loud", `f.yaml:2: log.level: "loud" is not one of debug, info, warn, error`},
		{"kind", "addresses:\n  - name: a\n    kind: topick",
			`f.yaml:3: addresses[0].kind: kind "topick" is not one of anycast, broadcast, queue, topic`},
		{"no kind", "addresses:\n  - name: a\n  - name: b\n    kind: queue",
			`f.yaml:2: addresses[0]: address "a": kind is missing; one of anycast, broadcast, queue, topic`},
		{"no name", "addresses:\n  - kind: queue", `f.yaml:2: addresses[0]: the name is missing`},
		{"name twice", "addresses:\n  - {name: a, kind: queue}\n  - {name: a, kind: topic}",
			`f.yaml:3: addresses[1].name: "a" is declared in addresses[0] already`},
		{"tenant", "tenants:\n  - name: Acme",
			`f.yaml:2: tenants[0].name: tenant name "Acme": only a-z, 0-9 and inner hyphens`},
		{"tenant twice", "tenants:\n  - name: a\n  - name: a", `f.yaml:3: tenants[1].name: the tenant "a" is declared twice`},
		{"default twice", "anonymous: true\ntenants:\n  - name: default",
			`f.yaml:3: tenants[0].name: the top level declares the tenant "default" already`},
		{"user", "users:\n  - name: a@b", `f.yaml:2: users[0].name: user name "a@b": no @ or : in it`},
		{"user twice", "users:\n  - name: a\n  - name: a", `f.yaml:3: users[1].name: "a" is declared in users[0] already`},
		{"password for credential", "users:\n  - name: a\n    credential: secret",
			"f.yaml:3: users[0].credential: not a credential; `manifold passwd` makes one from a password"},
		{"default twice by users", "users: [{name: a}]\ntenants:\n  - name: default",
			`f.yaml:3: tenants[0].name: the top level declares the tenant "default" already`},
		{"certificate without key", "tls:\n  certificate: x", `f.yaml:2: tls.certificate: needs tls.key`},
		{"key without certificate", "tls:\n  key: x", `f.yaml:2: tls.key: needs tls.certificate`},
		{"client authority for nothing", "tls: {certificate: x, key: x, clientCA: x}",
			`f.yaml:1: tls.clientCA: needs tls.clientAuth to be optional or required`},
		{"clients of no authority", "tls: {certificate: x, key: x, clientAuth: required}",
			`f.yaml:1: tls.clientAuth: needs tls.clientCA, or a tenant with certificates`},
		{"clients without TLS", "tls: {clientAuth: required, clientCA: x}", `f.yaml:1: tls.clientAuth: needs tls.certificate`},
		{"TLS version", "tls:\n  minVersion: 1.1", `f.yaml:2: tls.minVersion: "1.1" is not one of 1.2, 1.3`},
		{"topic levels", "mqtt:\n  maxTopicLevels: 129", `f.yaml:2: mqtt.maxTopicLevels: 129 is not from 1 to 128`},
		{"rate of bytes", "mqtt:\n  publishBytes: 10", `f.yaml:2: mqtt.publishBytes: 10B is neither 0 nor from 1KiB to 1TiB`},
		{"system topics", "mqtt:\n  systemInterval: 1ms", `f.yaml:2: mqtt.systemInterval: 1ms is neither 0s nor from 1s to a day`},
		{"topics for answers", "mqtt:\n  responseTopics: replies/#",
			`f.yaml:2: mqtt.responseTopics: "replies/#" is not a topic, such as replies`},
		{"server reference", "mqtt:\n  serverReference: \"a\\tb\"",
			`f.yaml:2: mqtt.serverReference: "a\tb" is not host names, such as other.example:1883, with spaces between`},
		{"moved nowhere", "mqtt:\n  serverMoved: true", `f.yaml:2: mqtt.serverMoved: needs mqtt.serverReference`},
		{"rule of no way back", "mqtt:\n  rewrite:\n    - {match: a/+, to: b}",
			`f.yaml:3: mqtt.rewrite[0]: to "b": $1 is there 0 times, not once`},
		{"rule without a match", "mqtt:\n  rewrite:\n    - {to: b}", `f.yaml:3: mqtt.rewrite[0]: a rule has both match and to`},
		{"WebSocket port taken", "mqtt: {webSocket: {port: 8080}}",
			`f.yaml:1: mqtt.webSocket.port: 8080 is the port of http already`},
		{"TLS port taken", "tls: {certificate: x, key: x}\namqp:\n  tlsPort: 8883",
			`f.yaml:3: amqp.tlsPort: 8883 is the port of mqtts already`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllProblemsAreReportedInOrderOfTheFile(t *testing.T) {
	_, err := Parse("f.yaml", []byte("mqtt:\n  port: x\nlisten:\n  a: 1\nhtpp: {}\n"))
	problems, ok := errors.AsType[Problems](err)
	if !ok || len(problems) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, line := range []int{2, 4, 5} {
		if problems[i].Line != line {
			t.Errorf("problem %d is at line %d, not %d: %v", i, problems[i].Line, line, problems[i])
		}
	}
}

func TestLongListOfProblemsIsCutShort(t *testing.T) {
	_, err := Parse("f.yaml", []byte("addresses:\n"+strings.Repeat("  - {name: a}\n", 100)))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxShown+1 || lines[maxShown] != "and 80 more" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestPortsOfTLSCountOnlyWithACertificate(t *testing.T) {
	c, err := Parse("f.yaml", []byte("portOffset: 1\nmqtt: {tlsPort: 5672}"))
	if err != nil {
		t.Fatal(err)
	}
	var enabled []string
	for _, l := range c.Listeners() {
		if l.Enabled {
			enabled = append(enabled, fmt.Sprintf("%s:%d", l.Name, l.Port))
		}
	}
	if got, want := fmt.Sprint(enabled), "[mqtt:1884 amqp:5673 stomp:61614 http:8081 ws:8084 coap:5684 coap+tcp:5684 admin:8082]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	_, err := Load("missing.yaml")
	want := "configuration: missing.yaml: no such file or directory"
	if !errors.Is(err, os.ErrNotExist) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryConfigurationToCopyLoads(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if _, err := Load(file); err != nil {
			t.Error(err)
		}
	}
}

func TestQuickstartDeclaresEachKind(t *testing.T) {
	c, err := Quickstart()
	if err != nil {
		t.Fatal(err)
	}
	tenants := c.AllTenants()
	if len(tenants) != 1 || tenants[0].Name != "default" || !tenants[0].Anonymous {
		t.Fatalf("got tenants %+v", tenants)
	}
	var got []string
	for _, a := range tenants[0].Addresses {
		got = append(got, a.Name.String()+" "+a.Kind.String())
	}
	want := "[telemetry/# topic jobs queue commands/# anycast alerts broadcast]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestTimeToLoadGrowsWithTheAddresses, and not with their square: ten times as many would take a hundred times as long.
func TestTimeToLoadGrowsWithTheAddresses(t *testing.T) {
	few, many := timeToLoad(t, 5_000), timeToLoad(t, 50_000)
	t.Logf("5,000 addresses in %v, 50,000 in %v", few, many)
	if many > 50*few {
		t.Errorf("ten times as many addresses take %d times as long", many/few)
	}
}

func timeToLoad(t *testing.T, addresses int) time.Duration {
	t.Helper()
	var text strings.Builder
	text.WriteString("addresses:\n")
	for i := range addresses {
		fmt.Fprintf(&text, "  - name: plants/%d/state\n    kind: queue\n    maxMessages: 1000\n", i)
	}
	began := time.Now()
	c, err := Parse("many.yaml", []byte(text.String()))
	if err != nil || len(c.Addresses) != addresses {
		t.Fatalf("%d addresses, error %v", len(c.Addresses), err)
	}
	return time.Since(began)
}

func TestSizesReadAndShow(t *testing.T) {
	for text, want := range map[string]struct {
		size Size
		show string
	}{
		"0": {0, "0B"}, "512": {512, "512B"}, "1KiB": {1024, "1KiB"}, "64 KiB": {64 << 10, "64KiB"},
		"1536": {1536, "1536B"}, "1MB": {1e6, "1000000B"}, "2TiB": {2 << 40, "2TiB"},
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want.size || s.String() != want.show {
			t.Errorf("%q: got %d shown as %s, error %v", text, int64(s), s, err)
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1kib", "1.5MiB", "9999999999999999999", "9999999TiB"} {
		if err := new(Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../configs/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("tenants: [{name: a, addresses: [{name: '*', kind: queue}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("fuzz.yaml", text)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("Parse gave what Validate refuses: %v", err)
		}
	})
}

func TestOffsetBeyondTheHighestPortGoesOnAboveThePrivilegedOnes(t *testing.T) {
	for _, c := range []struct{ port, offset, want int }{
		{1883, 0, 1883},
		{1883, 10_000, 11_883},
		{61613, 3922, 65535},
		{61613, 3923, 1024},
		{61613, 10_000, 7101},
		{65535, 65535, 1024 + 1022},
		{0, 10_000, 0},
	} {
		if got := shifted(c.port, c.offset); got != c.want {
			t.Errorf("port %d shifted by %d is %d, want %d", c.port, c.offset, got, c.want)
		}
	}
}

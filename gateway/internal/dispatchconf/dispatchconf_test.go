package dispatchconf

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const example = `# The router
router {
    mode: interior   # one of a network
    id: Router.A
    hello-interval: 2
}

listener {
	host: 0.0.0.0
	port: amqp
	ssl-profile: server
	http-root-dir: /usr/share/console
}
ssl-profile{
    name: server
    password: pass:a b c
}
linkRoute {
    pattern: *.#  # all of it
    direction: in
}
vhost {
    hostname: *.example.com
    maxConnections: 10
    groups: {
        # everybody
        "$default": {
            "users": "*", "remoteHosts": "127.0.0.1,::1",
            "sources": "a#b}",
        },
        "admin": {"users": "root"}
    }
    aliases: a,b
}
connector {
    openProperties: { "one": 1, "list": [1, 2,], }
}
log {
    nested: {
        sub-one: x
        deeper: {
            y: z
        }
    }
}
`

func TestParse(t *testing.T) {
	got, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	groups := `{"$default":{"users":"*","remoteHosts":"127.0.0.1,::1","sources":"a#b}"},"admin":{"users":"root"}}`
	want := []Entity{
		{"router", 2, []Attribute{
			{Name: "mode", Line: 3, Value: "interior"}, {Name: "id", Line: 4, Value: "Router.A"},
			{Name: "helloInterval", Line: 5, Value: "2"}}},
		{"listener", 8, []Attribute{
			{Name: "host", Line: 9, Value: "0.0.0.0"}, {Name: "port", Line: 10, Value: "amqp"},
			{Name: "sslProfile", Line: 11, Value: "server"}, {Name: "httpRootDir", Line: 12, Value: "/usr/share/console"}}},
		{"sslProfile", 14, []Attribute{
			{Name: "name", Line: 15, Value: "server"}, {Name: "password", Line: 16, Value: "pass:a b c"}}},
		{"linkRoute", 18, []Attribute{
			{Name: "pattern", Line: 19, Value: "*.#"}, {Name: "direction", Line: 20, Value: "in"}}},
		{"vhost", 22, []Attribute{
			{Name: "hostname", Line: 23, Value: "*.example.com"}, {Name: "maxConnections", Line: 24, Value: "10"},
			{Name: "groups", Line: 25, JSON: []byte(groups)}, {Name: "aliases", Line: 33, Value: "a,b"}}},
		{"connector", 35, []Attribute{
			{Name: "openProperties", Line: 36, JSON: []byte(`{"one":1,"list":[1,2]}`)}}},
		{"log", 38, []Attribute{{Name: "nested", Line: 39, Map: []Attribute{
			{Name: "sub-one", Line: 40, Value: "x"},
			{Name: "deeper", Line: 41, Map: []Attribute{{Name: "y", Line: 42, Value: "z"}}}}}}},
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%d entities, want %d", len(got), len(want))
		}
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("entity %d\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
	if got[0].Value("id") != "Router.A" || got[0].Value("none") != "" {
		t.Error("values are not found by name")
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
	}{
		{"router\n{\n}\n", 1},
		{"# x\n\n}\n", 3},
		{"router {\n mode: interior\n", 1},
		{"router {\n mode interior\n}\n", 2},
		{"router {\n mode:\n}\n", 2},
		{"router {\n mode: # none\n}\n", 2},
		{"router {\n mode: { a: b }\n}\n", 2},
		{"router {\n id: a\n} # x\n}\n", 4},
		{"router { id: a }\n", 1},
		{"a {\n b: {\n c: d\n}\n", 1},
		{"a {\n groups: {\n \"x\": \n}\n}\n", 4},
		{"a {\n groups: {\n x\n}\n}\n", 3},
		{"a {\n groups: {\n} }\n}\n", 3},
		{"a {\n groups: {\n", 2},
		{"a {\n groups: {\"x: 1}\n}\n", 2},
		{"a {\n" + strings.Repeat(" b: {\n", 20), 10},
	} {
		_, err := Parse(c.text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != c.line {
			t.Errorf("%q: %v, want line %d", c.text, err, c.line)
		}
	}
}

func TestLastOfTheSameNameCounts(t *testing.T) {
	got, err := Parse("a {\r\n x: 1\r\n x: 2\r\n}\r\n")
	if err != nil || got[0].Value("x") != "2" {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("a {\n groups: {\n \"x\": [,]\n}\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		entities, err := Parse(text)
		if err != nil {
			return
		}
		for _, e := range entities {
			if e.Line < 1 || e.Line > strings.Count(text, "\n")+1 || e.Type == "" {
				t.Fatalf("%+v", e)
			}
		}
	})
}

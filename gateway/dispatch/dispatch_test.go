package dispatch

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/modulelog"
)

var update = flag.Bool("update", false, "write what is translated as what is wanted")

// translated gives what a file comes to, and what is said about it, as somebody who converts it sees it.
func translated(t *testing.T, file string) (Translation, string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Translate(file, text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	yaml, err := config.Written(&out.Config)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(yaml)
	for _, r := range out.Remarks {
		b.WriteString("# " + r.String() + "\n")
	}
	return out, b.String()
}

func TestFilesBecomeConfigurations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		_, got := translated(t, filepath.Base(file))
		golden := strings.TrimSuffix(file, ".conf") + ".yaml"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s\n%s\nwant\n%s", file, got, want)
		}
		if _, err := config.Parse(golden, want); err != nil {
			t.Errorf("%s is not valid: %v", golden, err)
		}
	}
}

// attributes are all that the router knows of each type, as its schema has them, with a value that is not its default. After
// a blank follow what has to be there besides.
var attributes = map[string]map[string]string{
	"router": {
		"mode": "interior", "id": "B", "helloIntervalSeconds": "2", "helloMaxAgeSeconds": "9", "raIntervalSeconds": "50",
		"raIntervalFluxSeconds": "9", "remoteLsMaxAgeSeconds": "90", "workerThreads": "2", "debugDumpFile": "x", "saslConfigDir": "x",
		"saslConfigName": "x", "allowResumableLinkRoute": "no", "timestampsInUTC": "yes", "timestampFormat": "%T",
		"allowUnsettledMulticast": "yes", "defaultDistribution": "multicast", "metadata": "x",
	},
	"listener": {
		"host": "127.0.0.1", "port": "7", "role": "route-container", "cost": "2", "sslProfile": "p", "saslMechanisms": "PLAIN",
		"authenticatePeer": "yes", "saslPlugin": "x", "requireEncryption": "yes", "requireSsl": "yes", "trustedCertsFile": "x",
		"maxFrameSize": "2048", "maxSessions": "7", "maxSessionFrames": "7", "idleTimeoutSeconds": "7",
		"initialHandshakeTimeoutSeconds": "7", "stripAnnotations": "no", "linkCapacity": "7", "failoverUrls": "x", "http": "yes",
		"multiTenant": "yes", "messageLoggingComponents": "all", "policyVhost": "x", "openProperties": `{"x": 1}`,
		"httpRootDir": "x", "httpRoot": "x", "failoverList": "x",
	},
	"connector": {
		"host": "127.0.0.2", "port": "7", "cost": "2", "sslProfile": "p", "saslMechanisms": "PLAIN", "allowRedirect": "no",
		"maxFrameSize": "2048", "maxSessions": "7", "maxSessionFrames": "7", "idleTimeoutSeconds": "7", "stripAnnotations": "no",
		"linkCapacity": "7", "verifyHostname": "no", "saslUsername": "u", "messageLoggingComponents": "all", "policyVhost": "x",
		"openProperties": `{"x": 1}`,
	},
	"sslProfile": {
		"ciphers": "x", "protocols": "x", "caCertFile": "x", "certFile": "x", "privateKeyFile": "x", "passwordFile": "x",
		"password": "x", "uidFormat": "1", "uidNameMappingFile": "x",
	},
	"address": {
		"name": "x", "distribution": "closest", "waypoint": "yes", "ingressPhase": "1", "egressPhase": "1", "priority": "7",
		"enableFallback": "yes",
	},
	"linkRoute": {"name": "x", "addExternalPrefix": "x", "delExternalPrefix": "x", "containerId": "x", "connection": "c"},
	"autoLink":  {"name": "x", "phase": "3", "connection": "c", "externalAddress": "x", "fallback": "yes"},
	"policy": {
		"maxConnections": "7", "maxMessageSize": "7000", "enableVhostPolicy": "no", "enableVhostNamePatterns": "yes", "defaultVhost": "x",
	},
	"vhost": {
		"hostname": "other", "maxConnections": "7", "maxMessageSize": "7000", "maxConnectionsPerUser": "7", "maxConnectionsPerHost": "7",
		"allowUnknownUser": "yes", "aliases": "x",
	},
	"log": {"enable": "error+", "includeTimestamp": "no", "includeSource": "yes", "outputFile": "x"},
}

// around are the entities in which an attribute is tried; %s stands where it goes.
var around = map[string]string{
	"router":    "router {\n id: A\n%s}\n",
	"listener":  "sslProfile {\n name: p\n certFile: c\n privateKeyFile: k\n}\nlistener {\n port: 1\n%s}\n",
	"connector": "sslProfile {\n name: p\n certFile: c\n privateKeyFile: k\n}\nconnector {\n name: c\n%s}\n",
	"sslProfile": "sslProfile {\n name: p\n certDb: d\n certFile: c\n privateKeyFile: k\n%s}\nconnector {\n sslProfile: p\n}\n" +
		"listener {\n port: 1\n sslProfile: p\n requireSsl: yes\n authenticatePeer: yes\n}\n",
	"address":   "address {\n prefix: a\n%s}\n",
	"linkRoute": "connector {\n name: c\n}\nlinkRoute {\n prefix: a\n direction: in\n%s}\n",
	"autoLink":  "connector {\n name: c\n}\nautoLink {\n address: a\n direction: in\n containerId: c\n%s}\n",
	"policy":    "vhost {\n hostname: $default\n maxConnectionsPerUser: 3\n}\npolicy {\n enableVhostPolicy: yes\n%s}\n",
	"vhost":     "policy {\n enableVhostPolicy: yes\n}\nvhost {\n id: $default\n groups: {\"$default\": {\"remoteHosts\": \"*\"}}\n%s}\n",
	"log":       "log {\n module: DEFAULT\n%s}\n",
}

// TestEveryAttributeIsTranslatedOrRemarked: with each there is another configuration, or a remark.
func TestEveryAttributeIsTranslatedOrRemarked(t *testing.T) {
	whole := func(text string) string {
		out, err := Translate("x.conf", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		yaml, err := config.Written(&out.Config)
		if err != nil {
			t.Fatal(err)
		}
		logs, err := json.Marshal(out.Logs)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(string(yaml), out.Remarks, string(logs), out.Time)
	}
	for entityType, values := range attributes {
		without := whole(fmt.Sprintf(around[entityType], ""))
		for name, value := range values {
			entities := around[entityType]
			if name == "caCertFile" { // instead of its former name
				entities = strings.Replace(entities, " certDb: d\n", "", 1)
			}
			if whole(fmt.Sprintf(entities, " "+name+": "+value+"\n")) == without {
				t.Errorf("%s.%s: nothing comes of it, and nothing is said", entityType, name)
			}
		}
	}
}

// TestWhatIsUnknownIsRemarked: attributes and entities of which nothing is known.
func TestWhatIsUnknownIsRemarked(t *testing.T) {
	out, err := Translate("x.conf", []byte("router {\n id: A\n wings: 2\n}\ntcpListener {\n port: 1\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range out.Remarks {
		said = append(said, r.String())
	}
	want := "x.conf:3: router.wings: has no counterpart\nx.conf:5: tcpListener: there is nothing like it"
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("remarked\n%s\nwant\n%s", got, want)
	}
}

func TestWhatTheRouterRefusesIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"router {\n id: A\n}\nlistener {\n role: edge\n}\n":                                             "role='standalone' not allowed to connect to or accept connections from other routers.",
		"router {\n mode: edge\n id: A\n}\nlistener {\n role: edge\n}\n":                                "role='edge' only allowed with router mode='interior'",
		"router {\n mode: edge\n id: A\n}\nconnector {\n role: inter-router\n}\n":                       "role='inter-router' only allowed with router mode='interior'",
		"router {\n mode: interior\n}\n":                                                                "Missing required attribute 'id'",
		"router {\n mode: sideways\n}\n":                                                                "Invalid value for mode",
		"listener {\n port: nowhere\n}\n":                                                               "Invalid value for port",
		"listener {\n http: perhaps\n}\n":                                                               "Invalid Boolean value",
		"listener {\n sslProfile: none\n}\n":                                                            "not found",
		"address {\n prefix: a\n pattern: b\n}\n":                                                       "cannot be specified",
		"address {\n distribution: closest\n}\n":                                                        "required",
		"policy {\n enableVhostPolicy: yes\n}\nvhost {\n hostname: $default\n maxConnections: few\n}\n": "does not resolve to an integer",
		"autoLink {\n address: a\n}\n":                                                                  "Missing required attribute",
		"router {\n id: a b\n}\n":                                                                       "AttributeError: Router id attribute containing character ' '",
		"router {\n id: a\\bc\n}\n":                                                                     "AttributeError: Router id attribute containing character '\\b'",
		"router {\n id: " + strings.Repeat("x", 128) + "\n}\n":                                          "exceeds the maximum allowed length (127 characters)",
		"router {\n id: a\\qc\n}\n":                                                                     "a backslash in a value",
		"log {\n module: DEFAULT\n enable: loud\n}\n":                                                   "'loud' is not a valid log level",
		"linkRoute {\n prefix: a\n dir: in\n direction: in\n}\n":                                        "org.apache.qpid.dispatch.router.config.linkRoute: Both 'dir' and 'direction' cannot be specified for entity 'linkRoute'",
		"router {\n": "line 1",
	} {
		_, err := Translate("x.conf", []byte(text))
		var refused *Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

// TestHTTPListenerIsNotOpenedWider: who comes in there is who came in at the router, and the HTTP door stays closed.
func TestHTTPListenerIsNotOpenedWider(t *testing.T) {
	const profile = "sslProfile {\n name: p\n certFile: c\n privateKeyFile: k\n caCertFile: a\n}\n"
	for attributes, want := range map[string]struct {
		mechanisms string
		tls        bool
		optional   bool
		clientAuth string
	}{
		"":                              {},
		"saslMechanisms: PLAIN":         {mechanisms: "PLAIN"},
		"authenticatePeer: yes":         {mechanisms: "EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 PLAIN"},
		"sslProfile: p":                 {tls: true, optional: true},
		"sslProfile: p\n requireSsl: y": {},
		"sslProfile: p\n requireSsl: yes\n authenticatePeer: yes": {
			mechanisms: "EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", tls: true, clientAuth: "required",
		},
	} {
		out, err := Translate("x.conf", []byte(profile+"listener {\n port: 8080\n http: yes\n "+attributes+"\n}\n"))
		if strings.HasSuffix(attributes, ": y") {
			if err == nil {
				t.Errorf("%q is taken", attributes)
			}
			continue
		}
		if err != nil || out.Config.HTTP.Enabled {
			t.Fatalf("%q: %v, the HTTP door is open: %v", attributes, err, out.Config.HTTP.Enabled)
		}
		l := out.Config.AMQP.Listeners[0]
		if !l.Web.Enabled || !l.Web.WebSockets || !l.Web.Health || !l.Web.Metrics || strings.Join(l.Mechanisms, " ") != want.mechanisms ||
			l.TLS != want.tls || l.Secure.Optional != want.optional || l.ClientAuth != want.clientAuth {
			t.Errorf("%q: %+v", attributes, l)
		}
	}
}

// TestProfileOfEachListenerIsItsOwn: its authority, versions, certificate and names.
func TestProfileOfEachListenerIsItsOwn(t *testing.T) {
	profile := func(name, more string) string {
		return "sslProfile {\n name: " + name + "\n privateKeyFile: k\n" + more + "}\n" +
			"listener {\n port: " + name[1:] + "\n sslProfile: " + name + "\n requireSsl: yes\n authenticatePeer: yes\n saslMechanisms: EXTERNAL\n}\n"
	}
	out, err := Translate("x.conf", []byte(profile("p1", " caCertFile: a\n certFile: c\n uidFormat: 1\n")+
		profile("p2", " caCertFile: a\n certFile: c\n uidFormat: 2n\n uidNameMappingFile: names\n protocols: TLSv1.2 TLSv1.3\n")+
		profile("p3", " caCertFile: b\n certFile: d\n protocols: SSLv23\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []config.ListenerTLS{
		{CA: "a"},
		{CA: "a", User: "sha256;commonName", UserNames: "names", Versions: []string{"1.2", "1.3"}},
		{CA: "b", KeyPair: config.KeyPair{Certificate: "d", Key: "k"}, Versions: []string{"none"}},
	}
	for i, l := range out.Config.AMQP.Listeners {
		if !reflect.DeepEqual(l.Secure, want[i]) || l.ClientAuth != "required" {
			t.Errorf("listener %d is secured by %+v, asks for certificates %q", i, l.Secure, l.ClientAuth)
		}
	}
}

// TestGreetingIsTranslated: what is said in open, and what may not be.
func TestGreetingIsTranslated(t *testing.T) {
	out, err := Translate("x.conf", []byte("listener {\n port: 1\n failoverUrls: other:25000, amqps://third\n openProperties: {\"a\": [1, null]}\n}\n"+
		"connector {\n port: 1\n openProperties: {\"b\": {\"c\": true}}\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	l, c := out.Config.AMQP.Listeners[0], out.Config.Network.Connectors[0]
	if !slices.Equal(l.Failover, []string{"other:25000", "amqps://third"}) || l.OpenProperties != `{"a":[1,null]}` ||
		c.OpenProperties != `{"b":{"c":true}}` || !c.FollowFailover {
		t.Errorf("%+v\n%+v", l, c)
	}
	for text, want := range map[string]string{
		`{"product": 1}`:   "ValidationError: Reserved key 'product' not allowed",
		`{"x-opt-qd.": 1}`: "Reserved key 'x-opt-qd.'",
		`{"\u2588": 1}`:    "must be ASCII",
		`[1]`:              "must be a map",
		`{9: 1}`:           "Expecting property name",
	} {
		_, err := Translate("x.conf", []byte("listener {\n port: 1\n openProperties: "+text+"\n}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, entity := range []string{"listener", "connector"} {
		_, err := Translate("x.conf", []byte("router {\n mode: interior\n id: A\n}\n"+entity+" {\n port: 1\n role: inter-router\n openProperties: {\"a\": 1}\n}\n"))
		if err == nil || !strings.Contains(err.Error(), "openProperties not allowed for role inter-router") {
			t.Errorf("%s between routers: %v", entity, err)
		}
	}
}

// TestPasswordOfAFileStaysThere: it is not written into the configuration.
func TestPasswordOfAFileStaysThere(t *testing.T) {
	out, err := Translate("x.conf", []byte("connector {\n saslUsername: me\n saslPassword: file: /etc/secret\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Config.Network.Connectors[0]; c.PasswordFile != "/etc/secret" || c.Password != "" {
		t.Errorf("the connector has %+v", c)
	}
}

// TestPasswordsOfKeys: each form that a profile may have.
func TestPasswordsOfKeys(t *testing.T) {
	t.Setenv("KEY_PASSWORD", "in the environment")
	for said, want := range map[string]config.KeyPair{
		"":                                     {},
		"password: as it is":                   {KeyPassword: "as it is"},
		"password: pass: one":                  {KeyPassword: "one"},
		"password: literal:one":                {KeyPassword: "one"},
		"password: file:/etc/x":                {KeyPasswordFile: "/etc/x"},
		"password: env:KEY_PASSWORD":           {KeyPassword: "in the environment"},
		"passwordFile: /etc/x":                 {KeyPasswordFile: "/etc/x"},
		"password: one\n passwordFile: /etc/x": {KeyPassword: "one"},
	} {
		for entity, pairOf := range map[string]func(*config.Config) config.KeyPair{
			"connector": func(c *config.Config) config.KeyPair { return c.Network.Connectors[0].TLS.KeyPair },
			"listener":  func(c *config.Config) config.KeyPair { return c.TLS.KeyPair },
		} {
			out, err := Translate("x.conf", []byte("sslProfile {\n name: p\n certFile: c\n privateKeyFile: k\n "+said+"\n}\n"+
				entity+" {\n port: 7\n sslProfile: p\n requireSsl: yes\n}\n"))
			if err != nil {
				t.Fatal(err)
			}
			want.Certificate, want.Key = "c", "k"
			if got := pairOf(&out.Config); got != want {
				t.Errorf("a %s with %q has %+v, want %+v", entity, said, got, want)
			}
			for _, r := range out.Remarks {
				if strings.Contains(r.Text, "in the environment") {
					t.Errorf("%v tells the password", r)
				}
			}
		}
	}
}

// TestCertificatesNameUsersAsTheRouterDoes: who has a certificate shows who he is. A policy judges later whether he comes in.
func TestCertificatesNameUsersAsTheRouterDoes(t *testing.T) {
	const listens = "listener {\n port: 1\n sslProfile: p\n requireSsl: yes\n authenticatePeer: yes\n saslMechanisms: EXTERNAL\n}\n"
	const policy = "policy {\n enableVhostPolicy: yes\n}\nvhost {\n id: $default\n}\n"
	for said, want := range map[string]config.Certificates{
		"":                  {CA: "a", User: "rfc2253", AnyUser: true},
		"uidFormat: 2":      {CA: "a", User: "sha256", AnyUser: true},
		"uidFormat: scoun5": {CA: "a", User: "state;country;organization;unit;commonName;sha512", AnyUser: true},
		"uidFormat: 1x":     {CA: "a", User: "rfc2253", AnyUser: true},
	} {
		for _, rules := range []string{"", policy} {
			out, err := Translate("x.conf", []byte("sslProfile {\n name: p\n caCertFile: a\n certFile: c\n privateKeyFile: k\n "+said+"\n}\n"+listens+rules))
			if err != nil {
				t.Fatal(err)
			}
			if got := out.Config.Tenants[0].Certificates; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
				t.Errorf("%q gives %+v, want %+v", said, got, want)
			}
			if ca := out.Config.TLS.ClientCA; ca != "" {
				t.Errorf("%q has other tenants trust %s", said, ca)
			}
		}
	}
}

// TestAuthorityOfWhomNobodyIsAskedIsNotTrusted: a profile has one also where clients show nothing.
func TestAuthorityOfWhomNobodyIsAskedIsNotTrusted(t *testing.T) {
	out, err := Translate("x.conf", []byte("sslProfile {\n name: p\n caCertFile: a\n certFile: c\n privateKeyFile: k\n}\n"+
		"listener {\n port: 1\n sslProfile: p\n requireSsl: yes\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Config; c.TLS.ClientCA != "" || len(c.Tenants[0].Certificates) > 0 {
		t.Errorf("it is trusted: %+v, %+v", c.TLS, c.Tenants[0].Certificates)
	}
}

func TestLowestLevel(t *testing.T) {
	for levels, want := range map[string]string{
		"trace+": "trace", "info+": "info", "error,debug": "debug", "none": "", "": "", "DEBUG+": "debug",
	} {
		l, _, err := modulelog.ParseLevels(levels)
		if got, _ := l.Lowest(); err != nil || got != want {
			t.Errorf("%q is written from %q on, want %q", levels, got, want)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.conf")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "policyDir") {
			return // it could read files of this machine
		}
		out, err := Translate("x.conf", []byte(text))
		if err != nil {
			return
		}
		if err := out.Config.Validate(); err != nil {
			t.Fatalf("what was translated is not valid: %v", err)
		}
	})
}

// TestAutoLinksThatAreAlikeAreSeveral, in the order of the file, as a broker may get what is sent over several links.
func TestAutoLinksThatAreAlikeAreSeveral(t *testing.T) {
	const link = "autoLink {\n address: a\n direction: out\n containerId: c\n}\n"
	out, err := Translate("a.conf", []byte(link+"autoLink {\n address: a\n direction: in\n containerId: c\n}\n"+link))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range out.Config.Network.AutoLinks {
		names = append(names, l.Direction.String()+" "+l.Name)
	}
	if want := []string{"out ", "in ", "out autoLink/2"}; !slices.Equal(names, want) {
		t.Errorf("the links are %q, want %q", names, want)
	}
}

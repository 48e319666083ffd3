package dispatch

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
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
		"multiTenant": "yes", "messageLoggingComponents": "all", "policyVhost": "x", "openProperties": "x",
	},
	"connector": {
		"host": "127.0.0.2", "port": "7", "cost": "2", "sslProfile": "p", "saslMechanisms": "PLAIN", "allowRedirect": "no",
		"maxFrameSize": "2048", "maxSessions": "7", "maxSessionFrames": "7", "idleTimeoutSeconds": "7", "stripAnnotations": "no",
		"linkCapacity": "7", "verifyHostname": "no", "saslUsername": "u", "messageLoggingComponents": "all", "policyVhost": "x",
		"openProperties": "x",
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
		return fmt.Sprint(string(yaml), out.Remarks, out.Logs, out.Time)
	}
	for entityType, values := range attributes {
		without := whole(fmt.Sprintf(around[entityType], ""))
		for name, value := range values {
			if whole(fmt.Sprintf(around[entityType], " "+name+": "+value+"\n")) == without {
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
		"policy {\n enableVhostPolicy: yes\n}\nvhost {\n hostname: $default\n maxConnections: few\n}\n": "not a whole number",
		"autoLink {\n address: a\n}\n":                                                                  "Missing required attribute",
		"router {\n":                                                                                    "line 1",
	} {
		_, err := Translate("x.conf", []byte(text))
		var refused *Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

// TestHTTPListenerIsNotOpenedWider: the HTTP door lets in whom its tenants let in, also without TLS.
func TestHTTPListenerIsNotOpenedWider(t *testing.T) {
	const profile = "sslProfile {\n name: p\n certFile: c\n privateKeyFile: k\n}\n"
	for attribute, opened := range map[string]bool{
		"": true, "authenticatePeer: no": true, "saslMechanisms: ANONYMOUS PLAIN": true,
		"authenticatePeer: yes": false, "saslMechanisms: PLAIN": false, "sslProfile: p": false,
	} {
		out, err := Translate("x.conf", []byte(profile+"listener {\n port: 8080\n http: yes\n "+attribute+"\n}\n"))
		if err != nil || out.Config.HTTP.Enabled != opened || len(out.Remarks) == 0 {
			t.Errorf("%q: the HTTP door is open: %v, %v, remarks %v", attribute, out.Config.HTTP.Enabled, err, out.Remarks)
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

// TestCertificatesNameUsersAsTheRouterDoes: who has a certificate comes in, unless a policy says who does.
func TestCertificatesNameUsersAsTheRouterDoes(t *testing.T) {
	const listens = "listener {\n port: 1\n sslProfile: p\n requireSsl: yes\n authenticatePeer: yes\n saslMechanisms: EXTERNAL\n}\n"
	const policy = "policy {\n enableVhostPolicy: yes\n}\nvhost {\n id: $default\n}\n"
	for said, want := range map[string]config.Certificates{
		"":                  {CA: "a", User: "dn", AnyUser: true},
		"uidFormat: 2":      {CA: "a", User: "sha256", AnyUser: true},
		"uidFormat: scoun5": {CA: "a", User: "state;country;organization;unit;commonName;sha512", AnyUser: true},
		"uidFormat: 1x":     {CA: "a", User: "dn", AnyUser: true},
	} {
		for _, rules := range []string{"", policy} {
			out, err := Translate("x.conf", []byte("sslProfile {\n name: p\n caCertFile: a\n certFile: c\n privateKeyFile: k\n "+said+"\n}\n"+listens+rules))
			if err != nil {
				t.Fatal(err)
			}
			want.AnyUser = rules == ""
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
		l := Log{Levels: levels}
		if got, _ := l.Lowest(); got != want {
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

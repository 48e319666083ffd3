package dispatch

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
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

// attributes are all that the router knows of each type, as its schema has them.
var attributes = map[string]string{
	"router": `mode id helloIntervalSeconds helloMaxAgeSeconds raIntervalSeconds raIntervalFluxSeconds remoteLsMaxAgeSeconds
		workerThreads debugDumpFile saslConfigDir saslConfigName allowResumableLinkRoute timestampsInUTC timestampFormat
		allowUnsettledMulticast defaultDistribution metadata`,
	"listener": `host port socketAddressFamily role cost sslProfile saslMechanisms authenticatePeer saslPlugin requireEncryption
		requireSsl trustedCertsFile maxFrameSize maxSessions maxSessionFrames idleTimeoutSeconds initialHandshakeTimeoutSeconds
		stripAnnotations linkCapacity multiTenant failoverUrls healthz metrics websockets http httpRootDir
		messageLoggingComponents policyVhost openProperties`,
	"connector": `host port protocolFamily role cost sslProfile saslMechanisms allowRedirect maxFrameSize maxSessions
		maxSessionFrames idleTimeoutSeconds stripAnnotations linkCapacity verifyHostname saslUsername saslPassword
		messageLoggingComponents policyVhost openProperties`,
	"sslProfile": `ciphers protocols caCertFile certFile privateKeyFile passwordFile password uidFormat uidNameMappingFile`,
	"address":    `prefix pattern distribution waypoint ingressPhase egressPhase priority enableFallback`,
	"linkRoute":  `prefix pattern addExternalPrefix delExternalPrefix containerId connection distribution direction`,
	"autoLink":   `address direction phase containerId connection externalAddress fallback`,
	"policy":     `maxConnections maxMessageSize enableVhostPolicy enableVhostNamePatterns policyDir defaultVhost`,
	"vhost":      `hostname aliases maxConnections maxMessageSize maxConnectionsPerUser maxConnectionsPerHost allowUnknownUser groups`,
	"log":        `module enable includeTimestamp includeSource outputFile`,
}

// TestEveryAttributeIsTranslatedOrRemarked: nobody has to find out what of his file is not there any more.
func TestEveryAttributeIsTranslatedOrRemarked(t *testing.T) {
	for entityType, names := range attributes {
		for _, name := range strings.Fields(names) {
			tr := newTranslator("x.conf")
			e := &entity{Entity: dispatchconf.Entity{Type: entityType, Line: 1}, translator: tr, used: make(map[string]bool)}
			e.Attributes = []dispatchconf.Attribute{{Name: name, Line: 2, Value: "1"}}
			for _, step := range steps {
				if translate, ok := step[entityType]; ok {
					_ = tr.entity(e.Entity, translate) // what is wrong with the value is another matter
				}
			}
		}
	}
	known := 0
	for entityType := range attributes {
		if isKnown(entityType) {
			known++
		}
	}
	if known != len(attributes) {
		t.Errorf("%d types are known, want %d", known, len(attributes))
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
		"router {\n id: A\n}\nlistener {\n role: edge\n}\n":                       "role='standalone' not allowed to connect to or accept connections from other routers.",
		"router {\n mode: edge\n id: A\n}\nlistener {\n role: edge\n}\n":          "role='edge' only allowed with router mode='interior'",
		"router {\n mode: edge\n id: A\n}\nconnector {\n role: inter-router\n}\n": "role='inter-router' only allowed with router mode='interior'",
		"router {\n mode: interior\n}\n":                                          "Missing required attribute 'id'",
		"router {\n mode: sideways\n}\n":                                          "Invalid value for mode",
		"listener {\n port: nowhere\n}\n":                                         "Invalid value for port",
		"listener {\n http: perhaps\n}\n":                                         "Invalid Boolean value",
		"listener {\n sslProfile: none\n}\n":                                      "not found",
		"address {\n prefix: a\n pattern: b\n}\n":                                 "cannot be specified",
		"address {\n distribution: closest\n}\n":                                  "required",
		"autoLink {\n address: a\n}\n":                                            "Missing required attribute",
		"router {\n":                                                              "line 1",
	} {
		_, err := Translate("x.conf", []byte(text))
		var refused *Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
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
		if strings.Contains(text, "policyDir") || strings.Contains(text, "file:") {
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

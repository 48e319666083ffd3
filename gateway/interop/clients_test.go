//go:build interop

package interop

import (
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packages are the Debian packages that have the clients. A library is called like its package.
var packages = map[string]string{
	"mosquitto_pub":          "mosquitto-clients",
	"mosquitto_sub":          "mosquitto-clients",
	"mosquitto_rr":           "mosquitto-clients",
	"curl":                   "curl",
	"python3":                "python3",
	"python3-qpid-proton":    "python3-qpid-proton",
	"pip":                    "python3-pip",
	protonExamples:           "libqpid-proton11-dev-examples",
	"node":                   "nodejs",
	"npm":                    "npm",
	"javac":                  "default-jdk-headless",
	"mvn":                    "maven",
	stompPy:                  "python3-stomp",
	"python3-pytest":         "python3-pytest",
	"python3-pytest-mock":    "python3-pytest-mock",
	"python3-pytest-timeout": "python3-pytest-timeout",
	"h2load":                 "nghttp2-client",
	"chromium":               "chromium",
	libcoapPlain:             "libcoap3-bin",
	libcoapOpenSSL:           "libcoap3-bin",
	libcoapGnuTLS:            "libcoap3-bin",
	"autoreconf":             "autoconf", // with the next two, for what aiocoap's DTLS is built from
	"automake":               "automake",
	"libtoolize":             "libtool",
}

const (
	// debianPython is the Python that Debian installs libraries for; another one may come first in PATH.
	debianPython = "/usr/bin/python3"
	// protonExamples are the examples that come with Proton, and its tests of them.
	protonExamples = "/usr/share/proton/examples/python"
	// rhea is a library for Node.js that npm installs.
	rhea = "rhea"
	// rheaSources is the environment variable that names a folder with rhea's sources: npm's package has no examples.
	rheaSources = "RHEA"
	// mqttJS is a library for Node.js that npm installs.
	mqttJS = "mqtt"
	// mqttJSSources is the environment variable that names a folder with the sources of MQTT.js: npm's package has no tests.
	mqttJSSources = "MQTTJS"
	// pahoPython1 and pahoPython2 are the two generations of a library for Python, which pip installs.
	pahoPython1, pahoPython2 = "paho-mqtt 1", "paho-mqtt 2"
	// pahoTesting is the environment variable that names a folder with Eclipse Paho's interoperability suites
	// (github.com/eclipse/paho.mqtt.testing), which are in no package.
	pahoTesting = "PAHO_TESTING"
	// qpidJMS is a library for Java that Maven fetches.
	qpidJMS = "qpid-jms-client"
	// stompPy is Debian's package of stomp.py; pip installs the newest.
	stompPy = "python3-stomp"
	// stompPySources and stompJSSources are the environment variables that name folders with the sources of stomp.py and
	// of stompjs: what is published has no tests.
	stompPySources, stompJSSources = "STOMPPY", "STOMPJS"
	// qpidDispatch is the environment variable that names a folder with the sources of the Qpid Dispatch Router 1.19.0, whose
	// tools are in no package.
	qpidDispatch = "QPID_DISPATCH"
	// qdrouterdName is the environment variable that names the program of that router, built elsewhere.
	qdrouterdName = "QDROUTERD"
	// springMessaging is a library for Java that Maven fetches.
	springMessaging = "spring-messaging"
	// puppeteer is a library for Node.js that npm installs; it drives Debian's Chromium.
	puppeteer = "puppeteer-core"
	// h2spec, cloudEventsGo and zitadel are programs that Go builds from modules of their own below testdata.
	h2spec, cloudEventsGo, zitadel = "h2spec", "CloudEvents for Go", "provider of zitadel/oidc"
	// cloudEventsPython is a library for Python that pip installs.
	cloudEventsPython = "CloudEvents for Python"
	// schemathesis is a program that pip installs.
	schemathesis = "schemathesis"
	// aiocoap is a library for Python that pip installs.
	aiocoap = "aiocoap"
	// nodeCoAP is a library for Node.js that npm installs.
	nodeCoAP = "coap"
	// californium is a library for Java that Maven fetches.
	californium = "californium-core"
	// artemisName is a broker that Maven fetches, unless the environment variable ARTEMIS_HOME names the folder where it is.
	artemisName, artemisVersion = "Apache ActiveMQ Artemis", "2.40.0"
)

// libraries are the clients that no Debian package has.
var libraries = []string{
	mqttJS, mqttJSSources, pahoPython1, pahoPython2, pahoTesting, qpidJMS, springMessaging, rhea, rheaSources, stompPySources, stompJSSources,
	qpidDispatch, qdrouterdName, puppeteer, h2spec, cloudEventsGo, zitadel, cloudEventsPython, schemathesis,
	aiocoap, nodeCoAP, californium, artemisName,
}

var (
	nodeModules string // the folder that npm installs into
	jars        string // the folder that Maven copies to
	pythons     string // the folder that pip installs into, each library into a folder of its own
	stompJars   string // likewise, for STOMP
	coapJars    string // likewise, for CoAP
	python      string // with what pip installs
	programs    string // the folder that Go builds into
	brokers     string // the folder that Maven unpacks brokers into
)

// provide installs the clients that are missing, if it can, and names those that are missing still.
func provide(folder string) []string {
	nodeModules, jars = filepath.Join(folder, "node_modules"), filepath.Join(folder, "jars")
	pythons = filepath.Join(folder, "python")
	stompJars, python = filepath.Join(folder, "jars-stomp"), filepath.Join(folder, "venv", "bin", "python")
	programs, coapJars = filepath.Join(folder, "programs"), filepath.Join(folder, "jars-coap")
	brokers = filepath.Join(folder, "brokers")
	var names []string
	for client, name := range packages {
		if !present(client) {
			names = append(names, name)
		}
	}
	if apt, err := exec.LookPath("apt-get"); err == nil && len(names) > 0 {
		attempt(apt, "update")
		attempt(apt, append([]string{"install", "-y", "--no-install-recommends"}, names...)...)
	}
	if npm, err := exec.LookPath("npm"); err == nil {
		attempt(npm, "install", "--prefix", folder, "--no-audit", "--no-fund",
			rhea+"@latest", "ws@8", "mocha@11", "minimist@1", mqttJS+"@5", "chai@4", "stompit@1", "jasmine@5", "text-encoding@0.7",
			"@stomp/tcp-wrapper", puppeteer+"@24", nodeCoAP+"@1")
	}
	if pip, err := exec.LookPath("pip"); err == nil {
		for library, version := range map[string]string{pahoPython1: "<2", pahoPython2: ">=2"} {
			attempt(pip, "install", "--quiet", "--no-deps", "--target", filepath.Join(pythons, library), "paho-mqtt"+version)
		}
	}
	if mvn, err := exec.LookPath("mvn"); err == nil {
		for name, to := range map[string]string{"jms": jars, "stomp": stompJars, "coap": coapJars} {
			attempt(mvn, "-q", "-B", "-f", filepath.Join("testdata", name, "pom.xml"),
				"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+to)
		}
		if !present(artemisName) {
			attempt(mvn, "-q", "-B", "dependency:unpack", "-DoutputDirectory="+brokers,
				"-DmarkersDirectory="+filepath.Join(folder, "markers"), "-Dartifact=org.apache.activemq:apache-artemis:"+artemisVersion+":tar.gz:bin")
		}
	}
	attempt("python3", "-m", "venv", filepath.Join(folder, "venv"))
	attempt(python, "-m", "pip", "-q", "install",
		"stomp.py", "websocket-client", "pytest", "pytest-mock", "pytest-timeout", "schemathesis<5", "cloudevents<3")
	attempt(python, "-m", "pip", "-q", "install", aiocoap+"[tinydtls,ws]<0.5") // which compiles
	attempt("go", "-C", filepath.Join("testdata", "h2spec"), "build", "-o", filepath.Join(programs, h2spec),
		"github.com/summerwind/h2spec/cmd/h2spec")
	attempt("go", "-C", filepath.Join("testdata", "cloudevents"), "build", "-o", filepath.Join(programs, cloudEventsGo), ".")
	attempt("go", "-C", filepath.Join("testdata", "oidc"), "build", "-o", filepath.Join(programs, zitadel), ".")
	return missing()
}

// attempt runs a command, and says so when it fails.
func attempt(name string, args ...string) {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		log.Printf("%s %s: %v\n%s", name, args[0], err, out)
	}
}

func missing() (clients []string) {
	for _, client := range slices.Concat(slices.Sorted(maps.Keys(packages)), libraries) {
		if !present(client) {
			clients = append(clients, client)
		}
	}
	return clients
}

// present tells whether a client is here.
func present(client string) bool {
	var err error
	switch client {
	case "python3-qpid-proton":
		err = exec.Command(debianPython, "-c", "import proton").Run()
	case protonExamples:
		_, err = os.Stat(protonExamples)
	case rhea, mqttJS, puppeteer, nodeCoAP:
		_, err = os.Stat(filepath.Join(nodeModules, client))
	case pahoPython1, pahoPython2:
		_, err = os.Stat(filepath.Join(pythons, client, "paho"))
	case h2spec, cloudEventsGo, zitadel:
		_, err = os.Stat(filepath.Join(programs, client))
	case schemathesis:
		_, err = os.Stat(filepath.Join(filepath.Dir(python), client))
	case cloudEventsPython:
		err = exec.Command(python, "-c", "import cloudevents.core").Run()
	case aiocoap:
		err = exec.Command(python, "-c", "import aiocoap, DTLSSocket, websockets").Run()
	case artemisName:
		_, err = os.Stat(filepath.Join(artemisHome(), "bin", "artemis"))
	case californium:
		found, _ := filepath.Glob(filepath.Join(coapJars, californium+"-*.jar"))
		return len(found) > 0
	case pahoTesting:
		_, err = os.Stat(pahoSuite("client_test5"))
	case stompPy:
		err = exec.Command(debianPython, "-c", "import stomp").Run()
	case "python3-pytest", "python3-pytest-mock", "python3-pytest-timeout":
		module := strings.ReplaceAll(strings.TrimPrefix(client, "python3-"), "-", "_")
		err = exec.Command(debianPython, "-c", "import "+module).Run()
	case stompPySources:
		_, err = os.Stat(filepath.Join(os.Getenv(stompPySources), "tests", "test_s12.py"))
	case stompJSSources:
		_, err = os.Stat(filepath.Join(os.Getenv(stompJSSources), "spec", "support", "jasmine.json"))
	case springMessaging:
		found, _ := filepath.Glob(filepath.Join(stompJars, springMessaging+"-*.jar"))
		return len(found) > 0
	case qpidDispatch:
		_, err = os.Stat(filepath.Join(os.Getenv(qpidDispatch), "tools", "qdstat"))
	case qdrouterdName:
		_, err = exec.LookPath(os.Getenv(qdrouterdName))
	case mqttJSSources:
		_, err = os.Stat(filepath.Join(os.Getenv(mqttJSSources), "test", "browser", "test.js"))
	case rheaSources:
		_, err = os.Stat(rheaExample("test_examples.js"))
	case qpidJMS:
		found, _ := filepath.Glob(filepath.Join(jars, qpidJMS+"-*.jar"))
		return len(found) > 0
	default:
		_, err = exec.LookPath(client)
	}
	return err == nil
}

// artemisHome is the folder of the broker.
func artemisHome() string {
	if home := os.Getenv("ARTEMIS_HOME"); home != "" {
		return home
	}
	return filepath.Join(brokers, "apache-artemis-"+artemisVersion)
}

// need leaves a test out when a client that it needs is missing, which TestMain has allowed.
func need(t *testing.T, clients ...string) {
	t.Helper()
	for _, client := range clients {
		if !present(client) {
			t.Skipf("%s is missing and INTEROP_PARTIAL=1", client)
		}
	}
}

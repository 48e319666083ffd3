//go:build interop

package interop

import (
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// packages are the Debian packages that have the clients. A library is called like its package.
var packages = map[string]string{
	"mosquitto_pub":       "mosquitto-clients",
	"mosquitto_sub":       "mosquitto-clients",
	"curl":                "curl",
	"python3-qpid-proton": "python3-qpid-proton",
	protonExamples:        "libqpid-proton11-dev-examples",
	"node":                "nodejs",
	"npm":                 "npm",
	"javac":               "default-jdk-headless",
	"mvn":                 "maven",
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
	// qpidJMS is a library for Java that Maven fetches.
	qpidJMS = "qpid-jms-client"
)

// libraries are the clients that no Debian package has.
var libraries = []string{qpidJMS, rhea, rheaSources}

var (
	nodeModules string // the folder that npm installs into
	jars        string // the folder that Maven copies to
)

// provide installs the clients that are missing, if it can, and names those that are missing still.
func provide(folder string) []string {
	nodeModules, jars = filepath.Join(folder, "node_modules"), filepath.Join(folder, "jars")
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
			rhea+"@latest", "ws@8", "mocha@11", "minimist@1")
	}
	if mvn, err := exec.LookPath("mvn"); err == nil {
		attempt(mvn, "-q", "-B", "-f", filepath.Join("testdata", "jms", "pom.xml"),
			"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+jars)
	}
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
	case rhea:
		_, err = os.Stat(filepath.Join(nodeModules, rhea))
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

// need leaves a test out when a client that it needs is missing, which TestMain has allowed.
func need(t *testing.T, clients ...string) {
	t.Helper()
	for _, client := range clients {
		if !present(client) {
			t.Skipf("%s is missing and INTEROP_PARTIAL=1", client)
		}
	}
}

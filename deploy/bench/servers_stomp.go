package main

import (
	"archive/zip"
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// activemqHome is the folder that holds ActiveMQ: Debian's, or that of an archive from Apache.
func activemqHome() string { return cmp.Or(os.Getenv("ACTIVEMQ_HOME"), "/usr/share/activemq") }

// activemqJar is what Java runs in it.
func activemqJar() string { return filepath.Join(activemqHome(), "bin", "activemq.jar") }

// foundActiveMQ looks for Java and for ActiveMQ Classic.
func foundActiveMQ() server {
	s := found(server{name: activemq, versionAt: activemqVersion, place: stompQueue, configure: configureActiveMQ,
		note: "KahaDB as it is by default, which syncs before it answers a persistent message; the memory and the task runners " +
			"of Debian's options; not stored is a queue of messages that are not persistent"},
		"java")
	if s.absent == nil {
		_, s.absent = os.Stat(activemqJar())
	}
	return s
}

// configureActiveMQ writes what Debian's package has for an instance, with a connector for STOMP instead of its own.
func configureActiveMQ(dir string) (plan, error) {
	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	config := fmt.Sprintf(`<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" brokerName="bench" dataDirectory="%[1]s/data">
    <persistenceAdapter><kahaDB directory="%[1]s/data/kahadb"/></persistenceAdapter>
    <transportConnectors><transportConnector name="stomp" uri="stomp://%[2]s"/></transportConnectors>
  </broker>
</beans>
`, dir, loopback(port))
	file := filepath.Join(dir, "activemq.xml")
	p := plan{
		args: []string{"-Xms512M", "-Xmx512M", "-Dorg.apache.activemq.UseDedicatedTaskRunner=true",
			"-Dactivemq.home=" + activemqHome(), "-Dactivemq.base=" + dir, "-jar", activemqJar(), "start", "xbean:file:" + file},
		doors: map[protocol]string{stomp: loopback(port)},
	}
	return p, os.WriteFile(file, []byte(config), 0o644)
}

// stompQueue: a destination says that it is a queue.
func stompQueue(sc scenario) string { return "/queue/" + sc.place }

// activemqVersion is in the manifest of what Java runs. ActiveMQ itself would first talk of other things.
func activemqVersion(string) string {
	const field = "Implementation-Version: "
	archive, err := zip.OpenReader(activemqJar())
	if err != nil {
		return unknown
	}
	defer archive.Close()
	manifest, err := archive.Open("META-INF/MANIFEST.MF")
	if err != nil {
		return unknown
	}
	defer manifest.Close()
	lines := bufio.NewScanner(manifest)
	for lines.Scan() {
		if version, ok := strings.CutPrefix(lines.Text(), field); ok {
			return "ActiveMQ " + version
		}
	}
	return unknown
}

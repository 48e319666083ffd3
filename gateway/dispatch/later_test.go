package dispatch

import (
	"strings"
	"testing"
)

// TestConnectorMayBeMadeLater: links that lead to a connector that the file does not declare wait for management to make it.
func TestConnectorMayBeMadeLater(t *testing.T) {
	out, err := Translate("a.conf", []byte("autoLink {\n address: a\n direction: in\n connection: later\n}\n"+
		"linkRoute {\n prefix: b\n direction: out\n connection: later\n}\n"+
		"autoLink {\n address: c\n direction: out\n connection: later\n containerId: known\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := &out.Config.Network
	if len(n.AutoLinks) != 2 || len(n.LinkRoutes) != 1 {
		t.Fatalf("there are %+v and %+v", n.AutoLinks, n.LinkRoutes)
	}
	if l := n.AutoLinks[0]; l.Connector != "later" {
		t.Errorf("the automatic link leads to %q", l.Connector)
	}
	if r := n.LinkRoutes[0]; r.Connector != "later" {
		t.Errorf("the link route leads to %q", r.Connector)
	}
	if l := n.AutoLinks[1]; l.Connector != "" || l.ContainerID != "known" {
		t.Errorf("with a container it leads to %q, container %q", l.Connector, l.ContainerID)
	}
	if err := out.Config.Validate(); err != nil && strings.Contains(err.Error(), "connector") {
		t.Errorf("such a configuration is refused: %v", err)
	}
	out.Config.AMQP.Manner = ""
	if err := out.Config.Validate(); err == nil || !strings.Contains(err.Error(), `"later"`) {
		t.Errorf("in the gateway's own manner the name is taken: %v", err)
	}
}

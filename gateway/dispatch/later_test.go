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

// TestLinkWithoutDestinationIsKept, since tools list it, and is remarked.
func TestLinkWithoutDestinationIsKept(t *testing.T) {
	out, err := Translate("a.conf", []byte("autoLink {\n name: n\n address: a\n direction: in\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if all := out.Config.Network.AutoLinks; len(all) != 1 || all[0].Name != "n" {
		t.Errorf("there are %+v", all)
	}
	if all := out.Remarks; len(all) != 1 || !strings.Contains(all[0].Text, "never a link") {
		t.Errorf("remarked is %v", all)
	}
	out.Config.AMQP.Manner = ""
	if err := out.Config.Validate(); err == nil || !strings.Contains(err.Error(), "no containerID") {
		t.Errorf("in the gateway's own manner it is taken: %v", err)
	}
}

// TestConnectorsAreCalledAsWritten, also by those who lead to them, and by their hosts where nobody has named them.
func TestConnectorsAreCalledAsWritten(t *testing.T) {
	out, err := Translate("a.conf", []byte("connector {\n host: h\n port: 7\n}\nconnector {\n name: to the/shop\n port: 8\n}\n"+
		"autoLink {\n address: a\n direction: in\n connection: connector/h:7\n}\n"+
		"linkRoute {\n prefix: b\n direction: out\n connection: to the/shop\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := &out.Config.Network
	if n.Connectors[0].Name != "connector/h:7" || n.Connectors[1].Name != "to the/shop" {
		t.Errorf("connectors are %+v", n.Connectors)
	}
	if n.AutoLinks[0].Connector != "connector/h:7" || n.LinkRoutes[0].Connector != "to the/shop" || len(out.Remarks) > 0 {
		t.Errorf("links are %+v and %+v, remarked is %v", n.AutoLinks, n.LinkRoutes, out.Remarks)
	}
	n.Connectors[1].Name = "to\x00the"
	if err := out.Config.Validate(); err == nil || !strings.Contains(err.Error(), "can be printed") {
		t.Errorf("a name that cannot be printed is taken: %v", err)
	}
}

func TestWorkerThreadsAreRead(t *testing.T) {
	out, err := Translate("a.conf", []byte("router {\n id: A\n workerThreads: 3\n}\n"))
	if err != nil || out.Workers != 3 {
		t.Errorf("there are %d: %v", out.Workers, err)
	}
}

package management

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// TestVirtualHostsComeChangeAndGo, in the words of Dispatch where its tools look for them.
func TestVirtualHostsComeChangeAndGo(t *testing.T) {
	h := newHouse(t)
	settings := func(pairs ...any) (m amqp.Map) {
		for i := 0; i < len(pairs); i += 2 {
			m = append(m, amqp.Entry{Key: pairs[i], Value: pairs[i+1]})
		}
		return m
	}
	groups := settings("$default", settings("remoteHosts", "*", "sources", "public, private", "maxSenders", int64(22), "allowDynamicSource", true))
	bad := settings("$default", settings("sources", "a", "sourcePattern", "b"))
	for _, c := range []struct {
		what, operation, name string
		body                  amqp.Map
		status                int32
		says                  string
	}{
		{"make", "CREATE", "first", settings("hostname", "shop", "maxConnections", int64(50), "allowUnknownUser", true, "groups", groups), 201, ""},
		{"again", "CREATE", "second", settings("hostname", "shop"), 400, "declared already"},
		{"by a former name", "CREATE", "third", settings("id", "store"), 201, ""},
		{"nameless", "CREATE", "fourth", settings("maxConnections", int64(1)), 400, "hostname"},
		{"one that cannot be", "CREATE", "fifth", settings("hostname", "x", "groups", bad), 500, "PolicyError: Policy 'x' is invalid:"},
		{"change", "UPDATE", "shop", settings("maxConnections", int64(51), "hostname", "shop"), 200, ""},
		{"rename", "UPDATE", "shop", settings("id", "other"), 400, "cannot be set"},
		{"what is not there", "UPDATE", "other", settings("maxConnections", int64(51)), 404, ""},
		{"delete", "DELETE", "vhost/store", nil, 204, ""},
	} {
		a := h.ask(t, everything, asking{map[string]any{"operation": c.operation, "type": "org.apache.qpid.dispatch.vhost", "name": c.name}, c.body})
		if a.status != c.status || !strings.Contains(a.description, c.says) {
			t.Errorf("%s: %d %s, want %d %s", c.what, a.status, a.description, c.status, c.says)
		}
	}
	hosts := h.hosts.Policy().Hosts
	if len(hosts) != 1 || *hosts[0].MaxConnections != 51 || len(hosts[0].Groups) != 1 || *hosts[0].Groups[0].MaxSenders != 22 {
		t.Errorf("there are %+v", hosts)
	}
	names, rows := h.query(t, map[string]any{"entityType": "vhost"}, "hostname", "groups", "maxConnections")
	if len(rows) != 1 {
		t.Fatalf("%v: %v", names, rows)
	}
	row := rows[0].(amqp.List)
	told, _ := row[1].(amqp.Map)
	group, _ := told.Get("$default")
	sources, _ := group.(amqp.Map).Get("sources")
	if row[0] != "shop" || row[2] != int64(51) || sources != "public, private" {
		t.Errorf("it is told of as %v", row)
	}
	if _, rows := h.query(t, map[string]any{"entityType": "vhostStats"}, "hostname"); len(rows) != 2 {
		t.Errorf("there are the counts of %v", rows)
	}
}

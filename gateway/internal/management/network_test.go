package management

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// network is the part of a Model that is about the network: lists that what is made is put at the end of.
type network struct {
	connectors []Connector
	autoLinks  []AutoLink
	linkRoutes []LinkRoute
	ownRoutes  []OwnRoute
	profiles   []SSLProfile
	log        *Log // what DEFAULT has become; nil for what it was
}

func (n *network) Nodes() []Node {
	return []Node{
		{Names: Names{"router.node/house", "router.node/house"}, ID: "house", NextHop: new("(self)"), Address: "amqp:/_topo/0/house"},
		{Names: Names{"router.node/shed", "router.node/shed"}, ID: "shed", Cost: new(2), Address: "amqp:/_topo/0/shed"},
	}
}

func (n *network) Connectors() []Connector { return n.connectors }

func (n *network) Connect(_ context.Context, c Connector) (Connector, error) {
	c.Identity = "connector/" + c.Name
	return c, add(&n.connectors, c)
}

func (n *network) Disconnect(_ context.Context, identity string) error {
	return remove(&n.connectors, identity)
}

func (n *network) AutoLinks() []AutoLink { return n.autoLinks }

func (n *network) AddAutoLink(_ context.Context, l AutoLink) (AutoLink, error) {
	l.Identity = fmt.Sprint(len(n.autoLinks) + 1)
	return l, add(&n.autoLinks, l)
}

func (n *network) RemoveAutoLink(_ context.Context, identity string) error {
	return remove(&n.autoLinks, identity)
}

func (n *network) LinkRoutes() []LinkRoute { return n.linkRoutes }

func (n *network) AddLinkRoute(_ context.Context, r LinkRoute) (LinkRoute, error) {
	r.Identity = fmt.Sprint(len(n.linkRoutes) + 1)
	return r, add(&n.linkRoutes, r)
}

func (n *network) RemoveLinkRoute(_ context.Context, identity string) error {
	return remove(&n.linkRoutes, identity)
}

func (n *network) SSLProfiles() []SSLProfile { return n.profiles }

func (n *network) AddSSLProfile(_ context.Context, p SSLProfile) (SSLProfile, error) {
	p.Identity = "sslProfile/" + p.Name
	return p, add(&n.profiles, p)
}

func (n *network) RemoveSSLProfile(_ context.Context, name string) error {
	return remove(&n.profiles, "sslProfile/"+name)
}

func (n *network) OwnRoutes() []OwnRoute { return n.ownRoutes }

func (n *network) AddOwnRoute(_ context.Context, r OwnRoute) (OwnRoute, error) {
	r.Identity = fmt.Sprint(len(n.ownRoutes) + 1)
	return r, add(&n.ownRoutes, r)
}

func (n *network) RemoveOwnRoute(_ context.Context, identity string) error {
	return remove(&n.ownRoutes, identity)
}

func (n *network) Logs() []Log {
	if n.log != nil {
		return []Log{*n.log}
	}
	return []Log{{Names: Names{"log/DEFAULT", "log/DEFAULT"}, Module: "DEFAULT", Enable: "info+", OutputFile: new("stderr")}}
}

func (n *network) ChangeLog(_ context.Context, l Log) (Log, error) {
	n.log = &l
	return l, nil
}

func (n *network) LogStats() []LogStats {
	return []LogStats{{Names: Names{"logStats/DEFAULT", "logStats/DEFAULT"}, InfoCount: 7}}
}

func (n *network) Records(most int) []Record {
	all := []Record{
		{Module: "GATEWAY", Level: "info", Text: "begun", At: time.Unix(1, 0)},
		{Module: "AGENT", Level: "debug", Text: "GET-LOG", At: time.Unix(2, 0)},
	}
	return all[max(0, len(all)-most):]
}

// add puts an entity at the end, if its identity is new.
func add[E named](all *[]E, e E) error {
	for _, other := range *all {
		if fmt.Sprint(other) == fmt.Sprint(e) {
			return router.Errorf(router.Conflict, "it is there")
		}
	}
	*all = append(*all, e)
	return nil
}

func remove[E named](all *[]E, identity string) error {
	*all = slices.DeleteFunc(*all, func(e E) bool { return e.is(identity) })
	return nil
}

func TestWhatGoesOverTheNetworkIsMadeAndTakenAway(t *testing.T) {
	for _, c := range []struct {
		entityType string
		body       string // "attribute=value ..."
		want       int32
		has        string // attributes of the answer
	}{
		{"connector", "port=5672", 201, "host=127.0.0.1 role=normal cost=1"},
		{"connector", "port=5672 role=inter-router cost=3", 201, "role=inter-router cost=3"},
		{"connector", "port=5671 sslProfile=p maxFrameSize=2048", 201, "sslProfile=p maxFrameSize=2048"},
		{"connector", "port=5671 sslProfile=p verifyHostname=no", 501, ""},
		{"connector", "port=5671 messageLoggingComponents=all", 501, ""},
		{"connector", "port=5671 maxSessionFrames=7", 400, ""},
		{"sslProfile", "caCertFile=a certFile=c privateKeyFile=k", 201, "caCertFile=a certFile=c privateKeyFile=k"},
		{"sslProfile", "ciphers=ALL", 501, ""},
		{"sslProfile", "protocols=TLSv1", 501, ""},
		{"sslProfile", "uidFormat=1", 501, ""},
		{"connector", "port=5671 connectionStatus=SUCCESS", 400, ""},
		{"connector", "cost=cheap", 400, ""},
		{"router.config.autoLink", "address=a direction=out connection=broker", 201, "addr=a dir=out phase=0"},
		{"router.config.autoLink", "addr=a dir=in connection=broker externalAddr=b", 201, "direction=in phase=1 externalAddress=b"},
		{"router.config.autoLink", "addr=a dir=out phase=2 containerId=x", 201, "phase=2 containerId=x"},
		{"router.config.autoLink", "addr=a dir=out phase=10", 400, ""},
		{"router.config.autoLink", "addr=a dir=up", 400, ""},
		{"router.config.autoLink", "dir=in", 400, ""},
		{"router.config.autoLink", "addr=a dir=in fallback=yes", 201, "direction=in fallback=true"},
		{"router.config.autoLink", "addr=a dir=in connection=a containerId=b", 400, ""},
		{"router.config.linkRoute", "prefix=a direction=in connection=broker", 201, "dir=in distribution=linkBalanced"},
		{"router.config.linkRoute", "pattern=a/# dir=out", 201, "direction=out"},
		{"router.config.linkRoute", "pattern=a prefix=a dir=out", 400, ""},
		{"router.config.linkRoute", "dir=out", 400, ""},
		{"router.config.linkRoute", "prefix= dir=out", 400, ""},
		{"router.config.linkRoute", "prefix=a", 400, ""},
		{"router.config.linkRoute", "prefix=a dir=in distribution=closest", 400, ""},
		{"router.config.linkRoute", "prefix=a dir=in connection=a containerId=b", 400, ""},
		{"router.connection.linkRoute", "pattern=a.*.b direction=in", 201, "direction=in pattern=a.*.b"},
		{"router.connection.linkRoute", "pattern=a direction=up", 400, ""},
		{"router.connection.linkRoute", "pattern= direction=in", 400, ""},
		{"router.connection.linkRoute", "direction=in", 400, ""},
		{"router.connection.linkRoute", "pattern=a direction=in containerId=x", 400, ""},
		{"router.node", "id=x", 501, ""},
	} {
		h := newHouse(t)
		asked := asking{map[string]any{"operation": "CREATE", "type": c.entityType, "name": "mine"}, pairs(c.body)}
		got := h.ask(t, everything, asked)
		if got.status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.entityType, c.body, got.status, got.description, c.want)
		}
		if c.want != 201 {
			continue
		}
		made := got.body.(amqp.Map)
		for _, e := range pairs(c.has) {
			if value, _ := made.Get(e.Key.(string)); fmt.Sprint(value) != e.Value {
				t.Errorf("%s %s: %v is %v, want %v", c.entityType, c.body, e.Key, value, e.Value)
			}
		}
		for _, step := range []struct {
			operation string
			want      int32
		}{{"READ", 200}, {"UPDATE", 501}, {"DELETE", 204}, {"READ", 404}} {
			one := asking{map[string]any{"operation": step.operation, "type": c.entityType, "name": "mine"}, nil}
			if got := h.ask(t, everything, one); got.status != step.want {
				t.Errorf("%s %s: %d %s, want %d", step.operation, c.entityType, got.status, got.description, step.want)
			}
		}
	}
}

// pairs reads "key=value key=value".
func pairs(text string) (m amqp.Map) {
	for _, pair := range strings.Fields(text) {
		key, value, _ := strings.Cut(pair, "=")
		m = append(m, amqp.Entry{Key: key, Value: value})
	}
	return m
}

func TestNameThatIsTakenIsRefusedInDispatchsWords(t *testing.T) {
	h := newHouse(t)
	for _, want := range []int32{201, 400} {
		got := h.ask(t, everything, asking{map[string]any{"operation": "CREATE", "type": "connector", "name": "c"}, nil})
		if got.status != want {
			t.Errorf("%d %s, want %d", got.status, got.description, want)
		}
		if want == 400 && !strings.HasPrefix(got.description, "Name conflicts with an existing entity") {
			t.Errorf("it says %q", got.description)
		}
	}
}

func TestPasswordsAreNotTold(t *testing.T) {
	h := newHouse(t)
	body := amqp.Map{{Key: "saslUsername", Value: "me"}, {Key: "saslPassword", Value: "secret"}}
	got := h.ask(t, everything, asking{map[string]any{"operation": "CREATE", "type": "connector", "name": "c"}, body})
	if strings.Contains(fmt.Sprint(got.body), "secret") {
		t.Errorf("CREATE answers %v", got.body)
	}
	body = amqp.Map{{Key: "password", Value: "secret"}}
	got = h.ask(t, everything, asking{map[string]any{"operation": "CREATE", "type": "sslProfile", "name": "p"}, body})
	if got.status != 201 || strings.Contains(fmt.Sprint(got.body), "secret") {
		t.Errorf("CREATE answers %v", got.body)
	}
}

func TestRoutersAreListed(t *testing.T) {
	h := newHouse(t)
	nodes := h.ask(t, everything, asking{map[string]any{"operation": "GET-MGMT-NODES"}, nil}).body
	if want := "[amqp:/_topo/0/house/$management amqp:/_topo/0/shed/$management]"; fmt.Sprint(nodes) != want {
		t.Errorf("they are %v, want %s", nodes, want)
	}
	read := h.ask(t, everything, asking{map[string]any{"operation": "READ", "identity": "router.node/shed"}, nil})
	if cost, _ := read.body.(amqp.Map).Get("cost"); read.status != 200 || cost != int64(2) {
		t.Errorf("%d %v", read.status, read.body)
	}
}

func TestLogIsTold(t *testing.T) {
	h := newHouse(t)
	for limit, want := range map[int32]string{
		0: "[[GATEWAY info begun <nil> <nil> 1] [AGENT debug GET-LOG <nil> <nil> 2]]",
		1: "[[AGENT debug GET-LOG <nil> <nil> 2]]",
	} {
		if got := h.ask(t, everything, asking{map[string]any{"operation": "GET-LOG", "limit": limit}, nil}); fmt.Sprint(got.body) != want {
			t.Errorf("%d: %d %v, want %s", limit, got.status, got.body, want)
		}
	}
}

// TestPortMayBeANumber, as tools say it; what is text otherwise may not.
func TestPortMayBeANumber(t *testing.T) {
	for _, c := range []struct {
		entityType, attribute string
		want                  int32
	}{{"connector", "port", 201}, {"listener", "port", 201}, {"connector", "host", 400}} {
		body := amqp.Map{{Key: "port", Value: "5672"}}
		if c.attribute == "port" {
			body = nil
		}
		body = append(body, amqp.Entry{Key: c.attribute, Value: uint32(5672)})
		got := newHouse(t).ask(t, everything, asking{map[string]any{"operation": "CREATE", "type": c.entityType, "name": "n"}, body})
		if got.status != c.want {
			t.Errorf("%s of a %s: %d %s, want %d", c.attribute, c.entityType, got.status, got.description, c.want)
		}
	}
}

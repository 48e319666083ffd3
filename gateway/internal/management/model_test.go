package management

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// house is a Model with a few connections and links, and addresses that can be declared.
type house struct {
	connections int
	declared    map[string]Declaration
	dismissed   []string
	traced      []string
	hosts       *vhost.Register
	network
}

var _ Model = (*house)(nil)

func newHouse(t testing.TB, filters ...string) *house {
	hosts, err := vhost.NewRegister(vhost.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{connections: 3, declared: make(map[string]Declaration), hosts: hosts}
	for _, text := range filters {
		f, err := addressing.ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		h.declared[text] = NewDeclaration(f, addressing.Queue, addressing.Balanced)
	}
	return h
}

func (h *house) Router() Router {
	return Router{Names: Names{"router/house", "router/house"}, ID: "house", Mode: "interior", AddrCount: len(h.declared)}
}

func (h *house) Policy() Policy { return Policy{Names: Names{"policy", "policy"}} }

func (h *house) Listeners() []Listener {
	return []Listener{{Names: Names{"amqp", "listener/amqp"}, Port: "5672"}, {Names: Names{"http", "listener/http"}, HTTP: true}}
}

func (h *house) Listen(_ context.Context, l Listener) (Listener, error) { return l, nil }

func (h *house) Close(context.Context, string) error {
	return router.Errorf(router.Denied, "it is the file's")
}

func (h *house) Pools() []Pool { return nil }

func (h *house) VirtualHosts() []vhost.Host { return h.hosts.Policy().Hosts }

func (h *house) VirtualHostStats() []vhost.Stats { return h.hosts.Stats() }

func (h *house) DeclareVirtualHost(_ context.Context, v vhost.Host) error { return h.hosts.Declare(v) }

func (h *house) RedeclareVirtualHost(_ context.Context, v vhost.Host) error {
	return h.hosts.Redeclare(v)
}

func (h *house) WithdrawVirtualHost(_ context.Context, name string) error {
	return h.hosts.Withdraw(name)
}

func (h *house) connection(i int) Connection {
	properties := amqp.BeginFields(nil)
	properties.String("product", "test")
	return Connection{
		Names: Names{fmt.Sprintf("connection/%d", i), fmt.Sprint(i)}, AdminStatus: statusEnabled, OperStatus: "up",
		Container: fmt.Sprintf("client-%d", i), Properties: properties.End(),
	}
}

func (h *house) Connections(offset int) iter.Seq[Connection] {
	return func(yield func(Connection) bool) {
		for i := offset; i < h.connections && yield(h.connection(i)); i++ {
		}
	}
}

func (h *house) Connection(identity string) (Connection, bool) {
	for i := range h.connections {
		if c := h.connection(i); c.is(identity) {
			return c, true
		}
	}
	return Connection{}, false
}

func (h *house) Dismiss(_ context.Context, identity string) error {
	h.dismissed = append(h.dismissed, identity)
	return nil
}

func (h *house) Trace(_ context.Context, identity string, shown bool) error {
	h.traced = append(h.traced, fmt.Sprint(identity, " ", shown))
	return nil
}

func (h *house) Links(offset int) iter.Seq[Link] {
	return slice([]Link{{Names: Names{"l", "link/1"}}}, offset)
}

func (h *house) Link(identity string) (Link, bool) { return Link{}, false }

func (h *house) Addresses(offset int) iter.Seq[Address] {
	return slice([]Address{{Names: Names{"M0jobs", "M0jobs"}, Key: "M0jobs"}}, offset)
}

func (h *house) Address(key string) (Address, bool) { return Address{}, false }

func (h *house) Declarations(offset int) iter.Seq[Declaration] {
	return func(yield func(Declaration) bool) {
		for _, filter := range slices.Sorted(maps.Keys(h.declared))[min(offset, len(h.declared)):] {
			if !yield(h.declared[filter]) {
				return
			}
		}
	}
}

func (h *house) Declaration(filter string) (Declaration, bool) {
	for _, d := range h.declared {
		if d.Filter() == filter || d.Name == filter {
			return d, true
		}
	}
	return Declaration{}, false
}

func (h *house) Declare(_ context.Context, d Declaration) error {
	if _, ok := h.declared[d.Filter()]; ok {
		return router.Errorf(router.Conflict, "there is one already")
	}
	h.declared[d.Filter()] = d
	return nil
}

func (h *house) Redeclare(_ context.Context, d Declaration) error {
	h.declared[d.Filter()] = d
	return nil
}

func (h *house) Withdraw(_ context.Context, filter string) error {
	delete(h.declared, filter)
	return nil
}

// everything is all rights.
var everything = Rights{Read: true, Change: true}

// asking is a request as a test writes it.
type asking struct {
	properties map[string]any
	body       any
}

// message encodes a request.
func (a asking) message(t testing.TB) amqp.Message {
	p := amqp.Properties{ReplyTo: "answers", MessageID: "m1"}
	w := amqp.BeginApplicationProperties(p.Append(nil))
	for _, name := range slices.Sorted(maps.Keys(a.properties)) {
		if err := w.Any(name, a.properties[name]); err != nil {
			t.Fatal(err)
		}
	}
	out, err := amqp.AppendValue(w.End(), a.body)
	if err != nil {
		t.Fatal(err)
	}
	m, err := amqp.ParseMessage(out)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answered is an answer as a test reads it.
type answered struct {
	status      int32
	description string
	body        any
}

const room = 1 << 20

// ask has a request answered.
func (h *house) ask(t testing.TB, may Rights, a asking) answered {
	t.Helper()
	m := Answer(t.Context(), h, may, a.message(t), room)
	if _, err := amqp.ParseMessage(m.Bytes()); err != nil {
		t.Fatalf("the answer cannot be read: %v", err)
	}
	status, _ := m.ApplicationProperty("statusCode")
	description, _ := m.ApplicationProperty("statusDescription")
	return answered{status.(int32), description.(string), m.Body().Value().Value()}
}

// query asks for entities, and gives them row by row.
func (h *house) query(t testing.TB, properties map[string]any, attributes ...any) (names, rows amqp.List) {
	t.Helper()
	properties["operation"] = "QUERY"
	got := h.ask(t, everything, asking{properties, amqp.Map{{Key: "attributeNames", Value: amqp.List(attributes)}}})
	if got.status != statusOK {
		t.Fatalf("QUERY %v: %d %s", properties, got.status, got.description)
	}
	body := got.body.(amqp.Map)
	listed, _ := body.Get("attributeNames")
	results, _ := body.Get("results")
	return listed.(amqp.List), results.(amqp.List)
}

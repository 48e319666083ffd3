package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// manager asks $management, one request after the other.
type manager struct {
	*amqpClient
	t        *testing.T
	requests *goamqp.Sender
	answers  *goamqp.Receiver
}

// newManager connects a client, which may be nobody in particular.
func newManager(ctx context.Context, t *testing.T, door string, o *goamqp.ConnOptions) *manager {
	t.Helper()
	client, err := connectAMQP(ctx, door, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.conn.Close() })
	m := &manager{amqpClient: client, t: t}
	if m.requests, err = client.session.NewSender(ctx, "$management", nil); err != nil {
		t.Fatal(err)
	}
	if m.answers, err = client.session.NewReceiver(ctx, "", &goamqp.ReceiverOptions{DynamicAddress: true}); err != nil {
		t.Fatal(err)
	}
	return m
}

// ask sends a request and gives what it is answered.
func (m *manager) ask(operation string, properties, body map[string]any) (status int32, answer any) {
	m.t.Helper()
	to := m.answers.Address()
	all := map[string]any{"operation": operation}
	for name, value := range properties {
		all[name] = value
	}
	if body == nil {
		body = map[string]any{}
	}
	err := m.requests.Send(m.ctx, &goamqp.Message{
		Properties: &goamqp.MessageProperties{ReplyTo: &to, MessageID: operation}, ApplicationProperties: all, Value: body,
	}, nil)
	if err != nil {
		m.t.Fatalf("%s: %v", operation, err)
	}
	message, err := m.answers.Receive(m.ctx, nil)
	if err != nil {
		m.t.Fatalf("%s: %v", operation, err)
	}
	if err := m.answers.AcceptMessage(m.ctx, message); err != nil {
		m.t.Fatal(err)
	}
	if message.Properties.CorrelationID != operation {
		m.t.Errorf("the answer to %s is to %v", operation, message.Properties.CorrelationID)
	}
	return message.ApplicationProperties["statusCode"].(int32), message.Value
}

// expect is ask where the status has to be this one.
func (m *manager) expect(want int32, operation string, properties, body map[string]any) any {
	m.t.Helper()
	status, answer := m.ask(operation, properties, body)
	if status != want {
		m.t.Errorf("%s %v: status %d, want %d", operation, properties, status, want)
	}
	return answer
}

// column asks for one attribute of the entities of a type.
func (m *manager) column(entityType, attribute string) (values []any) {
	m.t.Helper()
	answer := m.expect(200, "QUERY", map[string]any{"entityType": "org.apache.qpid.dispatch." + entityType},
		map[string]any{"attributeNames": []any{attribute}})
	for _, row := range answer.(map[string]any)["results"].([]any) {
		values = append(values, row.([]any)[0])
	}
	return values
}

const addressType = "org.apache.qpid.dispatch.router.config.address"

// TestManagementChangesAddresses: what is created can be used at once and after a restart, and not once it is deleted.
func TestManagementChangesAddresses(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, fs := quickstart(t), vfs.NewMem()
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	made := map[string]any{"type": addressType, "name": "orders"}
	t.Run("made", func(t *testing.T) {
		doors := startOn(t, fs, c, slog.New(slog.DiscardHandler))
		m := newManager(ctx, t, doors["amqp"], nil)
		m.expect(201, "CREATE", made, map[string]any{"pattern": "orders", "waypoint": true, "maxMessages": int64(7)})
		m.expect(400, "CREATE", made, map[string]any{"pattern": "orders"})
		m.expect(403, "DELETE", map[string]any{"type": addressType, "name": "jobs"}, nil) // the file's
		m.expect(403, "UPDATE", map[string]any{"type": addressType, "name": "jobs"}, map[string]any{"distribution": "multicast"})
		m.expect(400, "UPDATE", made, map[string]any{"deadLetter": "nowhere"})
		if !m.mayUse("orders") {
			t.Error("what has been created cannot be used")
		}
		m.expect(200, "UPDATE", made, map[string]any{"maxDeliveries": int64(3)})
	})
	t.Run("there still", func(t *testing.T) {
		doors := startOn(t, fs, c, slog.New(slog.DiscardHandler))
		m := newManager(ctx, t, doors["amqp"], nil)
		read := m.expect(200, "READ", made, nil).(map[string]any)
		if read["kind"] != "queue" || read["maxMessages"] != int64(7) || read["maxDeliveries"] != int64(3) || !m.mayUse("orders") {
			t.Errorf("after a restart it is %v", read)
		}
		m.expect(204, "DELETE", made, nil)
		m.expect(404, "DELETE", made, nil)
		if m.mayUse("orders") {
			t.Error("what has been deleted can be used")
		}
	})
	record, err := os.ReadFile(c.Audit.File)
	if n := strings.Count(string(record), `"what":"address","name":"orders"`); err != nil || n != 3 {
		t.Errorf("%d changes are on record, %v:\n%s", n, err, record)
	}
}

// mayUse tells whether a client may send to an address.
func (m *manager) mayUse(address string) bool {
	m.t.Helper()
	link, err := m.session.NewSender(m.ctx, address, nil)
	if err == nil {
		err = link.Close(m.ctx)
	}
	return err == nil
}

func TestManagementAsksForRights(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	declared, err := config.Parse("roles.yaml", []byte(`
tenants:
  - name: default
    anonymous: true
    roles: [{name: owner, admin: true}, {name: keeper, manage: ["#"]}, {name: device, send: ["#"], receive: ["#"], manage: ["a/#"]}]
    defaultRoles: [device]
    users:
      - {name: ann, credential: "`+passwordA+`", roles: [owner]}
      - {name: ben, credential: "`+passwordA+`", roles: [keeper]}
  - {name: open, anonymous: true}
  - {name: bare, users: [{name: cid, credential: "`+passwordA+`"}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	doors := start(t, c)
	for _, who := range []struct {
		name, user, host string
		read, change     int32
	}{
		{"an admin", "ann", "", 200, 201}, {"who manages", "ben", "", 200, 403}, {"a device", "", "default", 403, 403},
		{"anybody, where nobody is told apart", "", "open", 200, 201}, {"a user without roles", "cid@bare", "", 403, 403},
	} {
		o := &goamqp.ConnOptions{HostName: who.host}
		if who.user != "" {
			o.SASLType = goamqp.SASLTypePlain(who.user, "a")
		}
		m := newManager(ctx, t, doors["amqp"], o)
		m.expect(who.read, "QUERY", nil, nil)
		m.expect(who.read, "READ", map[string]any{"name": "self"}, nil)
		m.expect(who.change, "CREATE", map[string]any{"type": addressType}, map[string]any{"pattern": "new"})
	}
	c.Listen, c.DataDir = "0.0.0.0", t.TempDir()
	m := newManager(ctx, t, reachableDoor(start(t, c)["amqp"]), &goamqp.ConnOptions{HostName: "open"})
	m.expect(403, "QUERY", nil, nil)
	if _, err := m.session.NewReceiver(ctx, "$management", nil); err == nil {
		t.Error("somebody receives what others ask")
	}
}

// reachableDoor gives where a door on all interfaces is reached from this machine.
func reachableDoor(address string) string {
	return "127.0.0.1" + address[strings.LastIndex(address, ":"):]
}

func TestManagementShowsOneTenantOnly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := neighbours(t)
	doors := start(t, c)
	a := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "a", ContainerID: "of-a"})
	b := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "b", ContainerID: "of-b"})
	b.expect(201, "CREATE", map[string]any{"type": addressType}, map[string]any{"pattern": "secret", "waypoint": true})
	link, err := b.session.NewSender(ctx, "secret", nil)
	if err == nil {
		err = link.Send(ctx, &goamqp.Message{Value: "x"}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(a.column("connection", "container"), b.column("connection", "container")); got != "[of-a] [of-b]" {
		t.Errorf("connections: %s", got)
	}
	identity := b.column("connection", "identity")[0]
	for _, entityType := range []string{"router.address", "router.config.address", "router.link", "router", "policy", "listener"} {
		for _, attribute := range []string{"name", "identity", "owningAddr", "connectionId", "metadata"} {
			for _, value := range a.column(entityType, attribute) {
				if text := fmt.Sprint(value); strings.Contains(text, "secret") || attribute == "connectionId" && value == identity {
					t.Errorf("%s: %s %s", entityType, attribute, text)
				}
			}
		}
	}
	for _, properties := range []map[string]any{
		{"type": "connection", "identity": identity}, {"name": "secret"}, {"identity": "M0secret"}, {"identity": b.column("router.link", "identity")[0]},
	} {
		a.expect(404, "READ", properties, nil)
	}
	a.expect(404, "UPDATE", map[string]any{"type": "connection", "identity": identity}, map[string]any{"adminStatus": "deleted"})
	a.expect(404, "DELETE", map[string]any{"type": addressType, "name": "secret"}, nil)
	if pools := a.column("allocator", "name"); len(pools) != 0 {
		t.Errorf("memory: %v", pools)
	}
	if kinds := b.column("router.address", "messages"); !slices.Contains(kinds, any(int64(1))) {
		t.Errorf("b sees %v messages", kinds)
	}
}

func TestManagementClosesConnections(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := start(t, quickstart(t))
	m := newManager(ctx, t, doors["amqp"], nil)
	ended := make(chan struct{})
	other, err := goamqp.Dial(ctx, "amqp://"+doors["amqp"], &goamqp.ConnOptions{ContainerID: "other"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		<-other.Done()
		close(ended)
	}()
	at := slices.Index(m.column("connection", "container"), any("other"))
	identity := m.column("connection", "identity")[at]
	m.expect(200, "UPDATE", map[string]any{"type": "connection", "identity": identity}, map[string]any{"adminStatus": "deleted"})
	if left := m.column("connection", "container"); slices.Contains(left, any("other")) {
		t.Errorf("a connection that has been ended is among %v", left)
	}
	select {
	case <-ended:
	case <-ctx.Done():
		t.Error("the connection goes on")
	}
}

// TestManagementIsNotHeldUp: a tenant that asks too much waits for itself only.
func TestManagementIsNotHeldUp(t *testing.T) {
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Anycast: direct})
	hold := make(chan struct{})
	n := &managementNode{
		router: r, log: slog.New(slog.DiscardHandler), places: make(chan struct{}, maxManaged), lines: make(map[string][]router.Delivery),
		may: func(p *tenancy.Principal) management.Rights {
			if p.Tenant.Name == "busy" {
				<-hold
			}
			return management.Rights{}
		},
		model: func(*tenancy.Principal) management.Model { return nil },
	}
	r.Serve(n, managementAddress)
	ask := func(tenant string, times int) (*routertest.Producer, *routertest.Consumer) {
		user := routertest.User(t, tenant, routertest.Define(t, "answers", addressing.Anycast))
		links := routertest.Links{T: t, Router: r, User: user}
		answers, requests := links.Receiver("answers", times), links.Sender(string(managementAddress))
		p := amqp.Properties{ReplyTo: "answers", CorrelationID: tenant}
		for range times {
			requests.SendDelivery(router.Delivery{Message: amqp.Trusted(amqp.AppendValueString(p.Append(nil), ""))})
		}
		return requests, answers
	}
	const more = 10
	requests, answers := ask("busy", maxManagedWaiting+1+more)
	for range more - 1 { // one may be being answered, or not yet
		if o := requests.Next().Outcome; o.State != router.Released || o.Reason != router.Quota {
			t.Fatalf("a request too many is %v %v", o.State, o.Reason)
		}
	}
	other, others := ask("idle", 3)
	other.Accepted(3)
	for range 3 {
		others.Next()
	}
	close(hold)
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := n.run(ended); err != nil { // waits for what is in work
		t.Fatal(err)
	}
	accepted := 0
	for range maxManagedWaiting + 2 {
		if requests.Next().Outcome.State == router.Accepted {
			accepted++
			answers.Next()
		}
	}
	if accepted < maxManagedWaiting {
		t.Errorf("%d of the requests that waited were answered", accepted)
	}
	requests.SendDelivery(router.Delivery{Message: amqp.Trusted(amqp.AppendValueString(nil, ""))})
	if o := requests.Next().Outcome; o.Reason != router.Stopping {
		t.Errorf("a request that comes too late: %v", o.Reason)
	}
}

// TestAddressesOfTheFileAreListedFirst, in its order, also page by page.
func TestAddressesOfTheFileAreListedFirst(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := quickstart(t)
	c.Addresses = nil
	for _, name := range []string{"z", "b"} {
		f, err := addressing.ParseFilter(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Addresses = append(c.Addresses, config.Address{Name: f, Kind: addressing.Anycast})
	}
	m := newManager(ctx, t, startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))["amqp"], nil)
	for _, name := range []string{"y", "a"} {
		m.expect(201, "CREATE", map[string]any{"type": addressType, "name": name}, map[string]any{"pattern": name})
	}
	want := []any{"z", "b", "a", "y"}
	if names := m.column("router.config.address", "name"); !slices.Equal(names, want) {
		t.Errorf("listed are %v, want %v", names, want)
	}
	page := m.expect(200, "QUERY", map[string]any{"entityType": addressType, "offset": int32(1), "count": int32(2)},
		map[string]any{"attributeNames": []any{"name"}})
	if rows := fmt.Sprint(page.(map[string]any)["results"]); rows != "[[b] [a]]" {
		t.Errorf("the second and third are %s", rows)
	}
}

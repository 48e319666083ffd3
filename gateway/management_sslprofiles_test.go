package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

const (
	profileType  = "org.apache.qpid.dispatch.sslProfile"
	listenerType = "org.apache.qpid.dispatch.listener"
)

// operated starts a gateway of which root is the operator, and says what it logs. Whoever is root has the password "a".
func operated(ctx context.Context, t *testing.T, log *slog.Logger, settings ...func(*config.Config)) (m *manager, doors map[string]string) {
	t.Helper()
	declared, err := config.Parse("operated.yaml", []byte(`
tenants:
  - name: default
    anonymous: true
    roles: [{name: operator, admin: true, send: ["#"], receive: ["#"]}, {name: guest, send: ["#"], receive: ["#"]}]
    defaultRoles: [guest]
    users: [{name: root, credential: "`+passwordA+`", roles: [operator]}]
    addresses: [{name: "way", kind: anycast}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	for _, set := range settings {
		set(&c)
	}
	doors = startOn(t, nil, c, log)
	return newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("root", "a")}), doors
}

// TestManagementSecuresListeners: a listener shows the certificate of its profile, also one that has been changed.
func TestManagementSecuresListeners(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, _ := operated(ctx, t, slog.New(slog.DiscardHandler))
	authority := gatewaytest.New(t)
	certificate, key := authority.Server()
	profile := map[string]any{"type": profileType, "name": "mine"}
	files := map[string]any{"certFile": certificate, "privateKeyFile": key}
	named := map[string]any{"type": listenerType, "name": "secured"}
	secured := map[string]any{"port": "0", "sslProfile": "mine", "requireSsl": true, "maxFrameSize": int64(2048)}
	m.expect(400, "CREATE", named, secured)
	m.expect(201, "CREATE", profile, files)
	m.expect(400, "CREATE", profile, files)
	m.expect(400, "CREATE", named, map[string]any{"port": "0", "requireSsl": true})
	m.expect(501, "CREATE", named, map[string]any{"port": "0", "sslProfile": "mine"})
	made := m.expect(201, "CREATE", named, secured).(map[string]any)
	if made["sslProfile"] != "mine" || made["requireSsl"] != true || made["maxFrameSize"] != int64(2048) {
		t.Errorf("it is %v", made)
	}
	at := net.JoinHostPort("127.0.0.1", made["port"].(string))
	serial := func() string {
		nc, err := tls.Dial("tcp", at, authority.Dialer("localhost", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return nc.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	authority.Server() // writes another one to the same files
	for at := time.Now(); serial() == first; at = at.Add(time.Second) {
		for _, file := range []string{certificate, key} {
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		if ctx.Err() != nil {
			t.Fatal("the changed certificate is not shown")
		}
	}
	client, err := goamqp.Dial(ctx, "amqps://"+at, &goamqp.ConnOptions{
		TLSConfig: authority.Dialer("localhost", ""), SASLType: goamqp.SASLTypePlain("root", "a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	m.expect(204, "DELETE", profile, nil)
	m.expect(404, "DELETE", profile, nil)
	serial() // goes on
	m.expect(204, "DELETE", named, nil)
}

// TestManagementSecuresConnectors: one gateway connects to another by what management says.
func TestManagementSecuresConnectors(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	authority := gatewaytest.New(t)
	broker := storing(t, authority)
	_, port, _ := strings.Cut(broker["amqps"], ":")
	m, doors := operated(ctx, t, slog.New(slog.DiscardHandler))
	certificate, key := authority.Client("certified")
	m.expect(201, "CREATE", map[string]any{"type": profileType, "name": "ours"},
		map[string]any{"caCertFile": authority.File, "certFile": certificate, "privateKeyFile": key})
	named := map[string]any{"type": connectorType, "name": "broker"}
	to := map[string]any{
		"host": "localhost", "port": port, "sslProfile": "ours", "maxFrameSize": int64(4096), "maxSessions": int64(7),
		"idleTimeoutSeconds": int64(77), "linkCapacity": int64(17),
	}
	for _, wrong := range []map[string]any{
		{"host": "localhost", "port": port, "sslProfile": "theirs"}, {"port": port, "maxFrameSize": int64(1)},
		{"port": port, "maxSessions": int64(-1)}, {"port": port, "idleTimeoutSeconds": int64(-1)}, {"port": port, "linkCapacity": int64(0)},
	} {
		if status, _ := m.ask("CREATE", named, wrong); status != 400 {
			t.Errorf("%v gives %d", wrong, status)
		}
	}
	made := m.expect(201, "CREATE", named, to).(map[string]any)
	for name, want := range to {
		if made[name] != want {
			t.Errorf("%s is %v, want %v", name, made[name], want)
		}
	}
	for m.expect(200, "READ", named, nil).(map[string]any)["connectionStatus"] != "SUCCESS" {
		if ctx.Err() != nil {
			t.Fatal("it does not connect")
		}
	}
	ours := m.column("connection", "identity")[slices.Index(m.column("connection", "dir"), any("out"))]
	m.expect(403, "UPDATE", map[string]any{"type": "connection", "identity": ours}, map[string]any{"adminStatus": "deleted"})
	guest := newManager(ctx, t, doors["amqp"], nil)
	guest.expect(403, "QUERY", map[string]any{"entityType": profileType}, nil)
	m.expect(204, "DELETE", named, nil)
	if again := m.expect(201, "CREATE", named, map[string]any{"port": "1"}).(map[string]any); again["sslProfile"] != nil {
		t.Errorf("another one of this name is secured by %v", again["sslProfile"])
	}
}

// TestFilesAreNamedByTheOperator: where anybody may change what is managed, nobody may have the gateway read files.
func TestFilesAreNamedByTheOperator(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	authority := gatewaytest.New(t)
	anybody := newManager(ctx, t, start(t, quickstart(t))["amqp"], nil)
	profile := map[string]any{"type": profileType, "name": "mine"}
	anybody.expect(403, "CREATE", profile, map[string]any{"caCertFile": authority.File})
	dispatch := quickstart(t)
	dispatch.AMQP.Manner = config.DispatchManner
	named := map[string]any{"type": connectorType, "name": "broker"}
	for _, someone := range []*manager{anybody, newManager(ctx, t, start(t, dispatch)["amqp"], nil)} {
		for _, password := range []string{"file:/etc/hostname", "env:HOME"} {
			someone.expect(403, "CREATE", named, map[string]any{"saslUsername": "me", "saslPassword": password})
		}
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	operator, doors := operated(ctx, t, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		func(c *config.Config) { c.Tenants = append(c.Tenants, config.Tenant{Name: "other", Anonymous: true}) })
	other := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "other"})
	other.expect(403, "CREATE", profile, map[string]any{"caCertFile": authority.File})
	missing := filepath.Join(t.TempDir(), "none.pem")
	operator.expect(400, "CREATE", profile, map[string]any{"caCertFile": missing})
	operator.expect(400, "CREATE", profile, map[string]any{"caCertFile": authority.File, "privateKeyFile": missing})
	certificate, key := authority.Server()
	operator.expect(201, "CREATE", profile, map[string]any{
		"certFile": certificate, "privateKeyFile": key, "password": "pass:very secret",
	})
	if list := other.column("sslProfile", "name"); len(list) != 0 {
		t.Errorf("another tenant sees %v", list)
	}
	if list := operator.column("sslProfile", "password"); len(list) != 1 || list[0] != nil {
		t.Errorf("the password is %v", list)
	}
	if said, err := os.ReadFile(log.Name()); err != nil || strings.Contains(string(said), "very secret") {
		t.Errorf("the log tells the password, or nothing: %v", err)
	}
}

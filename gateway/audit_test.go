package gateway

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
)

// TestAuditLogTellsWhoCameAndWhoFailed at each door, and nothing that is a secret.
func TestAuditLogTellsWhoCameAndWhoFailed(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	c := trusting(t, issuer)
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	changes := make(chan config.Config)
	token := issuer.Token(map[string]any{"sub": "ann", "aud": "manifold", "realm_access": map[string]any{"roles": []string{"worker"}}})
	late := issuer.Token(map[string]any{"sub": "ann", "aud": "manifold", "exp": 1})
	t.Run("a gateway", func(t *testing.T) {
		doors := startChanging(t, vfs.NewMem(), c, changes, slog.New(slog.DiscardHandler))
		for way, send := range withToken {
			if err := send(t.Context(), doors, token); err != nil {
				t.Errorf("%s: %v", way, err)
			}
			if err := send(t.Context(), doors, late); err == nil {
				t.Errorf("%s: a token that has expired is good", way)
			}
		}
		sendWithSASL(t.Context(), doors["amqp"], goamqp.SASLTypePlain("bob@acme", "hunter2"))
		other := c
		other.Tenants = slices.Clone(c.Tenants[:1])
		other.Tenants = append(other.Tenants, config.Tenant{Name: "new", Anonymous: true})
		changes <- other
		changes <- other
	})
	text, err := os.ReadFile(c.Audit.File)
	if err != nil {
		t.Fatal(err)
	}
	if body := string(text); strings.Contains(body, token) || strings.Contains(body, late) || strings.Contains(body, "hunter2") {
		t.Error("there is a secret in it")
	}
	seen := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		var e audit.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		seen[strings.Join([]string{e.Event, e.Protocol, e.Tenant, e.User, e.Reason, e.What, e.Change}, " ")]++
		if e.Event != "changed" && !strings.HasPrefix(e.Address, "127.0.0.1:") {
			t.Errorf("from %q: %s", e.Address, line)
		}
	}
	want := map[string]int{
		"connected MQTT default ann   ": 2, "disconnected MQTT default ann   ": 2,
		"connected AMQP default ann   ": 2, "disconnected AMQP default ann   ": 2,
		"connected STOMP default ann   ": 2, "disconnected STOMP default ann   ": 2,
		"failed MQTT default token token  ": 1, "failed MQTT default  token  ": 1,
		"failed AMQP default token token  ": 1, "failed AMQP default  token  ": 1,
		"failed STOMP default token token  ": 1, "failed STOMP default  token  ": 1,
		"failed HTTP default token token  ": 1, "failed HTTP default  token  ": 1,
		"failed AMQP acme bob credentials  ": 1,
		"changed  acme   tenant removed":     1,
		"changed  new   tenant added":        1,
		"changed     configuration altered":  2,
	}
	for line, n := range want {
		if seen[line] != n {
			t.Errorf("%q is there %d times, want %d", line, seen[line], n)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("there is %v", seen)
	}
}

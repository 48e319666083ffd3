//go:build interop

package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/go-stomp/stomp/v3"
)

// startProvider runs the example provider of zitadel/oidc until the test ends, and gives its issuer.
func startProvider(t *testing.T) (issuer string) {
	t.Helper()
	provider := exec.Command(filepath.Join(programs, zitadel))
	provider.Stderr = os.Stderr
	in, err := provider.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := provider.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		provider.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// tokenOf asks a provider for a token with the secret of its client (RFC 6749 section 4.4).
func tokenOf(t *testing.T, issuer string, scopes ...string) string {
	t.Helper()
	var document struct {
		At string `json:"token_endpoint"`
	}
	fetch(t, http.MethodGet, issuer+"/.well-known/openid-configuration", "", &document)
	var answer struct {
		Token string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}}
	fetch(t, http.MethodPost, document.At, form.Encode(), &answer)
	return answer.Token
}

func fetch(t *testing.T, method, from, form string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, from, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("sid1", "verysecret")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", from, answer.Status, err)
	}
}

// TestTokensOfZitadel: the tokens of a provider that we did not write let clients that we did not write in, over each protocol,
// with the roles that it says; what fails is in the audit log.
func TestTokensOfZitadel(t *testing.T) {
	need(t, zitadel, "curl", "mosquitto_pub")
	issuer := startProvider(t)
	folder := t.TempDir()
	record := filepath.Join(folder, "audit.log")
	g := startWith(t, folder, fmt.Sprintf(`
mqtt: {port: 0, webSocket: {enabled: false}}
amqp: {port: 0}
stomp: {port: 0}
coap: {enabled: false}
http: {port: 0}
admin: {port: 0}
audit: {file: %s}
tenants:
  - name: default
    tokenUser: token
    tokens:
      - {issuer: %q, audience: manifold, claims: {roles: realm_access.roles}, leeway: 30s}
    roles: [{name: worker, send: [jobs]}]
    addresses: [{name: jobs, kind: queue}]
`, record, issuer))
	host, port, _ := strings.Cut(g.doors["mqtt"], ":")
	ways := map[string]func(token string) error{
		"curl": func(token string) error {
			return exec.CommandContext(t.Context(), "curl", "-sf", "-H", "Authorization: Bearer "+token, "-d", "x",
				"http://"+g.doors["http"]+"/v1/default/jobs/messages").Run()
		},
		"mosquitto_pub": func(token string) error {
			out, err := exec.CommandContext(t.Context(), "mosquitto_pub", "-V", "mqttv5", "-h", host, "-p", port, "-q", "1",
				"-u", "token", "-P", token, "-t", "jobs", "-m", "x").CombinedOutput()
			if err == nil && len(out) > 0 { // of a publish that is refused it only warns
				err = errors.New(string(out))
			}
			return err
		},
		"go-amqp": func(token string) error {
			conn, err := goamqp.Dial(t.Context(), "amqp://"+g.doors["amqp"], &goamqp.ConnOptions{
				SASLType: goamqp.SASLTypeXOAUTH2("", token, 8<<10),
			})
			if err != nil {
				return err
			}
			defer conn.Close()
			session, err := conn.NewSession(t.Context(), nil)
			if err != nil {
				return err
			}
			sender, err := session.NewSender(t.Context(), "jobs", nil)
			if err != nil {
				return err
			}
			return sender.Send(t.Context(), goamqp.NewMessage([]byte("x")), nil)
		},
		"go-stomp": func(token string) error {
			conn, err := stomp.Dial("tcp", g.doors["stomp"], stomp.ConnOpt.Host("default"),
				stomp.ConnOpt.Header("Authorization", "Bearer "+token))
			if err != nil {
				return err
			}
			defer conn.MustDisconnect()
			return conn.Send("jobs", "text/plain", []byte("x"), stomp.SendOpt.Receipt)
		},
	}
	good, idle := tokenOf(t, issuer, "worker"), tokenOf(t, issuer, "other")
	forged := good[:len(good)-10] + "AAAAAAAAAA"
	for name, send := range ways {
		if err := send(good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if send(idle) == nil {
			t.Errorf("%s: somebody without a role has sent", name)
		}
		if send(forged) == nil {
			t.Errorf("%s: a forged token is good", name)
		}
	}
	g.stop(t)
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"HTTP", "MQTT", "AMQP", "STOMP"} {
		if !strings.Contains(string(text), fmt.Sprintf(`"event":"failed","tenant":"default","protocol":%q`, protocol)) &&
			!strings.Contains(string(text), fmt.Sprintf(`"event":"failed","tenant":"default","user":"token","protocol":%q`, protocol)) {
			t.Errorf("a failure over %s is not in the audit log:\n%s", protocol, text)
		}
	}
	if strings.Contains(string(text), good[:40]) {
		t.Error("there is a token in the audit log")
	}
}

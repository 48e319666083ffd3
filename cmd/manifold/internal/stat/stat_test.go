package stat

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/gateway"
	"github.com/manifoldmq/manifold/gateway/config"
)

// startGateway runs a gateway until the test ends, which is the quickstart's with a tenant more, and gives the URL of its
// door for AMQP. In that tenant ann may look, whose password is "a"; nobody else may.
func startGateway(t *testing.T) string {
	t.Helper()
	c, err := config.Parse("gateway.yaml", []byte(`
mqtt: {enabled: false}
amqp: {port: 0}
stomp: {enabled: false}
http: {enabled: false}
coap: {enabled: false}
admin: {enabled: false}
dataDir: `+t.TempDir()+`
network:
  connectors: [{name: broker, hosts: ["127.0.0.1:1"]}]
  autoLinks: [{name: kept, address: jobs, connector: broker, externalAddress: work}]
tenants:
  - name: default
    anonymous: true
    addresses: [{name: jobs, kind: queue}, {name: telemetry/#, kind: topic}]
  - name: acme
    roles: [{name: keeper, manage: ["#"]}]
    addresses: [{name: orders, kind: queue}]
    users:
      - name: ann
        roles: [keeper]
        credential: "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="
      - name: ben
        credential: "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="
`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- gateway.Run(ctx, c, gateway.Process{
			Log: slog.New(slog.DiscardHandler), Ready: func(all []gateway.Endpoint) { ready <- all[0].Address.String() },
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case address := <-ready:
		return "amqp://" + address
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
		return ""
	}
}

// run runs a command and gives what it prints.
func run(t *testing.T, cmd *cobra.Command, args ...string) (printed string, err error) {
	t.Helper()
	var out strings.Builder
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestGatewayIsShown(t *testing.T) {
	url := startGateway(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want string // to be printed, or said by the error
	}{
		{"", "asked                      tenant default\n"},
		{"-g -o csv", "id,version,metadata"},
		{"-c", "  anonymous  -"},
		{"-l", "$management"},
		{"-a", "jobs          queue  balanced"},
		{"-a --limit 1", "jobs"},
		{"-m", "heap/objects"},
		{"-n", "ROUTER-ID NEXT-HOP LINK COST NEIGHBORS VALID-ORIGINS"},
		{"--connectors", "broker 127.0.0.1 1 normal 1 CONNECTING"},
		{"--autolinks", "kept jobs out 0 work broker"},
		{"--linkroutes", "NAME PREFIX PATTERN DIR"},
		{"-m -o yaml", "- totalAllocFromHeap: "},
		{"-a --tenant acme --user ann --password-file " + password, "orders"},
		{"-a --user ann@acme --password-file " + password, "orders"},
		{"-m --user ann@acme --password-file " + password, "FOR"},
		{"-a --user ben@acme --password-file " + password, "403 this needs the right manage"},
		{"-a --user cid@acme --password-file " + password, "refuses this user name and password"},
		{"--tenant nobody", `has not let this client into a tenant "nobody"`},
		{"-a -c", "one table at a time"},
		{"-o xml", `--output "xml" is not one of csv, json, table, yaml`},
		{"--limit -1", "--limit -1 is below 0"},
		{"--timeout 0s", "--timeout 0s is not above 0"},
		{"--user ann", "go together"},
		{"more", "unknown command"},
	} {
		printed, err := run(t, NewStatCommand(), append(strings.Fields(c.args), "--url", url)...)
		if !strings.Contains(strings.Join(strings.Fields(printed+fmt.Sprint(err)), " "), strings.Join(strings.Fields(c.want), " ")) {
			t.Errorf("stat %s: %v\n%s", c.args, err, printed)
		}
	}
	printed, err := run(t, NewStatCommand(), "-a", "-o", "json", "--url", url)
	var addresses []map[string]any
	if err != nil || json.Unmarshal([]byte(printed), &addresses) != nil || addresses[0]["name"] != "M0jobs" {
		t.Errorf("%v\n%s", err, printed)
	}
	if _, err := run(t, NewStatCommand(), "--url", "amqp://127.0.0.1:1"); err == nil {
		t.Error("nobody answered, and that is no error")
	}
}

func TestTopLooksAgainAndAgain(t *testing.T) {
	url := startGateway(t)
	printed, err := run(t, NewTopCommand(), "--count", "2", "--interval", "100ms", "--url", url)
	if err != nil || strings.Count(printed, "tenant default") != 2 || strings.Count(printed, "ADDRESS") != 2 ||
		!strings.Contains(printed, "telemetry/#") || strings.Contains(printed, "\x1b") {
		t.Errorf("%v\n%s", err, printed)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	cmd := NewTopCommand()
	cmd.SetArgs([]string{"--url", url})
	cmd.SetOut(new(strings.Builder))
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	if err := cmd.ExecuteContext(ctx); err != nil {
		t.Errorf("an interrupted look ended with %v", err)
	}
	for _, wrong := range [][]string{{"--interval", "1ms"}, {"--count", "-1"}, {"--limit", "0"}, {"--timeout", "0s"}} {
		if _, err := run(t, NewTopCommand(), wrong...); err == nil {
			t.Errorf("%v was taken", wrong)
		}
	}
}

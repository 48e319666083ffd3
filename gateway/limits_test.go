package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// limited is a gateway whose tenant has the user sensor, password "a", and these limits.
func limited(t *testing.T, limits string) config.Config {
	t.Helper()
	declared, err := config.Parse("limits.yaml", []byte(`
plans: [{name: small, maxConnections: 1000}]
tenants:
  - name: default
    plan: small
    limits: {`+limits+`}
    addresses: [{name: "news/#", kind: topic}, {name: "jobs/#", kind: queue}]
    users: [{name: sensor, credential: "`+passwordA+`"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants, c.Plans = false, nil, declared.Tenants, declared.Plans
	c.CoAP.QueryCredentials = true
	c.DrainTimeout = time.Second // observers are gone by then, and do not acknowledge that it ends
	return c
}

// TestLimitsHoldOverEveryProtocol: what is beyond a limit is refused in the word that a protocol has for it, and counted.
func TestLimitsHoldOverEveryProtocol(t *testing.T) {
	for _, c := range []struct {
		limit, value string
		used         bool // the gauge tells how much
		does         func(t *testing.T, one, other lodger) (told string)
		word         func(i int) string
	}{
		{"maxConnections", "1", true, func(t *testing.T, one, other lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			return other.enter()
		}, fullOf},
		{"maxConnectionsPerUser", "1", false, func(t *testing.T, one, other lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			return other.enter()
		}, fullOf},
		{"maxConnectionsPerAddress", "1", false, func(t *testing.T, one, other lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			return other.enter()
		}, fullOf},
		{"maxLinks", "2", true, func(t *testing.T, one, _ lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			for _, from := range []string{"news/1", "news/2", "news/3"} {
				if told := one.receive(from); told != "" {
					return told
				}
			}
			return ""
		}, quotaOf},
		{"maxMessageSize", "1KiB", false, func(t *testing.T, one, _ lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			wantTold(t, "a message that fits", one.send("jobs/1", "x"), "")
			return one.send("jobs/1", strings.Repeat("x", 2000))
		}, func(i int) string { return lodgers[i].tooLarge }},
		{"maxStoredMessages", "1", true, func(t *testing.T, one, _ lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			wantTold(t, "the first message", one.send("jobs/1", "x"), "")
			return one.send("jobs/2", "x")
		}, quotaOf},
		{"maxStoredBytes", "1KiB", true, func(t *testing.T, one, _ lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			return one.send("jobs/1", strings.Repeat("x", 2000))
		}, quotaOf},
		{"maxQueues", "1", true, func(t *testing.T, one, _ lodger) string {
			wantTold(t, "coming in", one.enter(), "")
			wantTold(t, "the first queue", one.send("jobs/1", "x"), "")
			return one.send("jobs/2", "x")
		}, quotaOf},
	} {
		t.Run(c.limit, func(t *testing.T) {
			for i, l := range lodgers {
				t.Run(l.protocol, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					doors := startOn(t, vfs.NewMem(), limited(t, c.limit+": "+c.value), slog.New(slog.DiscardHandler))
					one, other := l.come(&lodging{ctx, t, doors}), l.come(&lodging{ctx, t, doors})
					wantTold(t, "what is beyond", c.does(t, one, other), c.word(i))
					series := `{limit="` + c.limit + `",tenant="default"}`
					metrics := metricsOf(t, doors)
					n := metrics["manifold_limit_breaches_total"+series]
					if c.limit != "maxMessageSize" && (n == "" || n == "0") { // of which clients are told before they send
						t.Errorf("breaches are %q", n)
					}
					if _, told := metrics["manifold_limit_used"+series]; told != c.used {
						t.Errorf("that what is used is told is %v, want %v", told, c.used)
					}
				})
			}
		})
	}
}

func quotaOf(i int) string { return lodgers[i].quota }
func fullOf(i int) string  { return lodgers[i].full }

func wantTold(t *testing.T, what, told, want string) {
	t.Helper()
	if told != want {
		t.Fatalf("%s is told %q, want %q", what, told, want)
	}
}

// TestRatesHoldOverEveryProtocol: who can be held back is, and everything arrives; others are refused for a while.
func TestRatesHoldOverEveryProtocol(t *testing.T) {
	for _, l := range lodgers {
		t.Run(l.protocol, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			rate := "messagesIn: {rate: 1, burst: 1}"
			if l.paced {
				rate = "messagesIn: {rate: 4, burst: 1}"
			}
			doors := startOn(t, vfs.NewMem(), limited(t, rate), slog.New(slog.DiscardHandler))
			one := l.come(&lodging{ctx, t, doors})
			wantTold(t, "coming in", one.enter(), "")
			told := ""
			for range 5 {
				if told = one.send("jobs/1", "x"); told != "" {
					break
				}
			}
			want := ""
			if !l.paced {
				want = l.quota
			}
			wantTold(t, "what is too fast", told, want)
			n := metricsOf(t, doors)[`manifold_limit_breaches_total{limit="messagesIn",tenant="default"}`]
			if n == "" || n == "0" {
				t.Errorf("breaches are %q", n)
			}
		})
	}
}

// TestProtocolsOfATenant: it is not entered over any other.
func TestProtocolsOfATenant(t *testing.T) {
	for _, l := range lodgers {
		t.Run(l.protocol, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, c := range []struct{ protocols, want string }{{"amqp, mqtt, stomp, http, coap", ""}, {other(l.protocol), l.denied}} {
				doors := startOn(t, vfs.NewMem(), limited(t, "protocols: ["+c.protocols+"]"), slog.New(slog.DiscardHandler))
				wantTold(t, "coming in", l.come(&lodging{ctx, t, doors}).enter(), c.want)
			}
		})
	}
}

// other is some protocol but this one.
func other(protocol string) string {
	if protocol == "MQTT" {
		return "amqp"
	}
	return "mqtt"
}

// TestReloadSendsAwayWhoIsNotLetInAnyMore: a user, a protocol or a tenant that is gone takes its connections along.
func TestReloadSendsAwayWhoIsNotLetInAnyMore(t *testing.T) {
	for name, change := range map[string]func(*config.Tenant, string){
		"user":     func(c *config.Tenant, _ string) { c.Users = nil },
		"protocol": func(c *config.Tenant, protocol string) { c.Limits.Protocols = []string{other(protocol)} },
		"disabled": func(c *config.Tenant, _ string) { c.Disabled = true },
		"tenant":   func(c *config.Tenant, _ string) { c.Name = "another" },
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range lodgers {
				t.Run(l.protocol, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					c := limited(t, "")
					changes := make(chan config.Config)
					doors := startChanging(t, vfs.NewMem(), c, changes, slog.New(slog.DiscardHandler))
					one := l.come(&lodging{ctx, t, doors})
					wantTold(t, "coming in", one.enter(), "")
					changed := c.Tenants[0]
					change(&changed, l.protocol)
					c.Tenants = []config.Tenant{changed}
					changes <- c
					wantTold(t, "who is not let in any more", one.awaitEnd(), l.gone)
				})
			}
		})
	}
}

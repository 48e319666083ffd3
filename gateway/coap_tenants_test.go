package gateway

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// TestTenantsShareNothingOverCoAP is of two tenants whose addresses have the same names, and which one client speaks to.
func TestTenantsShareNothingOverCoAP(t *testing.T) {
	for _, door := range []string{"coap", "coap+tcp"} {
		t.Run(door, func(t *testing.T) {
			doors := startOn(t, vfs.NewMem(), neighbours(t), slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn := dialCoAP(t, doors, door)
			in := func(tenant string) *coapUser { return &coapUser{ctx, t, conn, tenant, make(chan string, 10)} }
			a, b := in("a"), in("b")
			for _, r := range []*coapUser{a, b} {
				r.ask(codes.Changed, codes.PUT, "a/telemetry/kept", "kept of "+r.tenant)
				r.ask(codes.Changed, codes.POST, "a/jobs", "job of "+r.tenant)
				r.observe("a/alerts")
			}
			for _, r := range []*coapUser{a, b} {
				if _, text := r.ask(codes.Content, codes.GET, "a/telemetry/kept", ""); text != "kept of "+r.tenant {
					t.Errorf("tenant %s reads %q", r.tenant, text)
				}
				location, text := r.ask(codes.Content, codes.POST, "q/jobs/head", "")
				if text != "job of "+r.tenant {
					t.Errorf("tenant %s received %q", r.tenant, text)
				}
				r.ask(codes.Changed, codes.POST, "q/jobs/head", "", "timeout=0")
				in(map[string]string{"a": "b", "b": "a"}[r.tenant]).ask(codes.NotFound, codes.DELETE, location, "")
				in("closed").ask(codes.Unauthorized, codes.DELETE, location, "")
				r.ask(codes.Deleted, codes.DELETE, location, "")
			}
			a.observe("a/commands/x")
			b.ask(codes.ServiceUnavailable, codes.POST, "a/commands/x", "for nobody")
			// What one observation brings is in order, so that a's own alert shows that none of b came before.
			for _, r := range []*coapUser{b, a} {
				r.ask(codes.Changed, codes.POST, "a/alerts", "alert of "+r.tenant)
			}
			a.expect("alert of a")
			b.expect("alert of b")
		})
	}
}

// TestNobodyLearnsOverCoAPWhichTenantsExist: a tenant that is closed and one that does not exist are answered alike.
func TestNobodyLearnsOverCoAPWhichTenantsExist(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), neighbours(t), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := dialCoAP(t, doors, "coap")
	for _, path := range []string{".well-known/core", "a/jobs", "a/undeclared", "q/jobs/head", "l/x", "ps", "nowhere"} {
		var first string
		for _, tenant := range []string{"closed", "nobody", "Closed", "..", "a/b", ""} {
			r := &coapUser{ctx, t, conn, tenant, nil}
			answer, err := conn.Do(r.request(codes.GET, path, ""))
			if err != nil {
				t.Fatal(err)
			}
			text, err := answer.ReadBody()
			if err != nil {
				t.Fatal(err)
			}
			if got := answer.Code().String() + " " + string(text); first == "" {
				first = got
			} else if got != first || answer.Code() != codes.Unauthorized {
				t.Errorf("%s: tenant %q is answered %q, another one %q", path, tenant, got, first)
			}
		}
	}
}

package coap

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

func host(name string) func(*session.Request) {
	return func(r *session.Request) {
		r.Options = append(message.Options{{ID: message.URIHost, Value: []byte(name)}}, r.Options...)
	}
}

// A request that waits for a verdict has its body for itself: the one that came is used for the next datagram.
func TestRequestKeepsItsBodyUntilItsClientIsKnown(t *testing.T) {
	h := newHouse(t, Config{QueryCredentials: true})
	p := h.dial()
	p.expect(codes.Changed, codes.PUT, "a/state?user=ann@acme&password=secret", "as it was sent")
	if got := p.ask(codes.GET, "a/state?user=ann@acme&password=secret", ""); string(got.Body) != "as it was sent" {
		t.Errorf("%s %q", dotted(got.Code), got.Body)
	}
}

func TestWhoARequestIsFrom(t *testing.T) {
	const anonymous, sensor, gauge = 0, 1, 2
	for _, c := range []struct {
		name string
		peer int
		uri  string
		host string
		want codes.Code
	}{
		{"nobody in the default tenant", anonymous, "a/jobs", "", codes.Changed},
		{"nobody at another host", anonymous, "a/jobs", "gateway.example", codes.Changed},
		{"nobody in a tenant that is not anonymous", anonymous, "a/jobs", "acme.example", codes.Unauthorized},
		{"a password", anonymous, "a/jobs?user=ann@acme&password=secret", "", codes.Changed},
		{"a password at the host of the tenant", anonymous, "a/jobs?user=ann&password=secret", "acme.example", codes.Changed},
		{"a wrong password", anonymous, "a/jobs?user=ann@acme&password=Secret", "", codes.Unauthorized},
		{"two tenants that disagree", anonymous, "a/jobs?user=ann@default&password=secret", "acme.example", codes.Unauthorized},
		{"a password where a key is known", anonymous, "a/jobs?user=sensor@acme&password=sesame", "", codes.Unauthorized},
		{"a token that nobody judges", anonymous, "a/jobs?token=x", "", codes.Unauthorized},
		{"a key", sensor, "a/jobs", "", codes.Changed},
		{"a key at the host of the tenant", sensor, "a/jobs", "acme.example", codes.Changed},
		{"a key at the host of another tenant", sensor, "a/jobs", "default.example", codes.Unauthorized},
		{"a certificate", gauge, "a/jobs", "acme.example", codes.Changed},
		{"a path that names a tenant", anonymous, "t/acme/d", "", codes.Unauthorized},
		{"a path that names the tenant of a key", sensor, "t/acme/d", "", codes.Changed},
		{"a path that names another tenant than a key", sensor, "t/default/d", "", codes.Unauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, Config{QueryCredentials: true})
			p := h.dial(func(p *session.Peer) {
				switch c.peer {
				case sensor:
					p.Secure, p.PSKIdentity = true, "sensor@acme"
				case gauge:
					p.Secure = true
					p.Certificates = []*x509.Certificate{{Subject: pkix.Name{CommonName: "gauge"}}}
				}
			})
			change := []func(*session.Request){option(message.ContentFormat, 50)}
			if c.host != "" {
				change = append(change, host(c.host))
			}
			for range 2 { // the second time it is known already
				if got := p.ask(codes.POST, c.uri, "{}", change...); got.Code != c.want {
					t.Errorf("%s %q, want %s", dotted(got.Code), got.Body, dotted(c.want))
				}
			}
		})
	}
}

func TestRightsHoldForEveryWayToAnAddress(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		guarded := host("guarded.example")
		configuration := inCBOR(t, map[int]any{0: "telemetry/x", 2: "core.ps.data"})
		for _, c := range []struct {
			want, code codes.Code
			uri, body  string
		}{
			{codes.Content, codes.GET, "a/state", ""}, // observed
			{codes.Forbidden, codes.GET, "a/telemetry/x", ""},
			{codes.Forbidden, codes.POST, "a/state", "x"},
			{codes.Forbidden, codes.POST, "a/jobs", "x"},
			{codes.Forbidden, codes.POST, "q/jobs/head", ""},
			{codes.Forbidden, codes.PUT, "ps/data/state", "x"},
			{codes.Forbidden, codes.POST, "ps", configuration},
			{codes.Forbidden, codeIPATCH, "ps/conf/state", configuration},
			{codes.Forbidden, codes.PUT, "t/guarded/d", "x"},
		} {
			change := []func(*session.Request){guarded}
			if c.code == codes.GET {
				change = append(change, observing)
			}
			p.expect(c.want, c.code, c.uri, c.body, change...)
		}
		want := `</ps>;rt="core.ps core.ps.coll";ct=40,</a/state>;rt="manifold.topic";if="manifold.messages";obs`
		if got := p.expect(codes.Content, codes.GET, ".well-known/core", "", guarded); string(got.Body) != want {
			t.Errorf("it shows %s", got.Body)
		}
	})
}

func TestWhoWasLetInIsNotLetInByAnythingElse(t *testing.T) {
	h := newHouse(t, Config{QueryCredentials: true})
	p := h.dial()
	for range 2 {
		p.expect(codes.Changed, codes.POST, "a/jobs?user=ann@acme&password=secret", "x")
		p.expect(codes.Unauthorized, codes.POST, "a/jobs?user=ann@acme&password=wrong", "x")
		p.expect(codes.Unauthorized, codes.POST, "a/jobs", "x", host("acme.example"))
	}
}

func TestPasswordInTheQueryIsTakenWhereThatIsAllowed(t *testing.T) {
	h := newHouse(t, Config{})
	h.dial().expect(codes.Unauthorized, codes.POST, "a/jobs?user=ann@acme&password=secret", "x")
}

func TestOneUserMoreThanAPeerMaySpeakForTakesThePlaceOfTheOldest(t *testing.T) {
	h := newHouse(t, with(func(l *Limits) { l.MaxUsers = 2 }))
	p := h.dial(func(p *session.Peer) { p.Address = netip.MustParseAddrPort("[::1]:5683") })
	for _, name := range []string{"a.example", "b.example", "c.example", "a.example"} {
		p.expect(codes.Changed, codes.POST, "a/jobs", "x", host(name))
	}
	if n := len(p.client.(*conn).accounts); n != 2 {
		t.Errorf("%d accounts, want 2", n)
	}
}

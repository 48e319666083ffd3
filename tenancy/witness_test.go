package tenancy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// heard is a witness that keeps what it is told.
type heard struct{ told []string }

func (h *heard) Entered(v Visitor, p *Principal) {
	h.told = append(h.told, fmt.Sprintf("+%s/%s by %s", p.Tenant.Name, p.User, v.Protocol))
}

func (h *heard) Left(_ Visitor, p *Principal, stayed time.Duration) {
	h.told = append(h.told, fmt.Sprintf("-%s after %v", p.User, stayed))
}

func (h *heard) Refused(v Visitor, r Refusal) {
	h.told = append(h.told, fmt.Sprintf("!%s/%s %s from %v", r.Tenant, r.User, r.Reason, v.Address.Addr()))
}

func TestWitnessIsToldOfEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := guarded(t, nil)
		d.Trust(new(judge))
		h := new(heard)
		d.Tell(h)
		v := Visitor{}.From("[::ffff:192.0.2.1]:1").Through("MQTT")
		p, err := d.Authenticate(t.Context(), Credentials{Visitor: v, User: "ann", Password: []byte("a")})
		if err != nil {
			t.Fatal(err)
		}
		visit, err := d.Enter(v, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		visit.Leave()
		d.Authenticate(t.Context(), Credentials{Visitor: v, User: "ben@acme", Password: []byte("no")})
		d.Authenticate(t.Context(), Credentials{Visitor: v, User: "ann@nobody", Password: []byte("no")})
		d.Authenticate(t.Context(), Credentials{Visitor: v, Token: "old"})
		d.Authenticate(t.Context(), Credentials{Visitor: v, Token: "busy"})
		d.Anonymous(v, "")
		talk(t, d.Begin("SCRAM-SHA-256", v), "n,,n=eve,r=x", "c=biws,r=x,p=AAAA")
		talk(t, d.Begin("PLAIN", v), "\x00eve\x00no")
		talk(t, d.Begin("OAUTHBEARER", v), "n,a=eve,\x01auth=Bearer old\x01\x01", "\x01")
		want := []string{
			"+default/ann by MQTT", "-ann after 1m0s",
			"!acme/ben credentials from 192.0.2.1", "!nobody/ann tenant from 192.0.2.1",
			"!default/ token from 192.0.2.1", "!default/ busy from 192.0.2.1", "!default/ credentials from 192.0.2.1",
			"!default/eve credentials from 192.0.2.1", "!default/eve credentials from 192.0.2.1",
			"!default/eve token from 192.0.2.1",
		}
		if fmt.Sprint(h.told) != fmt.Sprint(want) {
			t.Errorf("told %q,\nwant %q", h.told, want)
		}
	})
}

package http

import (
	"testing"
	"testing/synctest"
)

// TestTenantHasOriginsOfItsOwn in place of the door's. A page that is let in by name may show credentials.
func TestTenantHasOriginsOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{
			Origins:       []string{"https://all.example"},
			TenantOrigins: map[string][]string{"acme": {"https://acme.example"}, "other": {"*"}},
		})
		defer d.close()
		for _, c := range []struct {
			path, origin string
			status       int
			credentials  string
		}{
			{"/v1/acme/jobs/a/messages", "https://acme.example", 201, "true"},
			{"/v1/%61cme/jobs/a/messages", "https://acme.example", 201, "true"},
			{"/v1/acme/jobs/a/messages", "https://all.example", 403, ""},
			{"/v1/%61cme/jobs/a/messages", "https://all.example", 403, ""},
			{"/v1/other/jobs/a/messages", "https://any.example", 201, ""},
			{"/v1/yard/telemetry/a/messages", "https://all.example", 201, "true"},
			{"/v1/yard/telemetry/a/messages", "https://acme.example", 403, ""},
		} {
			a := d.do(c.status, "POST", c.path, "x", "Origin: "+c.origin, "Sec-Fetch-Site: cross-site")
			allowed := a.Header.Get("Access-Control-Allow-Origin")
			if (allowed == c.origin) != (c.status == 201) || a.Header.Get("Access-Control-Allow-Credentials") != c.credentials ||
				a.Header.Get("Vary") != "Origin" {
				t.Errorf("%s for %s: %v", c.path, c.origin, a.Header)
			}
			preflight := d.do(204, "OPTIONS", c.path, "", "Origin: "+c.origin,
				"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, manifold-ttl")
			if got := preflight.Header.Get("Access-Control-Allow-Headers"); (got == "authorization, manifold-ttl") != (c.status == 201) {
				t.Errorf("%s for %s: %v", c.path, c.origin, preflight.Header)
			}
		}
	})
}

func TestOriginThatIsNoneIsRefused(t *testing.T) {
	if _, err := New(Config{TenantOrigins: map[string][]string{"acme": {"acme.example"}}}); err == nil {
		t.Error("it was taken")
	}
}

package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestNetworkIsSeen: the admin API and the metrics tell of a broker that is away, and who does not run the gateway hears
// of nothing but his tenant's links.
func TestNetworkIsSeen(t *testing.T) {
	c := administered(t)
	parsed, err := config.Parse("network.yaml", []byte(`network:
  connectors: [{name: broker, hosts: ["127.0.0.1:1"], user: me, password: secret}]
  autoLinks: [{name: kept, tenant: acme, address: jobs, connector: broker, externalAddress: work}]`))
	if err != nil {
		t.Fatal(err)
	}
	c.Network = parsed.Network
	c.Network.Router.Port, c.Network.Router.TLSPort = 0, 0
	doors := start(t, c)
	for _, q := range []struct {
		user, path string
		status     int
		has        string
	}{
		{"token", "/v1/network/connectors", http.StatusOK, `"name":"broker","role":"normal"`},
		{"token", "/v1/network/connectors?limit=1", http.StatusOK, `"open":false`},
		{"token", "/v1/network/routers", http.StatusOK, `"items":[]`},
		{"token", "/v1/network/neighbors", http.StatusOK, `"items":[]`},
		{"token", "/v1/tenants/acme/auto-links", http.StatusOK, `"name":"kept","address":"jobs","direction":"out"`},
		{"ann@acme", "/v1/tenants/acme/auto-links", http.StatusOK, `"connector":"broker","externalAddress":"work"`},
		{"ann@other", "/v1/tenants/other/auto-links", http.StatusOK, `"items":[]`},
		{"ann@other", "/v1/tenants/acme/auto-links", http.StatusNotFound, ""},
		{"ann@acme", "/v1/network/connectors", http.StatusNotFound, ""},
		{"ann@acme", "/v1/network/routers", http.StatusNotFound, ""},
		{"token", "/metrics", http.StatusOK, `manifold_connector_open{connector="broker",role="normal"} 0`},
		{"token", "/metrics", http.StatusOK, `manifold_auto_links{connector="broker",state="attached"} 0`},
	} {
		got := clerk{t, doors["admin"], q.user}.does(http.MethodGet, q.path, "")
		if got.status != q.status || !strings.Contains(got.body, q.has) || strings.Contains(got.body, "secret") {
			t.Errorf("%s as %s: %d %s", q.path, q.user, got.status, got.body)
		}
	}
}

package gateway

import (
	"fmt"
	"io/fs"
	nethttp "net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/tenancy"
)

// webDoor gives the door of an AMQP listener that speaks HTTP: clients come in over WebSocket, at any path.
func (a *assembly) webDoor(entrance *amqp.Server, l *config.AMQPListener, s *security, at config.Listener) (door, error) {
	upgrades := make(map[string]http.Upgrade)
	if l.Web.WebSockets {
		upgrades["amqp"] = http.Upgrade{Serve: entrance.ServeConn, Paths: []string{"/"}}
	}
	h := &a.config.HTTP
	server, err := http.New(http.Config{
		Router: a.router.Through("http"), Directory: a.directory, Origins: h.Origins, TenantOrigins: a.tenantOrigins(),
		Upgrades: upgrades, UpgradesOnly: true, Else: a.webPages(&l.Web),
		Log: a.log.With("door", "http", "listener", l.Name), Limits: httpLimits(h, a.config.DrainTimeout),
	})
	if err != nil {
		return door{}, fmt.Errorf("%s door: %w", at.Name, err)
	}
	return door{
		name: at.Name, connections: server.Connections,
		serve: a.behind(s, at, h.HeaderTimeout, server.Serve, http.NextProtos()...),
	}, nil
}

// webPages are what a listener that speaks HTTP shows to everybody who reaches it.
func (a *assembly) webPages(w *config.WebListener) nethttp.Handler {
	pages := nethttp.NewServeMux()
	if w.Health {
		pages.HandleFunc("GET /healthz", func(w nethttp.ResponseWriter, _ *nethttp.Request) { fmt.Fprintln(w, "ok") })
	}
	if w.Metrics {
		started := time.Now()
		pages.HandleFunc("GET /metrics", func(w nethttp.ResponseWriter, _ *nethttp.Request) { a.writeRouterMetrics(w, started) })
	}
	if w.Files != "" {
		root, err := os.OpenRoot(w.Files)
		if err != nil {
			a.log.Warn("there are no files to show", "folder", w.Files, "err", cause(err))
			return pages
		}
		pages.Handle("GET /", files(root.FS()))
	}
	return pages
}

// files shows the files of a folder, and of each folder in it the file index.html. Folders are not listed.
func files(folder fs.FS) nethttp.HandlerFunc {
	return func(w nethttp.ResponseWriter, r *nethttp.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if info, err := fs.Stat(folder, path.Clean("./"+name)); err == nil && info.IsDir() {
			name = path.Join(name, "index.html")
		}
		if info, err := fs.Stat(folder, name); err != nil || !info.Mode().IsRegular() {
			nethttp.NotFound(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		nethttp.ServeFileFS(w, r, folder, name)
	}
}

// writeRouterMetrics writes what is counted of the router in the form of Prometheus, by the names that Qpid Dispatch has for it.
func (a *assembly) writeRouterMetrics(w nethttp.ResponseWriter, started time.Time) {
	t, ok := a.directory.Lookup(tenancy.DefaultTenant)
	if !ok {
		nethttp.Error(w, "there is no default tenant", nethttp.StatusNotFound)
		return
	}
	r := (&managedTenant{assembly: a, name: t.Name, tenant: t, started: started}).Router()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, m := range routerMetrics {
		fmt.Fprintf(w, "# TYPE %[1]s %[2]s\n%[1]s %[3]d\n", m.name, m.kind, m.value(&r))
	}
}

// routerMetrics are the figures of the router.
var routerMetrics = []struct {
	name, kind string
	value      func(*management.Router) uint64
}{
	{"qdr_connections_total", "gauge", func(r *management.Router) uint64 { return uint64(r.ConnectionCount) }},
	{"qdr_links_total", "gauge", func(r *management.Router) uint64 { return uint64(r.LinkCount) }},
	{"qdr_addresses_total", "gauge", func(r *management.Router) uint64 { return uint64(r.AddrCount) }},
	{"qdr_routers_total", "gauge", func(r *management.Router) uint64 { return uint64(r.NodeCount) }},
	{"qdr_link_routes_total", "gauge", func(r *management.Router) uint64 { return uint64(r.LinkRouteCount) }},
	{"qdr_auto_links_total", "gauge", func(r *management.Router) uint64 { return uint64(r.AutoLinkCount) }},
	{"qdr_presettled_deliveries_total", "counter", func(r *management.Router) uint64 { return r.PresettledDeliveries }},
	{"qdr_dropped_presettled_deliveries_total", "counter", func(r *management.Router) uint64 { return r.DroppedPresettledDeliveries }},
	{"qdr_accepted_deliveries_total", "counter", func(r *management.Router) uint64 { return r.AcceptedDeliveries }},
	{"qdr_released_deliveries_total", "counter", func(r *management.Router) uint64 { return r.ReleasedDeliveries }},
	{"qdr_rejected_deliveries_total", "counter", func(r *management.Router) uint64 { return r.RejectedDeliveries }},
	{"qdr_modified_deliveries_total", "counter", func(r *management.Router) uint64 { return r.ModifiedDeliveries }},
	{"qdr_deliveries_ingress_total", "counter", func(r *management.Router) uint64 { return r.DeliveriesIngress }},
	{"qdr_deliveries_egress_total", "counter", func(r *management.Router) uint64 { return r.DeliveriesEgress }},
	{"qdr_deliveries_transit_total", "counter", func(r *management.Router) uint64 { return r.DeliveriesTransit }},
	{"qdr_deliveries_ingress_route_container_total", "counter",
		func(r *management.Router) uint64 { return r.DeliveriesIngressRouteContainer }},
	{"qdr_deliveries_egress_route_container_total", "counter",
		func(r *management.Router) uint64 { return r.DeliveriesEgressRouteContainer }},
	{"qdr_deliveries_delayed_1sec_total", "counter", func(r *management.Router) uint64 { return r.DeliveriesDelayed1Sec }},
	{"qdr_deliveries_delayed_10sec_total", "counter", func(r *management.Router) uint64 { return r.DeliveriesDelayed10Sec }},
	{"qdr_deliveries_stuck_total", "gauge", func(r *management.Router) uint64 { return r.DeliveriesStuck }},
	{"qdr_links_blocked_total", "gauge", func(r *management.Router) uint64 { return uint64(r.LinksBlocked) }},
	{"qdr_deliveries_redirected_to_fallback_total", "counter",
		func(r *management.Router) uint64 { return r.DeliveriesRedirectedToFallback }},
}

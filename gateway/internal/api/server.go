package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is what the API shows and changes. All but Node's functions must be set.
type Config struct {
	Gate      Gate
	Book      *declared.Book
	Directory *tenancy.Directory
	Router    *router.Router
	Store     *broker.Broker
	Sessions  Sessions
	Network   *network.Network
	Node      Node
	Metrics   http.Handler                                       // the page for Prometheus
	Record    func(*Caller, []declared.Difference)               // keeps a record of what is declared
	Note      func(c *Caller, tenant, what, name, change string) // keeps a record of what is done
	Profiling bool                                               // whether there is /debug/pprof/
	Log       *slog.Logger
}

// server is the API.
type server struct {
	Config
	log *slog.Logger
	api huma.API
}

// How many bytes a request has at most: a tenant with 100,000 addresses has fewer than maxBody. Users of tenants get along
// with less, so that they do not take the memory of others.
const (
	maxBody       = 64 << 20
	maxTenantBody = 4 << 20
)

// New gives the handler of /v1/, /openapi.json and /docs.
func New(c Config) http.Handler {
	s := &server{Config: c, log: c.Log}
	mux := http.NewServeMux()
	settings := huma.DefaultConfig("Manifold", "1")
	settings.Info.Description = "What a Manifold gateway is told, and what it does."
	settings.CreateHooks, settings.DocsPath, settings.SchemasPath = nil, "", ""
	settings.OpenAPIPath = "/openapi"
	settings.RejectUnknownQueryParameters = true
	settings.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer"}, "password": {Type: "http", Scheme: "basic"},
	}
	settings.Security = []map[string][]string{{"token": {}}, {"password": {}}}
	s.api = humago.New(mux, settings)
	s.addTenants()
	s.addItems()
	s.addQueues()
	s.addMessages()
	s.addConnections()
	s.addSessions()
	s.addNetwork()
	s.addNode()
	s.addProfiles(mux)
	mux.Handle("GET /metrics", forOperators(c.Metrics.ServeHTTP)) // they name all tenants, and what these have
	mux.HandleFunc("GET /docs", docs)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing of this name")
	})
	return s.guarded(mux)
}

// guarded lets nobody through of whom it is not known who he is.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", contentPolicy)
		if err := s.Gate.check(r); err != nil {
			refuseEntry(w, err)
			return
		}
		if r.URL.Path == "/docs" || r.URL.Path == "/openapi.json" {
			next.ServeHTTP(w, r) // it is in the documentation
			return
		}
		c, err := s.Gate.enter(r)
		if err != nil {
			refuseEntry(w, err)
			return
		}
		most := int64(maxTenantBody)
		if c.operates() {
			most = maxBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// operation describes one: its name is that of the function that it would be.
func operation(name, method, path, tag, summary string) huma.Operation {
	return huma.Operation{
		OperationID: name, Method: method, Path: path, Tags: []string{tag}, Summary: summary,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound}, MaxBodyBytes: maxBody, SkipValidateBody: true,
		BodyReadTimeout: 30 * time.Second,
	}
}

// register adds an operation whose errors become problems.
func register[I, O any](s *server, op huma.Operation, handle func(context.Context, *Caller, *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, input *I) (*O, error) {
		output, err := handle(ctx, callerOf(ctx), input)
		return output, s.asProblem(err)
	})
}

// nothing is the answer of what has no other.
type nothing struct{}

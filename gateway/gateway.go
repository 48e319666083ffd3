// Package gateway puts the rooms of the house together and runs them: configuration, listeners, lifecycle, the admin
// door. It is the only room that knows all the others.
//
// Its promises: every listener is open before any serves, so a gateway starts whole or not at all. What it starts it
// waits for. Stopping has two steps: the doors drain until their deadline, then what is left is cut off. The admin door,
// which tells about it, outlives the others, and the store is closed last, when nobody uses it any more.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/adapters/mqtt"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/authenticator"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/gateway/internal/tracing"
	"github.com/manifoldmq/manifold/gateway/modulelog"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/frametrace"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// Process is what the process around a gateway has for it. Only Log and Ready must be set.
type Process struct {
	Log      *slog.Logger
	Modules  *modulelog.Log                // in place of Log, for a router whose modules are logged each in its own way
	Level    *slog.LevelVar                // of Log, for those who want it changed
	Volatile bool                          // the store is in memory, for a router that stores nothing
	Changes  <-chan config.Config          // further configurations, of which what is declared of tenants is taken over
	Reread   func() (config.Config, error) // reads the configuration again, for those who want that
	Ready    func([]Endpoint)              // is called once, when every door serves
}

// Run runs a gateway until ctx ends or somebody has it drained, then stops it, and returns when nothing of it is left. c is
// valid: as package config gives it, or validated since; so are further ones.
//
// The error is nil when it was to end; otherwise it says what could not be opened or which door failed.
func Run(ctx context.Context, c config.Config, p Process) error {
	if p.Volatile {
		return runOn(ctx, vfs.NewMem(), c, p)
	}
	return runOn(ctx, nil, c, p)
}

// runOn is Run with the store on a filesystem of the caller's; nil is the operating system's.
func runOn(ctx context.Context, fs vfs.FS, c config.Config, p Process) (err error) {
	ctx, drain := context.WithCancel(ctx)
	defer drain()
	recent := &recentLog{naming: moduleOf}
	if p.Modules != nil {
		p.Log, recent.naming = p.Modules.Logger(), modulelog.Module
	}
	log := recent.through(p.Log)
	a := &assembly{
		recent: recent, config: &c, process: p, drain: drain, log: log, upgrades: make(map[string]http.Upgrade),
		profiles: newSSLProfiles(), frames: frametrace.New(log.With(moduleKey, "protocol")),
	}
	if err := a.openBook(fs); err != nil {
		return err
	}
	a.directory, err = newDirectory(&c)
	if err != nil {
		return err
	}
	if a.security, err = openSecurity(&c, a.directory, log); err != nil {
		return err
	}
	if a.listeners, err = openListeners(&c); err != nil {
		return err
	}
	defer a.listeners.close()
	traces, endTraces, err := openTraces(c.Tracing, log)
	if err != nil {
		return err
	}
	defer endTraces()
	a.federation = a.newFederation()
	store, err := broker.Open(broker.Options{
		Dir: c.DataDir, FS: fs, Log: log, Allowance: a.directory.Allowance, Watcher: a.federation,
		CacheSize: int64(c.Store.CacheSize), MemTableSize: int64(c.Store.MemTableSize),
		MaxPending: int(c.Store.MaxPending), MinFree: int64(c.Store.MinFree),
		MaxQueues: c.Store.MaxQueues, MaxSubscriptions: c.Store.MaxSubscriptions,
		MaxVolatile: int64(c.Store.MaxVolatile),
		MaxRetained: c.Store.MaxRetained, MaxRetainedBytes: int64(c.Store.MaxRetainedBytes),
	})
	if err != nil {
		return fmt.Errorf("store in %s: %w", c.DataDir, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	a.store, a.sessions = store, store.Sessions()
	a.router, a.homes = newRouter(c.Limits, store, a.isDispatch())
	a.router.Aside(func(wait func()) { a.errands.Aside(func() { a.relays.Aside(wait) }) })
	if traces != nil {
		a.traces = traces
		a.router.Trace(traces)
	}
	if err := a.openMesh(); err != nil {
		return err
	}
	a.define()
	closeRecord, err := a.openLogins()
	if err != nil {
		return err
	}
	defer closeRecord()
	a.chores = append(a.chores, a.keepTime)
	a.chores = append(a.chores, a.security.chores()...)
	a.chores = append(a.chores, func(ctx context.Context) error {
		a.follow(ctx, p.Changes)
		return nil
	})
	defer a.closeSockets() // those that no door serves
	doors, err := a.doors()
	if err != nil {
		return err
	}
	if err := a.openWebhooks(); err != nil {
		return err
	}
	if err := a.openNetwork(); err != nil {
		return err
	}
	doors = append(doors, a.routerDoors()...)
	a.openManagement(doors)
	admin, err := a.newAdmin(a.listeners["admin"], doors)
	if err != nil {
		return err
	}
	a.warn()
	endpoints := a.endpoints(doors, admin)
	c = c.WithoutTenants() // the book has them
	l := lifecycle{
		doors: doors, outward: []func(context.Context) error{a.webhooks.Run, a.made.run}, chores: a.chores, admin: admin,
		failed: store.Failed(), log: log,
	}
	return l.run(ctx, func() { p.Ready(endpoints) })
}

// assembly is what the doors are made of.
type assembly struct {
	config     *config.Config
	process    Process
	drain      func()         // has the gateway stop
	book       *declared.Book // of what is declared of tenants
	directory  *tenancy.Directory
	router     *router.Router
	store      *broker.Broker
	sessions   broker.Sessions
	log        *slog.Logger
	listeners  listeners
	errands    transport.Errands             // of the readers of clients' connections, which may wait for another router
	relays     transport.Errands             // of those of the network, which never wait for a client
	chores     []func(context.Context) error // what doors do besides serving, until their connections have ended
	security   *security
	webhooks   *webhook.Service
	hooks      map[string][]webhook.Hook // by tenant, those that run
	traces     *tracing.Tracing          // nil when nothing is followed
	outside    *authenticator.Service    // of passwords
	judge      *oidc.Judge               // of tokens
	audit      *audit.Log                // nil when there is none
	network    *network.Network
	homes      *network.Homes
	mesh       *network.Mesh      // nil when the gateway is no router of a network; so are the next three
	interest   *network.Interest  // of clients, in addresses
	routers    *tenancy.Directory // of those that may connect as routers, where they have to show who they are
	anyRouters *tenancy.Directory // of those and anybody else, where nobody has to
	federation *network.Federation
	linkRoutes *linkRoutes
	autoLinks  *networkLinks
	recent     *recentLog
	frames     *frametrace.Log
	made       madeDoors
	profiles   *sslProfiles
	policy     *vhost.Register // by which clients of the AMQP door come in; nil for the roles of tenants
	opening    *amqp.Server    // of the AMQP door, for further listeners; nil when it is not enabled
	mqtt       *mqtt.Server    // nil when it is not enabled
	coap       *coap.Server    // nil when it is not enabled
	sockets    []*coap.Socket
	upgrades   map[string]http.Upgrade // what the HTTP door offers over WebSocket, of the doors made so far
}

func newDirectory(c *config.Config) (*tenancy.Directory, error) {
	tenants, err := tenantsOf(c)
	if err != nil {
		return nil, err
	}
	return tenancy.NewDirectory(tenants...)
}

// tenantsOf gives what is declared in the words of package tenancy.
func tenantsOf(c *config.Config) (tenants []*tenancy.Tenant, err error) {
	declared := c.Tenants
	tenants = make([]*tenancy.Tenant, len(declared))
	for i := range declared {
		if tenants[i], err = tenancyOf(c, &declared[i]); err != nil {
			return nil, fmt.Errorf("tenant %q: %w", declared[i].Name, err)
		}
	}
	return tenants, nil
}

// tenancyOf is tenantsOf for one; its error is config.Problems.
func tenancyOf(c *config.Config, declared *config.Tenant) (*tenancy.Tenant, error) {
	definitions := make([]addressing.Definition, len(declared.Addresses))
	for i := range declared.Addresses {
		definitions[i] = c.DefinitionOf(&declared.Addresses[i])
	}
	space, err := addressing.NewSpace(definitions)
	if err != nil {
		return nil, config.Problems{{Path: "addresses", Text: err.Error()}}
	}
	t := &tenancy.Tenant{
		Name: declared.Name, Addresses: space, Anonymous: declared.Anonymous, DefaultRoles: declared.DefaultRoles,
		Issuers: issuersOf(declared), TokenUser: declared.TokenUser, Authenticator: declared.Authenticator.URL,
		Disabled: declared.Disabled, Plan: c.PlanOf(declared),
	}
	for i := range declared.Certificates {
		t.Authorities = append(t.Authorities, declared.Certificates[i].Authority())
	}
	for _, u := range declared.Users {
		t.Users = append(t.Users, tenancy.User(u))
	}
	for _, r := range declared.Roles {
		t.Roles = append(t.Roles, r.Role())
	}
	return t, nil
}

// newRouter gives the router, and the homes of what is stored. asDispatch is for router.Direct.
func newRouter(l config.Limits, stored router.Resolver, asDispatch bool) (*router.Router, *network.Homes) {
	limits := router.Limits{
		MaxMessageSize: int(l.MaxMessageSize), MaxWaiting: int(l.MaxWaiting), LinkCredit: l.LinkCredit,
		StreamBuffer:             int(l.StreamBuffer),
		MaxTransactionOperations: l.MaxTransactionOperations, MaxTransactionSize: int(l.MaxTransactionSize),
	}
	direct, homes := router.NewDirect(limits), network.NewHomes(stored, limits)
	direct.AsDispatch = asDispatch
	return router.New(limits, map[addressing.Kind]router.Resolver{
		addressing.Anycast:   direct,
		addressing.Broadcast: direct,
		addressing.Queue:     homes,
		addressing.Topic:     homes,
	}), homes
}

// keepTime tells the router the time until ctx ends.
func (a *assembly) keepTime(ctx context.Context) error {
	began, ticker := time.Now(), time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			a.router.Advance(now.Sub(began))
		case <-ctx.Done():
			return nil
		}
	}
}

// warn logs what is allowed, but seldom meant.
func (a *assembly) warn() {
	if r := &a.config.Network.Router; r.ID != "" && r.Anonymous && !a.isPrivate() {
		a.log.Warn("anybody who reaches the ports for routers may connect as one, and do everything in every tenant", "router", r.ID)
	}
	for _, t := range a.config.AllTenants() {
		public := !a.isPrivate()
		switch {
		case !t.Anonymous && len(t.Users)+len(t.Tokens)+len(t.Certificates) == 0 && t.Authenticator.URL == "":
			a.log.Warn("nobody can enter this tenant: it is not anonymous, and has neither users nor anybody who vouches for some", "tenant", t.Name)
		case t.Anonymous && public:
			a.log.Warn("anybody who reaches the ports may send and receive", "tenant", t.Name, "listen", a.config.Listen)
		case public && slices.ContainsFunc(t.Users, hasPassword):
			a.log.Warn("clients may send passwords over ports without TLS, where others can read them",
				"tenant", t.Name, "listen", a.config.Listen)
		}
		if len(t.Certificates) > 0 && !a.config.AsksForCertificates() {
			a.log.Warn("no door asks clients for certificates (clientAuth), so that nobody enters by one", "tenant", t.Name)
		}
		if isOpen(t.Authenticator) {
			a.log.Warn("passwords go to the authenticator over http, where others can read them", "tenant", t.Name)
		}
		if slices.ContainsFunc(t.Tokens, isOpenIssuer) {
			a.log.Warn("keys of tokens come over http, where others can replace them", "tenant", t.Name)
		}
		for _, name := range losing(&t) {
			a.log.Warn("messages that this webhook rejects are lost: what it takes from has no deadLetter",
				"tenant", t.Name, "webhook", name)
		}
	}
}

func hasPassword(u config.User) bool { return !u.Credential.IsZero() }

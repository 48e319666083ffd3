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
	"net"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Run runs a gateway until ctx ends, then stops it, and returns when nothing of it is left. c is valid: as package
// config gives it, or validated since; so is what comes over changes, of which the addresses of tenants are taken over.
// ready is called once, when every door serves.
//
// The error is nil when ctx ended it; otherwise it says what could not be opened or which door failed.
func Run(
	ctx context.Context, c config.Config, changes <-chan config.Config, log *slog.Logger, ready func([]Endpoint),
) error {
	return runOn(ctx, nil, c, changes, log, ready)
}

// runOn is Run with the store on a filesystem of the caller's; nil is the operating system's.
func runOn(
	ctx context.Context, fs vfs.FS, c config.Config, changes <-chan config.Config, log *slog.Logger,
	ready func([]Endpoint),
) (err error) {
	directory, err := newDirectory(c.AllTenants())
	if err != nil {
		return err
	}
	keyring, err := openKeyring(c.TLS, log)
	if err != nil {
		return err
	}
	listeners, err := openListeners(&c)
	if err != nil {
		return err
	}
	defer listeners.close()
	store, err := broker.Open(broker.Options{
		Dir: c.DataDir, FS: fs, Log: log,
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

	a := assembly{config: &c, directory: directory, router: newRouter(c.Limits, store), sessions: store.Sessions(), log: log,
		listeners: listeners, keyring: keyring, upgrades: make(map[string]http.Upgrade),
	}
	a.store = store
	a.define()
	closeRecord, err := a.openLogins()
	if err != nil {
		return err
	}
	defer closeRecord()
	a.chores = append(a.chores, func(ctx context.Context) error {
		a.follow(ctx, changes)
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
	admin := a.newAdmin(listeners["admin"], doors)
	a.warn()
	endpoints := a.endpoints(doors, admin)
	c = withoutTenants(c) // the directory has them: of many it is not to keep two
	l := lifecycle{
		doors: doors, outward: []func(context.Context) error{a.webhooks.Run}, chores: a.chores, admin: admin,
		failed: store.Failed(), log: log,
	}
	return l.run(ctx, func() { ready(endpoints) })
}

// assembly is what the doors are made of.
type assembly struct {
	config    *config.Config
	directory *tenancy.Directory
	router    *router.Router
	store     *broker.Broker
	sessions  broker.Sessions
	log       *slog.Logger
	listeners listeners
	chores    []func(context.Context) error // what doors do besides serving, until their connections have ended
	keyring   *keyring                      // nil without TLS
	webhooks  *webhook.Service
	judge     *oidc.Judge  // of tokens
	audit     *audit.Log   // nil when there is none
	coap      *coap.Server // nil when it is not enabled
	sockets   []*coap.Socket
	upgrades  map[string]http.Upgrade // what the HTTP door offers over WebSocket, of the doors made so far
}

func newDirectory(declared []config.Tenant) (*tenancy.Directory, error) {
	tenants, err := tenantsOf(declared)
	if err != nil {
		return nil, err
	}
	return tenancy.NewDirectory(tenants...)
}

// tenantsOf gives what is declared in the words of package tenancy.
func tenantsOf(declared []config.Tenant) ([]*tenancy.Tenant, error) {
	tenants := make([]*tenancy.Tenant, len(declared))
	for i, t := range declared {
		definitions := make([]addressing.Definition, len(t.Addresses))
		for j := range t.Addresses {
			definitions[j] = t.Addresses[j].Definition()
		}
		space, err := addressing.NewSpace(definitions)
		if err != nil {
			return nil, fmt.Errorf("tenant %q: %w", t.Name, err)
		}
		tenants[i] = &tenancy.Tenant{Name: t.Name, Addresses: space, Anonymous: t.Anonymous, DefaultRoles: t.DefaultRoles,
			Issuers: issuersOf(&declared[i]), TokenUser: t.TokenUser}
		for _, u := range t.Users {
			tenants[i].Users = append(tenants[i].Users, tenancy.User(u))
		}
		for _, r := range t.Roles {
			tenants[i].Roles = append(tenants[i].Roles, r.Role())
		}
	}
	return tenants, nil
}

func newRouter(l config.Limits, stored router.Resolver) *router.Router {
	limits := router.Limits{
		MaxMessageSize: int(l.MaxMessageSize), MaxWaiting: int(l.MaxWaiting), LinkCredit: l.LinkCredit,
		StreamBuffer:             int(l.StreamBuffer),
		MaxTransactionOperations: l.MaxTransactionOperations, MaxTransactionSize: int(l.MaxTransactionSize),
	}
	direct := router.NewDirect(limits)
	return router.New(limits, map[addressing.Kind]router.Resolver{
		addressing.Anycast:   direct,
		addressing.Broadcast: direct,
		addressing.Queue:     stored,
		addressing.Topic:     stored,
	})
}

// warn logs what is allowed, but seldom meant.
func (a *assembly) warn() {
	for _, t := range a.config.AllTenants() {
		public := !isLoopback(a.config.Listen)
		switch {
		case !t.Anonymous && len(t.Users)+len(t.Tokens) == 0:
			a.log.Warn("nobody can enter this tenant: it is not anonymous, and has neither users nor issuers of tokens", "tenant", t.Name)
		case t.Anonymous && public:
			a.log.Warn("anybody who reaches the ports may send and receive", "tenant", t.Name, "listen", a.config.Listen)
		case public && slices.ContainsFunc(t.Users, hasPassword):
			a.log.Warn("clients may send passwords over ports without TLS, where others can read them",
				"tenant", t.Name, "listen", a.config.Listen)
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

// isLoopback tells whether nobody but this machine reaches a host. It knows one name, and otherwise addresses only.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

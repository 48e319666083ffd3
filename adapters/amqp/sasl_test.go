package amqp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// gate is a door of tenants with users, and clients that want to come in.
type gate struct {
	t       *testing.T
	server  *Server
	serving sync.WaitGroup
}

// Credentials at the lowest cost, of the passwords "a", "b" and "other".
const (
	passwordA = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="
	passwordB = "SCRAM-SHA-512$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$1iTP1ZYe9bVj9mrL84zGWapG2cEPd3F4zbdd29y5iA/fhN9TsejiAicBvnXtoi7ZtQT7/6mEf1LUMASKA6h0Sw==" +
		":oPXiBEFwpc0QgT+kORE2xY2cjUcUtM9q0U1l0gHt47wO2YPIwrFmuTwprdjgGQTMJ9EcSTxS4J0mqUCbGYnE3Q=="
	passwordOther = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$lbAtcC61cf6nSxImhkbXEvlcRlbJ5qVSP9xomeePPQo=:3daETpC6DiYs5XcN+naHDKqIKkQ2lMHphk25pYTch4U="
)

// tokens lets "good" in as ann.
type tokens struct{}

func (tokens) Judge(_ context.Context, _, token string) (tenancy.Identity, error) {
	if token != "good" {
		return tenancy.Identity{}, errors.New("expired")
	}
	return tenancy.Identity{Issuer: "https://id.example", User: "ann"}, nil
}

// guard gives a test a gate within a synctest bubble. The tenant "default" has the users ann and ben, acme another ann,
// and open lets anybody in. private tells whether passwords may be sent as they are.
func guard(t *testing.T, private bool, test func(g *gate)) {
	synctest.Test(t, func(t *testing.T) {
		tenant := func(name string, anonymous bool, users ...tenancy.User) *tenancy.Tenant {
			made := *routertest.User(t, name, routertest.Define(t, "a", addressing.Broadcast)).Tenant
			made.Anonymous, made.Users, made.Issuers = anonymous, users, []string{"https://id.example"}
			return &made
		}
		user := func(name, credential string) tenancy.User {
			c, err := tenancy.ParseCredential(credential)
			if err != nil {
				t.Fatal(err)
			}
			return tenancy.User{Name: name, Credential: c}
		}
		directory, err := tenancy.NewDirectory(
			tenant("default", false, user("ann", passwordA), user("ben", passwordB)),
			tenant("acme", false, user("ann", passwordOther)),
			tenant("open", true),
		)
		if err != nil {
			t.Fatal(err)
		}
		directory.Trust(tokens{})
		direct := router.NewDirect(router.Limits{})
		g := &gate{t: t, server: New(Config{
			Router:    router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Broadcast: direct}),
			Directory: directory, Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler),
			Driver: transport.NewDriver(transport.Options{}), ContainerID: "gate", PlainWithoutTLS: private,
		})}
		test(g)
		g.serving.Wait()
	})
}

func (g *gate) dial() net.Conn {
	ours, theirs := net.Pipe()
	g.serving.Go(func() { g.server.ServeConn(g.t.Context(), ours) })
	return theirs
}

// enter connects with go-amqp and attaches a link. A refusal must be one of SASL, or of the open.
func (g *gate) enter(o goamqp.ConnOptions) error {
	g.t.Helper()
	nc := g.dial()
	defer nc.Close()
	c, err := goamqp.NewConn(g.t.Context(), nc, &o)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSession(g.t.Context(), nil)
	if err != nil {
		return err
	}
	_, err = s.NewSender(g.t.Context(), "a", nil)
	return err
}

func TestGoAMQPEntersWithItsMechanisms(t *testing.T) {
	plain, external := goamqp.SASLTypePlain, goamqp.SASLTypeExternal
	for _, c := range []struct {
		name     string
		sasl     goamqp.SASLType
		hostname string // of open
		ok       bool
	}{
		{"password", plain("ann", "a"), "", true},
		{"another form of password", plain("ben", "b"), "", true},
		{"password of another tenant", plain("ann@acme", "other"), "", true},
		{"and its host", plain("ann@acme", "other"), "acme.example", true},
		{"host that says nothing", plain("ann", "a"), "gateway.example", true},
		{"token", goamqp.SASLTypeXOAUTH2("ann", "good", 0), "", true},
		{"anybody with a name", plain("x@open", "y"), "", true},
		{"anybody without SASL", nil, "open.example", true},

		{"wrong password", plain("ann", "b"), "", false},
		{"password of the other tenant", plain("ann@acme", "a"), "", false},
		{"unknown user", plain("nobody", "a"), "", false},
		{"unknown tenant", plain("ann@nobody", "a"), "", false},
		{"host of another tenant", plain("ann", "a"), "acme.example", false},
		{"host of an open tenant", plain("ann", "a"), "open.example", false},
		{"wrong token", goamqp.SASLTypeXOAUTH2("ann", "bad", 0), "", false},
		{"token of another", goamqp.SASLTypeXOAUTH2("ben", "good", 0), "", false},
		{"certificate without TLS", external(""), "", false},
		{"anybody", goamqp.SASLTypeAnonymous(), "", false},
		{"nobody without SASL", nil, "", false},
		{"nobody without SASL, by host", nil, "acme.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			guard(t, true, func(g *gate) {
				if err := g.enter(goamqp.ConnOptions{SASLType: c.sasl, HostName: c.hostname}); (err == nil) != c.ok {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestRefusalsLookAlike: what go-amqp hears does not tell what was wrong.
func TestRefusalsLookAlike(t *testing.T) {
	guard(t, true, func(g *gate) {
		var first error
		for _, user := range []string{"ann", "nobody", "ann@acme", "ann@nobody", "@", "\x01"} {
			err := g.enter(goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain(user, "wrong")})
			if err == nil {
				t.Fatalf("%q was let in", user)
			}
			if first == nil {
				first = err
			}
			if err.Error() != first.Error() {
				t.Errorf("%q: %q gives away more than %q", user, err, first)
			}
		}
	})
}

// visitor is a client of our own engine.
type visitor struct {
	engine.Handler // for what does not happen
	conn           *engine.Conn
	opened         bool
	ending         engine.Ending
}

func (v *visitor) Opened(*frame.Open) {
	v.opened = true
	v.conn.Close(nil)
}
func (v *visitor) Closed(e engine.Ending) { v.ending = e }

// visit runs a client until its connection has ended.
func (g *gate) visit(c engine.Client) *visitor {
	v, limits := new(visitor), engine.DefaultLimits()
	err := transport.NewDriver(transport.Options{}).Serve(g.t.Context(), g.dial(), func(func()) transport.Engine {
		v.conn = engine.NewClient(time.Now(), &limits, c, v)
		v.conn.Open(frame.Open{ContainerID: "visitor"})
		return v.conn
	})
	if v.opened && err != nil {
		g.t.Error(err)
	}
	return v
}

func TestOurOwnClientEntersWithItsMechanisms(t *testing.T) {
	made := func(m engine.Mechanism, err error) engine.Mechanism {
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		name     string
		hostname string // of sasl-init
		with     engine.Mechanism
		ok       bool
	}{
		{"SCRAM-SHA-256", "", made(engine.WithSCRAMSHA256("ann", "a", "nonce")), true},
		{"SCRAM-SHA-512", "", made(engine.WithSCRAMSHA512("ben", "b", "nonce")), true},
		{"SCRAM and user@tenant", "", made(engine.WithSCRAMSHA256("ann@acme", "other", "nonce")), true},
		{"SCRAM and host", "acme.example", made(engine.WithSCRAMSHA256("ann", "other", "nonce")), true},
		{"OAUTHBEARER", "", made(engine.WithOAuthBearer("ann", "good")), true},
		{"XOAUTH2", "", made(engine.WithXOAuth2("ann", "good")), true},
		{"PLAIN and host", "acme.example", engine.WithPlain("ann", "other"), true},
		{"ANONYMOUS and host", "open.example", engine.WithAnonymous(""), true},

		{"SCRAM, wrong password", "", made(engine.WithSCRAMSHA256("ann", "b", "nonce")), false},
		{"SCRAM, unknown user", "", made(engine.WithSCRAMSHA256("nobody", "b", "nonce")), false},
		{"SCRAM, other form", "", made(engine.WithSCRAMSHA512("ann", "a", "nonce")), false},
		{"SCRAM, other host", "acme.example", made(engine.WithSCRAMSHA256("ann", "a", "nonce")), false},
		{"SCRAM, two tenants", "acme.example", made(engine.WithSCRAMSHA256("ann@default", "a", "nonce")), false},
		{"OAUTHBEARER, wrong token", "", made(engine.WithOAuthBearer("ann", "bad")), false},
		{"ANONYMOUS", "", engine.WithAnonymous(""), false},
		{"ANONYMOUS and host of another", "acme.example", engine.WithAnonymous(""), false},
		{"EXTERNAL", "", engine.WithExternal(""), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			guard(t, true, func(g *gate) {
				v := g.visit(engine.Client{Hostname: c.hostname, Mechanisms: []engine.Mechanism{c.with}})
				if v.opened != c.ok {
					t.Errorf("opened %t, ended by %v with %v", v.opened, v.ending.By, v.ending.Error)
				}
			})
		})
	}
}

func TestSecretsAreNotAskedForInPublic(t *testing.T) {
	guard(t, false, func(g *gate) {
		err := g.enter(goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("ann", "a")})
		want := "[SCRAM-SHA-512 SCRAM-SHA-256 ANONYMOUS]"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("go-amqp says %v, want %s in it", err, want)
		}
		with, err := engine.WithSCRAMSHA256("ann", "a", "nonce")
		if err != nil {
			t.Fatal(err)
		}
		if v := g.visit(engine.Client{Mechanisms: []engine.Mechanism{with}}); !v.opened {
			t.Errorf("SCRAM: %v", v.ending.Error)
		}
	})
}

// TestStepsOfAnExchangeAreBounded: a client that answers on and on is refused.
func TestStepsOfAnExchangeAreBounded(t *testing.T) {
	for _, mechanism := range []codec.Symbol{"PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "ANONYMOUS"} {
		t.Run(string(mechanism), func(t *testing.T) {
			guard(t, true, func(g *gate) {
				chatty := &chatty{name: mechanism}
				v := g.visit(engine.Client{Mechanisms: []engine.Mechanism{chatty}})
				if v.opened || chatty.answers > 2 {
					t.Errorf("opened %t after %d answers", v.opened, chatty.answers)
				}
			})
		})
	}
}

// chatty begins with nothing and answers every challenge with as much.
type chatty struct {
	name    codec.Symbol
	answers int
}

func (c *chatty) Name() codec.Symbol     { return c.name }
func (c *chatty) Start() ([]byte, error) { return nil, nil }
func (c *chatty) Verify([]byte) error    { return nil }
func (c *chatty) Respond([]byte) ([]byte, error) {
	c.answers++
	return []byte{}, nil
}

package coap

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// patience is how long a test waits for what must come, mostly in fake time.
const patience = 2 * time.Minute

// house is a door in front of a broker. Its tenants are default, which is anonymous, acme, which is not, and guarded, where
// everybody may only receive from state.
type house struct {
	t      testing.TB
	front  *front
	server *Server
	links  routertest.Links
}

func newHouse(t testing.TB, config Config) *house {
	t.Helper()
	store, err := broker.Open(broker.Options{Dir: "store", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	direct := router.NewDirect(router.Limits{})
	config.Router = router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: store, addressing.Topic: store,
	})
	if config.Limits == (Limits{}) {
		config.Limits = DefaultLimits()
	}
	small := routertest.Define(t, "small", addressing.Queue)
	small.MaxMessageSize = 200
	full := routertest.Define(t, "full", addressing.Queue)
	full.Queue.MaxMessages = 1
	user := routertest.User(t, "default", small, full,
		routertest.Define(t, "jobs", addressing.Queue), routertest.Define(t, "jobs/#", addressing.Queue),
		routertest.Define(t, "alerts", addressing.Broadcast),
		routertest.Define(t, "telemetry/#", addressing.Topic), routertest.Define(t, "state", addressing.Topic),
		routertest.Define(t, "event/#", addressing.Topic),
		routertest.Define(t, "command/*/req/#", addressing.Anycast),
		routertest.Define(t, "command/*/res/#", addressing.Broadcast),
	)
	acme := &tenancy.Tenant{Name: "acme", Addresses: user.Tenant.Addresses}
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
	if err != nil {
		t.Fatal(err)
	}
	key, err := tenancy.ParsePreSharedKey("sesame")
	if err != nil {
		t.Fatal(err)
	}
	acme.Users = []tenancy.User{{Name: "ann", Credential: credential}, {Name: "sensor", Key: key}, {Name: "gauge"}}
	state, err := tenancy.ParsePattern("state")
	if err != nil {
		t.Fatal(err)
	}
	guarded := &tenancy.Tenant{
		Name: "guarded", Addresses: user.Tenant.Addresses, Anonymous: true, DefaultRoles: []string{"reader"},
		Roles: []tenancy.Role{{Name: "reader", Grants: map[tenancy.Right][]tenancy.Pattern{tenancy.Receive: {state}}}},
	}
	if config.Directory, err = tenancy.NewDirectory(user.Tenant, acme, guarded); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, server: New(config), links: routertest.Links{T: t, Router: config.Router, User: user}}
	h.front = &front{server: h.server, ctx: t.Context()}
	t.Cleanup(h.front.checking.Wait)
	return h
}

// run gives a test a house in a bubble of fake time.
func run(t *testing.T, config Config, test func(h *house)) {
	synctest.Test(t, func(t *testing.T) { test(newHouse(t, config)) })
}

// with gives the default limits, changed.
func with(change func(*Limits)) Config {
	l := DefaultLimits()
	change(&l)
	return Config{Limits: l}
}

// peer is a session that a test plays: it remembers what the door says, and says that a notification has arrived when the
// test does.
type peer struct {
	t      testing.TB
	client session.Client
	woken  chan struct{}
	last   session.Exchange

	answers  map[session.Exchange]session.Response
	observed map[session.Exchange]bool
	notices  []notice
}

// notice is a notification.
type notice struct {
	session.Response
	token       string
	confirmable bool
}

var _ session.Session = (*peer)(nil)

// dial gives a peer of a plain session, from a machine of its own, or of another one.
func (h *house) dial(change ...func(*session.Peer)) *peer {
	who := session.Peer{Address: netip.MustParseAddrPort("192.0.2.1:40000")}
	for _, c := range change {
		c(&who)
	}
	p := &peer{
		t: h.t, woken: make(chan struct{}, 1),
		answers: make(map[session.Exchange]session.Response), observed: make(map[session.Exchange]bool),
	}
	p.client = h.front.open(who, func() {
		select {
		case p.woken <- struct{}{}:
		default:
		}
	})
	p.client.Attach(p)
	return p
}

// Respond implements session.Session.
func (p *peer) Respond(_ time.Time, e session.Exchange, r session.Response) {
	if _, twice := p.answers[e]; twice {
		p.t.Errorf("request %d is answered twice", e)
	}
	for i := 1; i < len(r.Options); i++ {
		if r.Options[i].ID < r.Options[i-1].ID {
			p.t.Errorf("the options of an answer are not in order: %v", r.Options)
		}
	}
	p.answers[e] = r
}

// Observe implements session.Session.
func (p *peer) Observe(now time.Time, e session.Exchange, r session.Response) {
	p.observed[e] = true
	p.Respond(now, e, r)
}

// Notify implements session.Session.
func (p *peer) Notify(_ time.Time, token message.Token, r session.Response, confirmable bool) {
	p.notices = append(p.notices, notice{r, string(token), confirmable})
}

// Forget implements session.Session.
func (p *peer) Forget(message.Token) {}

// newRequest makes a request of a method, a URI with a query, and a body. Options come as changes.
func newRequest(code codes.Code, uri, body string, change ...func(*session.Request)) *session.Request {
	r := &session.Request{Code: code, Token: message.Token("t"), Body: []byte(body), Waits: true}
	path, query, asks := strings.Cut(uri, "?")
	for level := range strings.SplitSeq(path, "/") {
		r.Options = append(r.Options, message.Option{ID: message.URIPath, Value: []byte(level)})
	}
	for q := range strings.SplitSeq(query, "&") {
		if asks {
			r.Options = append(r.Options, message.Option{ID: message.URIQuery, Value: []byte(q)})
		}
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// option is a change that adds one.
func option(id message.OptionID, value ...byte) func(*session.Request) {
	return func(r *session.Request) { r.Options = append(r.Options, message.Option{ID: id, Value: value}) }
}

func token(text string) func(*session.Request) {
	return func(r *session.Request) { r.Token = message.Token(text) }
}

func unconfirmed(r *session.Request) { r.Waits = false }

// send hands a request to the door, which borrows its body.
func (p *peer) send(r *session.Request) session.Exchange {
	p.last++
	r.Exchange = p.last
	p.client.Request(time.Now(), r)
	clear(r.Body)
	return p.last
}

// until lets the door work until something is so.
func (p *peer) until(what string, done func() bool) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not come", what)
		}
		wait := time.Second
		if due := p.client.Deadline(); !due.IsZero() {
			wait = min(wait, max(time.Until(due), 0)+time.Millisecond)
		}
		select {
		case <-p.woken:
		case <-time.After(wait):
		}
		p.client.Collect(time.Now())
	}
}

// ask sends a request and gives its answer.
func (p *peer) ask(code codes.Code, uri, body string, change ...func(*session.Request)) session.Response {
	p.t.Helper()
	return p.answer(p.send(newRequest(code, uri, body, change...)))
}

func (p *peer) answer(e session.Exchange) session.Response {
	p.t.Helper()
	p.until("the answer", func() bool { _, ok := p.answers[e]; return ok })
	return p.answers[e]
}

// expect asks and checks the code.
func (p *peer) expect(want codes.Code, code codes.Code, uri, body string, change ...func(*session.Request)) session.Response {
	p.t.Helper()
	got := p.ask(code, uri, body, change...)
	if got.Code != want {
		p.t.Fatalf("%v %s is answered %s %q, want %s", code, uri, dotted(got.Code), got.Body, dotted(want))
	}
	return got
}

// notice gives the next notification.
func (p *peer) notice() notice {
	p.t.Helper()
	p.until("the notification", func() bool { return len(p.notices) > 0 })
	n := p.notices[0]
	p.notices = p.notices[1:]
	return n
}

// acknowledge says that the notification of a token has arrived.
func (p *peer) acknowledge(token string) { p.client.Notified(time.Now(), message.Token(token)) }

// value gives the option of a response, or what its repeated ones say with "/" between.
func value(r session.Response, id message.OptionID) string {
	var all []string
	for _, o := range r.Options {
		if o.ID == id {
			all = append(all, string(o.Value))
		}
	}
	return strings.Join(all, "/")
}

// number gives an option that is a number; -1 without it.
func number(r session.Response, id message.OptionID) int {
	for _, o := range r.Options {
		if o.ID == id {
			return int(uintOf(o.Value))
		}
	}
	return -1
}

// dotted writes a code as RFC 7252 does.
func dotted(c codes.Code) string {
	return string(rune('0'+c>>5)) + "." + string([]byte{'0' + byte(c&31/10), '0' + byte(c&31%10)})
}

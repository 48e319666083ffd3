package http

import (
	"context"
	"encoding/json"
	"errors"
	nethttp "net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// socket is a WebSocket with messages of JSON, for browsers: its client sends, subscribes, grants credit and settles over one
// connection. One goroutine reads its orders, another writes what it is told, a third sees whether it is still there.
type socket struct {
	server *Server
	conn   *websocket.Conn
	ctx    context.Context // of the connection; ends with it
	cancel context.CancelFunc

	mail    transport.Mailbox[news]
	wake    chan struct{}
	room    chan struct{} // holds one for each order without an answer
	waiting sync.WaitGroup

	dismissed chan tenancy.Dismissal // why it is sent away

	credentials   tenancy.Credentials
	principal     *tenancy.Principal       // nil until the client has shown who it is; of the reader
	visit         *tenancy.Visit           // from then; of the reader
	subscriptions map[uint64]*subscription // by the number that the client gives; of the reader
	queued        atomic.Int64             // bytes of waiting messages that nobody keeps

	mu     sync.Mutex // guards everything below; a leaf
	number uint64     // of the newest delivery
	held   map[uint64]held
}

// held is a delivery that the client has not settled.
type held struct {
	delivery router.Delivery
	from     *subscription
}

// socketProtocol is the subprotocol of these messages; a client may leave it out.
const socketProtocol = "manifold.v1"

// socketTenant tells whose socket a path is: /v1/{tenant}/socket.
func socketTenant(raw string) (tenant string, ok bool) {
	if tenant, ok = strings.CutPrefix(raw, "/v1/"); ok {
		tenant, ok = strings.CutSuffix(tenant, "/socket")
	}
	if !ok || strings.Contains(tenant, "/") {
		return "", false
	}
	tenant, err := url.PathUnescape(tenant)
	return tenant, err == nil
}

// serveSocket turns a request into a socket and runs that until it ends. Messages are not compressed; see upgrade.
func (s *Server) serveSocket(w nethttp.ResponseWriter, r *nethttp.Request, tenant string) {
	err := s.originsOf(rawPath(r.URL)).checkUpgrade(r)
	credentials := tenancy.Credentials{}
	if err == nil {
		credentials, err = readCredentials(r, tenant)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{socketProtocol},
		InsecureSkipVerify: true, // the origin has been checked
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(s.limits.MaxBody)
	c := &socket{
		server: s, conn: conn, credentials: credentials,
		wake:          make(chan struct{}, 1),
		room:          make(chan struct{}, s.limits.StreamWindow),
		dismissed:     make(chan tenancy.Dismissal, 1),
		subscriptions: make(map[uint64]*subscription),
		held:          make(map[uint64]held),
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	c.mail.Init(c.poke)
	c.run(stopping(r))
}

func (c *socket) poke() {
	select {
	case c.wake <- struct{}{}:
	default: // the writer is about to look
	}
}

// run serves the socket until either side ends it.
func (c *socket) run(stop context.Context) {
	var others sync.WaitGroup
	others.Go(c.write)
	others.Go(c.watch)
	others.Go(func() {
		select {
		case <-stop.Done():
			c.conn.Close(websocket.StatusGoingAway, "stopping")
		case why := <-c.dismissed:
			c.conn.Close(websocket.StatusPolicyViolation, why.String())
		case <-c.ctx.Done():
		}
	})
	code, reason := websocket.StatusNormalClosure, ""
	if err := c.read(); err != nil {
		code, reason = websocket.StatusPolicyViolation, err.Error()
	}
	c.cancel()
	for _, sub := range c.subscriptions {
		sub.link.Close()
	}
	c.waiting.Wait()
	others.Wait()
	c.visit.Leave()
	c.conn.Close(code, reason[:min(len(reason), 120)]) // RFC 6455 section 5.5: a control frame is short
}

// read carries out orders until the client goes. The error is for a client that is to be told why the server ends it.
func (c *socket) read() error {
	for first := true; ; first = false {
		text, err := c.next(first)
		if err != nil {
			switch late := errors.Is(err, context.DeadlineExceeded); {
			case late && first:
				return errors.New("no order came in time (http.headerTimeout)")
			case late:
				return errors.New("the token has expired")
			}
			return nil
		}
		select {
		case c.room <- struct{}{}:
		case <-c.ctx.Done():
			return nil
		}
		var o order
		if err := json.Unmarshal(text, &o); err != nil {
			c.answer(0, refusal(0, router.Errorf(router.Malformed, "not an order in JSON: %v", err)))
			continue
		}
		if c.principal == nil {
			if err := c.login(&o); err != nil {
				return err
			}
		}
		if err := c.carryOut(&o); err != nil {
			c.answer(o.ID, refusal(0, err))
		}
	}
}

// next reads one message. The first has to come soon, and all before the client's token expires.
func (c *socket) next(first bool) ([]byte, error) {
	ctx := c.ctx
	cancel := func() {}
	if first {
		ctx, cancel = context.WithTimeout(ctx, c.server.limits.HeaderTimeout)
	} else if c.principal != nil && !c.principal.Expires().IsZero() {
		ctx, cancel = context.WithDeadline(ctx, c.principal.Expires())
	}
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	if err != nil && c.ctx.Err() == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return text, err
}

// login finds out who the client is, by its first order if that is connect, else by what came with the request.
func (c *socket) login(o *order) error {
	if o.Op == "connect" {
		c.credentials.User, c.credentials.Password, c.credentials.Token = o.User, []byte(o.Password), o.Token
	}
	p, err := c.server.login(c.ctx, c.credentials)
	if c.principal = p; err == nil {
		c.visit, err = c.server.directory.Enter(c.credentials.Visitor, p, c)
	}
	return err
}

// Dismiss implements tenancy.Connection.
func (c *socket) Dismiss(why tenancy.Dismissal) {
	select {
	case c.dismissed <- why:
	default: // it is told already
	}
}

// watch asks a silent client whether it is still there.
func (c *socket) watch() {
	ticker := time.NewTicker(c.server.limits.PingAfter)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(c.ctx, c.server.limits.PingTimeout)
			err := c.conn.Ping(ctx)
			cancel()
			if err != nil {
				c.cancel()
				return
			}
		case <-c.ctx.Done():
			return
		}
	}
}
